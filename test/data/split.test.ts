import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDataset, type Dataset } from '../../src/data/dataset.ts';
import { split, type SplitOptions, take } from '../../src/data/split.ts';
import { ValueError } from '../../src/tensor/errors.ts';
import { streams } from '../../src/tensor/random.ts';
import { manualSeed } from '../../src/tensor/seed.ts';
import { numbered, refusal } from './helpers.ts';

describe('split by a count', () => {
  it('gives the first examples and the rest, for all sizes', () => {
    const sizes = fc
      .integer({ min: 2, max: 40 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })));
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 3 }), ([n, count], size) => {
        const data = numbered(n, [size]);
        const [first, rest] = split(data, count);
        expect([...first.x, ...rest.x]).toEqual([...data.x]);
        expect([...first.labels, ...rest.labels]).toEqual([...data.labels]);
        expect(checkDataset('first', first)).toBe(count);
        expect(checkDataset('rest', rest)).toBe(n - count);
      }),
    );
  });

  it('shares the memory, and keeps the other fields of the dataset', () => {
    const data = { ...numbered(3, [2]), divisor: 255 };
    const [first, rest] = split(data, 1);
    for (const part of [first, rest]) {
      expect(part.x.buffer).toBe(data.x.buffer);
      expect(part.labels.buffer).toBe(data.labels.buffer);
      expect(part).toMatchObject({ shape: [2], divisor: 255 });
    }
  });

  it.each([0, 3, 4, -1, 1.5, NaN])('refuses a count of %s of 3', (count) => {
    const error = refusal(() => split(numbered(3), count));
    expect(error.problem).toBe(`count does not fit a dataset of 3 examples: ${count}`);
    expect(error.hint).toBe('use an integer from 1 to 2, or { share: 0.8 }');
  });

  it('refuses to split one example', () => {
    expect(refusal(() => split(numbered(1), 1)).problem).toBe('one example cannot be split');
  });

  it('refuses a dataset whose parts do not fit each other', () => {
    expect(refusal(() => split({ ...numbered(3), labels: new Uint8Array(2) }, 1)).op).toBe('split');
  });
});

