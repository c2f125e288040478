import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, binaryAccuracy, ShapeError, tensor, ValueError, zeros } from '../../src/index.ts';
import { defaultMetrics } from '../../src/training/metrics.ts';

/** Calls a function as plain JavaScript does. */
const call = (fn: object, ...args: readonly unknown[]): Promise<unknown> =>
  Promise.resolve(Reflect.apply(fn as () => unknown, null, args));

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

  it('passes over ignored labels, and is 0 if all are ignored', async () => {
    const output = tensor([[1, 0], [3, 2], [0, 1]]); // prettier-ignore
    expect(await accuracy(output, new Int8Array([0, -100, 0]))).toBe(0.5);
    expect(await accuracy(output, new Int8Array([-100, -100, -100]))).toBe(0);
    expect(await accuracy(output, [0, 1, 0], { ignoreIndex: 1 })).toBe(0.5);
    expect(await accuracy(output, tensor([1, 0, 0]), { ignoreIndex: 0 })).toBe(0);
  });

  it.each([
    ['one axis', [3], 'output [3]', /; for one output per row, use binaryAccuracy$/],
    ['one column', [3, 1], 'output [3, 1]', /; for one output per row, use binaryAccuracy$/],
    ['three axes', [3, 3, 1], 'output [3, 3, 1]', /the output must be \[batch, classes\]$/],
    ['no classes', [3, 0], 'logits [3, 0]', /at least one class$/],
    ['another number of labels', [2, 3], '3 labels for a batch of 2', /one class index for each row/],
  ])('refuses %s', async (_, shape, problem, hint) => {
    const measuring = accuracy(zeros(shape), new Uint8Array(3));
    await expect(measuring).rejects.toThrow(ShapeError);
    await expect(measuring).rejects.toThrow(`accuracy: ${problem}. Hint: `);
    await expect(measuring).rejects.toThrow(hint);
  });

  it('refuses no rows', async () => {
    await expect(accuracy(zeros([0, 3]), [])).rejects.toThrow(
      'accuracy: output [0, 3]. Hint: a share of zero rows',
    );
    await expect(binaryAccuracy(zeros([0, 1]), [])).rejects.toThrow('binaryAccuracy: output [0, 1]');
  });

  it.each([2, -1, 0.5, NaN, '1', null, 1n, [1, 0]])('refuses a label of %s', async (label) => {
    const measuring = call(accuracy, zeros([2, 2]), [0, label]);
    await expect(measuring).rejects.toThrow(ValueError);
    await expect(measuring).rejects.toThrow(/^accuracy: label .+ at row 1, with 2 classes\. Hint: /);
  });

  it('refuses other arguments of plain JavaScript', async () => {
    const output = zeros([2, 2]);
    await expect(call(accuracy, output, null)).rejects.toThrow('accuracy: labels is null. Hint: ');
    await expect(call(accuracy, [[1, 0]], [0])).rejects.toThrow('accuracy: output is an Array of 1. Hint: ');
    await expect(call(accuracy, output, [0, 1], 1)).rejects.toThrow('accuracy: options is 1. Hint: ');
    await expect(call(accuracy, output, [0, 1], { ignoreIndex: '1' })).rejects.toThrow("ignoreIndex is '1'");
    await expect(call(accuracy, output, [0, 1], { top: 5 })).rejects.toThrow('unknown option: top');
  });
});

describe('binaryAccuracy', () => {
  it('is the share of rows whose logit is above 0 exactly if the label is above 0.5', async () => {
    const labels = new Uint8Array([1, 1, 0, 0, 1]);
    expect(await binaryAccuracy(tensor([[0.9], [0.8], [-3], [2], [-1]]), labels)).toBe(0.6);
    expect(await binaryAccuracy(tensor([0.9, 0.8, -3, 2, -1]), labels)).toBe(0.6);
    expect(await binaryAccuracy(tensor([0.9, 0.8, -3, 2, -1]), tensor([1, 0.6, 0.5, 0, 0]))).toBe(0.8);
  });

  it('is that of probabilities with a threshold of 0.5', async () => {
    const z = [[1], [-2], [3]]; // prettier-ignore
    const labels = [1, 1, 0];
    const probabilities = tensor(z).sigmoid();
    expect(await binaryAccuracy(probabilities, labels, { threshold: 0.5 })).toBe(
      await binaryAccuracy(tensor(z), labels),
    );
  });

  it('counts an output of NaN as wrong', async () => {
    expect(await binaryAccuracy(tensor([NaN, NaN, 1]), [0, 1, 1])).toBeCloseTo(1 / 3, 15);
  });

  it.each([[[2, 2]], [[2, 1, 1]], [[]]])('refuses an output of shape %j', async (shape) => {
    const measuring = binaryAccuracy(zeros(shape), [0, 1]);
    await expect(measuring).rejects.toThrow(ShapeError);
    await expect(measuring).rejects.toThrow(`binaryAccuracy: output [${shape.join(', ')}]. Hint: `);
  });

  it.each([[2], [-1], [NaN], [-100], ['1'], [null], [1n], [true], [[1]]])(
    'refuses a label of %s',
    async (label) => {
      const measuring = call(binaryAccuracy, zeros([2, 1]), [0, label]);
      await expect(measuring).rejects.toThrow(ValueError);
      await expect(measuring).rejects.toThrow('binaryAccuracy: labels[1] is ');
    },
  );

  it('refuses other arguments of plain JavaScript', async () => {
    const output = zeros([2, 1]);
    for (const labels of [null, undefined, 1, {}, [0], [0, 1, 1]])
      await expect(call(binaryAccuracy, output, labels)).rejects.toThrow('binaryAccuracy: labels are ');
    await expect(call(binaryAccuracy, [1], [1])).rejects.toThrow('binaryAccuracy: output is an Array of 1');
    await expect(call(binaryAccuracy, output, [0, 1], null)).rejects.toThrow(
      'binaryAccuracy: options is null',
    );
    await expect(call(binaryAccuracy, output, [0, 1], { threshold: NaN })).rejects.toThrow(
      'threshold is NaN',
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
