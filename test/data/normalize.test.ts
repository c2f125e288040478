import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataLoader } from '../../src/data/loader.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { normalize, type ColumnStatistics } from '../../src/data/normalize.ts';
import { dataset } from '../../src/data/rows.ts';
import { split } from '../../src/data/split.ts';
import { numbered, refusal } from './helpers.ts';

/** The values of all examples, as a batch has them. */
const scaled = (data: Dataset) => [...new DataLoader(data, { batchSize: data.labels.length })][0].x;

describe('normalize', () => {
  it('gives every column mean 0 and deviation 1, at any offset', () => {
    const tables = fc.record({
      n: fc.integer({ min: 2, max: 50 }),
      offset: fc.constantFrom(0, 1e3, 1.7e9, -1e12),
      scale: fc.constantFrom(1e-3, 1, 1e5),
      values: fc.infiniteStream(fc.integer({ min: -1000, max: 1000 })),
      divisor: fc.constantFrom(undefined, 255),
    });
    fc.assert(
      fc.property(tables, ({ n, offset, scale, values, divisor }) => {
        const rows = Array.from({ length: n }, (_, i) => [
          offset + scale * (Number(values.next().value) + i),
          7.1,
          i,
        ]);
        const raw = dataset(rows, new Uint8Array(n));
        const x = scaled(normalize(divisor === undefined ? raw : { ...raw, divisor }));
        for (const column of [0, 2]) {
          const own = [...x].filter((_, i) => i % 3 === column);
          if (new Set(own).size === 1) continue;
          const mean = own.reduce((sum, value) => sum + value, 0) / n;
          const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
          const lost = column === 0 ? (Math.abs(offset) * 1e-15) / scale : 0;
          expect(Math.abs(mean)).toBeLessThan(1e-5 + lost);
          expect(Math.abs(deviation - 1)).toBeLessThan(1e-5 + lost);
        }
        expect([...x].filter((_, i) => i % 3 === 1)).toEqual(Array<number>(n).fill(0)); // a constant column
      }),
    );
  });

  it('divides by n, as StandardScaler does', () => {
    const { mean, deviation } = normalize(
      dataset(
        [
          [1, 10],
          [3, 10],
        ],
        [0, 1],
      ),
    );
    expect([mean, deviation]).toEqual([
      [2, 10],
      [1, 1],
    ]);
  });

  it('keeps the values in memory, and replaces an earlier mean and deviation', () => {
    const data = { ...numbered(4, [2]), divisor: 2, mean: 5, deviation: 3 };
    const normalized = normalize(data);
    expect(normalized.x).toBe(data.x);
    expect(normalized.divisor).toBe(2);
    const plain = normalize(numbered(4, [2]));
    scaled(normalized).forEach((value, i) => {
      expect(value).toBeCloseTo(scaled(plain)[i], 6);
    });
  });

  it('applies the statistics of other data, also after JSON', () => {
    const [first, rest] = split(numbered(10, [2]), 6);
    const train = normalize(first);
    const validation = normalize(rest, train);
    const { mean, deviation } = train;
    const loaded = JSON.parse(JSON.stringify({ mean, deviation })) as ColumnStatistics;
    expect(scaled(validation)).toEqual(
      Float32Array.from(rest.x, (value) => (value - mean[0]) / deviation[0]),
    );
    expect(normalize(rest, loaded)).toEqual(validation);
    expect(scaled(normalize(train, train))).toEqual(scaled(train));
  });

  it('works on images of bytes', () => {
    const x = Uint8Array.from({ length: 12 }, (_, i) => i * 7);
    const images = { x, shape: [2, 2], labels: new Uint8Array(3), divisor: 255 };
    const { mean, deviation } = normalize(images);
    expect(mean).toHaveLength(4);
    const wanted = Float32Array.from(x, (byte, i) => (byte / 255 - mean[i % 4]) / deviation[i % 4]);
    expect(scaled(normalize(images))).toEqual(wanted);
  });

  it('refuses values that are not finite, and statistics that do not fit', () => {
    const data = numbered(2, [2]);
    const x = Float32Array.of(1, 2, 3, NaN);
    expect(refusal(() => normalize({ ...data, x })).message).toBe(
      'normalize: row 1, column 1 is not a finite number: NaN. Hint: fill in missing values, or leave out their rows; rows and columns are counted from 0',
    );
    expect(refusal(() => normalize({ ...data, x }, normalize(data))).problem).toContain('row 1, column 1');
    for (const like of [null, 3, {}, { mean: 0, deviation: 1 }, { mean: [1, 2] }, data]) {
      expect(refusal(() => normalize(data, like as ColumnStatistics)).problem).toContain(
        'no arrays mean and dev',
      );
    }
    expect(refusal(() => normalize(data, { mean: [0], deviation: [1, 1] })).problem).toContain(
      'mean has 1 numbers, but an example of shape [2] has 2 values',
    );
    expect(refusal(() => normalize(data, { mean: [0, 0], deviation: [1, 0] })).problem).toBe(
      'deviation[1] is not a positive number: 0',
    );
    expect(refusal(() => normalize(data, { mean: [0, NaN], deviation: [1, 1] })).problem).toContain(
      'mean[1]',
    );
  });
});
