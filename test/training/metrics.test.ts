import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, ShapeError, tensor, zeros } from '../../src/index.ts';
import { defaultMetrics } from '../../src/training/metrics.ts';

describe('accuracy', () => {
  it('is the share of rows whose largest output is at the label', async () => {
    const output = tensor([
      [0.1, 0.9, 0],
      [3, 2, 1],
      [-1, -3, -2],
      [0, 0, 5],
    ]);
    expect(await accuracy(output, new Uint8Array([1, 0, 0, 2]))).toBe(1);
    expect(await accuracy(output, new Int32Array([1, 0, 1, 1]))).toBe(0.5);
    expect(await accuracy(output, new Uint8Array([0, 1, 1, 0]))).toBe(0);
  });

  it('counts the first of equal outputs', async () => {
    expect(await accuracy(tensor([[1, 1]]), new Uint8Array([0]))).toBe(1);
    expect(await accuracy(tensor([[1, 1]]), new Uint8Array([1]))).toBe(0);
  });

  it('is what a count by hand gives, for any outputs and labels', async () => {
    const rows = fc.array(
      fc.tuple(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 }), fc.nat(3)),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (examples) => {
        const right = examples.filter(([row, label]) => row.indexOf(Math.max(...row)) === label).length;
        const labels = Uint8Array.from(examples, ([, label]) => label);
        const found = await accuracy(tensor(examples.map(([row]) => row)), labels);
        expect(found).toBe(right / examples.length);
      }),
    );
  });

  it.each([
    ['another number of labels', [2, 3], 3],
    ['no rows', [0, 3], 0],
    ['one axis', [3], 3],
    ['three axes', [2, 3, 1], 2],
  ])('refuses %s', async (_, shape, count) => {
    const measuring = accuracy(zeros(shape), new Uint8Array(count));
    await expect(measuring).rejects.toThrow(ShapeError);
    await expect(measuring).rejects.toThrow(
      `accuracy: output [${shape.join(', ')}] for ${count} labels. Hint: the output must be [batch, classes]`,
    );
  });
});

describe('the default metric', () => {
  it('is the accuracy for one class label per row', () => {
    for (const labels of [
      new Uint8Array([0, 1, 2]),
      new Float32Array([0, 1, 2]),
      new Int8Array([0, -100, 1]),
    ])
      expect(defaultMetrics(zeros([3, 3]), { labels })).toEqual({ accuracy });
  });

  it.each([
    ['one output column', [3, 1], new Uint8Array([0, 1, 1])],
    ['one output per row', [3], new Uint8Array([0, 1, 1])],
    ['targets that are not whole numbers', [3, 2], new Float32Array([0, 0.5, 1])],
    ['several targets per row', [3, 2], new Float32Array(6)],
    ['outputs of three axes', [3, 2, 2], new Uint8Array(3)],
  ])('is none for %s', (_, shape, labels) => {
    expect(defaultMetrics(zeros(shape), { labels })).toEqual({});
  });
});