describe('take', () => {
  it('takes all targets of an example', () => {
    const data = { ...numbered(3), labels: Float32Array.from([1, 2, 3, 4, 5, 6]), targetShape: [2] };
    expect([...take(data, 2).labels]).toEqual([1, 2, 3, 4]);
    const [first, rest] = split(data, 2);
    expect([[...first.labels], [...rest.labels]]).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it('gives the first examples, or all of them', () => {
    expect(take(numbered(3, [2]), 2)).toEqual(numbered(2, [2]));
    expect(take(numbered(3), 3)).toEqual(numbered(3));
  });

  it.each([0, 4, 0.5])('refuses a count of %s of 3', (count) => {
    expect(refusal(() => take(numbered(3), count)).hint).toBe('use an integer from 1 to 3');
  });
});

describe('split by a share', () => {
  const parts = (data: Dataset, options: SplitOptions) =>
    split(data, options).map(({ labels }) => [...labels]);
  const options = fc.record({ percent: fc.integer({ min: 10, max: 90 }), seed: fc.maxSafeNat() });

  it('gives each example to one part, with its values and its targets', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 60 }),
        options,
        fc.boolean(),
        (n, { percent, seed }, stratify) => {
          const data = numbered(n, [2, 1]);
          const labels = Uint8Array.from({ length: n }, (_, i) => i % 2);
          const [first, rest] = split(
            { ...data, labels: stratify ? labels : data.labels },
            { share: percent / 100, seed, stratify },
          );
          expect(checkDataset('first', first)).toBe(Math.floor((percent * n) / 100));
          expect(checkDataset('rest', rest)).toBe(n - Math.floor((percent * n) / 100));
          const rows = [...first.x, ...rest.x].filter((_, i) => i % 2 === 0);
          expect(rows.toSorted((a, b) => a - b)).toEqual([...numbered(n).x]);
          for (const { x, labels: own } of [first, rest]) {
            own.forEach((label, r) => {
              expect(x[2 * r + 1]).toBe(x[2 * r]);
              expect(label).toBe(stratify ? (x[2 * r] - 1) % 2 : x[2 * r]);
            });
          }
        },
      ),
    );
  });

  it('copies targets of any shape, and keeps the other fields', () => {
    const data = {
      ...numbered(4),
      labels: Float32Array.from({ length: 8 }, (_, i) => i),
      targetShape: [2],
      divisor: 2,
    };
    for (const part of split(data, { share: 0.5, seed: 1 })) {
      expect(part).toMatchObject({ targetShape: [2], shape: [1], divisor: 2 });
      expect([...part.labels]).toEqual([...part.x].flatMap((value) => [2 * value - 2, 2 * value - 1]));
      expect(part.x.buffer).not.toBe(data.x.buffer);
      expect(part.labels.buffer).not.toBe(data.labels.buffer);
    }
  });

  it('copies a Buffer', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const [first] = split({ x: bytes, shape: [1], labels: bytes }, { share: 0.5 });
    first.x.fill(9);
    first.labels.fill(9);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
  });

  it('depends on the seed only, which is drawn from the shuffling stream if it is not given', () => {
    const data = numbered(30);
    expect(parts(data, { share: 0.5, seed: 7 })).toEqual(parts(data, { share: 0.5, seed: 7 }));
    expect(parts(data, { share: 0.5, seed: 8 })).not.toEqual(parts(data, { share: 0.5, seed: 7 }));
    manualSeed(3);
    const seed = streams.shuffling.uint32();
    const next = streams.shuffling.state;
    manualSeed(3);
    expect(parts(data, { share: 0.5 })).toEqual(parts(data, { share: 0.5, seed }));
    expect(streams.shuffling.state).toEqual(next);
    parts(data, { share: 0.5, seed: 1 });
    parts(data, { share: 0.5, shuffle: false });
    expect(streams.shuffling.state).toEqual(next);
  });

  it('keeps the order and shares the memory with shuffle: false', () => {
    const data = numbered(5);
    expect(split(data, { share: 0.6, shuffle: false })).toEqual(split(data, 3));
    expect(split(data, { share: 0.6, shuffle: false })[1].x.buffer).toBe(data.x.buffer);
  });

  it.each([
    [100, 0.29, 29],
    [10, 0.7, 7],
    [7, 0.8, 5],
    [3, 0.999999999999999, 2],
  ])('gives of %i examples a share of %f: %i', (n, share, count) => {
    expect(split(numbered(n), { share })[0].labels).toHaveLength(count);
  });

  it('stratifies: the numbers of each class differ from the exact share by less than one', () => {
    const classes = fc.array(fc.integer({ min: 2, max: 30 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(classes, options, (sizes, { percent, seed }) => {
        const labels = Int8Array.from(sizes.flatMap((size, c) => Array<number>(size).fill(3 * c - 4)));
        const n = labels.length;
        const count = Math.floor((percent * n) / 100);
        fc.pre(Math.min(count, n - count) >= sizes.length);
        const [first, rest] = split(
          { x: new Float32Array(n), shape: [], labels },
          { share: percent / 100, seed, stratify: true },
        );
        expect(first.labels).toHaveLength(count);
        sizes.forEach((size, c) => {
          const [inFirst, inRest] = [first, rest].map(
            (part) => part.labels.filter((label: number) => label === 3 * c - 4).length,
          );
          expect(inFirst + inRest).toBe(size);
          expect(Math.abs(inFirst - (count * size) / n)).toBeLessThan(1);
        });
      }),
    );
  });

  const refused = (change: Record<string, unknown>) => () => split(numbered(10), { share: 0.5, ...change });

  it.each([0, 1, -0.5, 80, NaN, '0.5', undefined])('refuses %s as the share', (share) => {
    expect(refusal(refused({ share }), ValueError).problem).toContain('share is');
  });

  it('refuses a share that leaves a part empty', () => {
    expect(refusal(refused({ share: 0.05 })).message).toBe(
      'split: the first part is empty: a share of 0.05 of 10 examples. Hint: use a share of at least 1/10',
    );
    expect(split(numbered(10), { share: 1 / 10 })[0].labels).toHaveLength(1);
  });

  it('refuses what has no effect without shuffling', () => {
    for (const change of [{ stratify: true }, { seed: 1 }]) {
      expect(refusal(refused({ shuffle: false, ...change }), ValueError).hint).toContain('leave out');
    }
  });

  it('refuses unknown options and seeds out of range', () => {
    expect(refusal(refused({ testSize: 0.2 }), ValueError).problem).toContain('testSize');
    expect(refusal(refused({ seed: -1 }), ValueError).problem).toBe('seed is -1');
  });

  it('refuses to stratify classes of one example, and parts with fewer examples than classes', () => {
    const labeled = (...labels: number[]) => ({
      ...numbered(labels.length),
      labels: Uint8Array.from(labels),
    });
    const stratified = (data: Dataset, share: number) => () => split(data, { share, stratify: true });
    expect(refusal(stratified(labeled(0, 0, 0, 7), 0.5)).problem).toBe('class 7 has only one example');
    expect(refusal(stratified(labeled(0, 0, 1, 1, 2, 2), 0.4)).problem).toBe(
      'a part has 2 examples, for 3 classes',
    );
    expect(refusal(stratified(labeled(0, 0, 1, 1, 2, 2), 0.8)).problem).toContain('a part has 2');
    const targets = { ...numbered(4), labels: new Float32Array(8), targetShape: [2] };
    expect(refusal(stratified(targets, 0.5)).problem).toContain('targets of shape [2]');
  });
});
