/** Means and variances at offsets where the one-pass formula fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { devices } from '../laws/kernel-laws.ts';

/** Mean and variance of float32 values [m, C], computed by the two kernels on a device. */
function statisticsOn(device: Device, x: ArrayLike<number>, m: number, C: number) {
  const input = device.upload(x, 'float32');
  const mean = device.run(kernels.colMean, [input], [[m, C]], [C], {}, false);
  const variance = device.run(kernels.colVariance, [input, mean], [[m, C], [C]], [C], {}, false);
  return { mean: device.readSync(mean), variance: device.readSync(variance) };
}

/** E[x²] − E[x]² in float32, which the kernels must not compute. */
function onePassVariance(x: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const value of x) {
    sum = Math.fround(sum + value);
    squares = Math.fround(squares + Math.fround(value * value));
  }
  const mean = Math.fround(sum / x.length);
  return Math.fround(Math.fround(squares / x.length) - Math.fround(mean * mean));
}

/** Mean and variance of values near an offset, from their differences to it, which are small and exact. */
function expected(x: Float32Array, offset: number) {
  const distances = Array.from(x, (value) => value - offset);
  const mean = distances.reduce((sum, d) => sum + d, 0) / x.length;
  return { mean: offset + mean, variance: distances.reduce((sum, d) => sum + (d - mean) ** 2, 0) / x.length };
}

describe.each(devices.filter(({ dtype }) => dtype === 'float32'))('on $name', ({ device }) => {
  const statistics = (x: ArrayLike<number>, m: number, C: number) => statisticsOn(device, x, m, C);

  describe.each([0, 100, 1e3, 1e6, -1e6])('at an offset of %d, in float32', (offset) => {
    const stream = seededStream(1);
    const x = Float32Array.from({ length: 1030 }, () => offset + 4 * stream.uniform());
    const { mean, variance } = statistics(x, x.length, 1);
    const right = expected(x, offset);

    it('the mean is right to 1e-12', () => {
      expect(Math.abs(mean[0] - right.mean)).toBeLessThanOrEqual(1e-12 * Math.abs(right.mean));
    });

    it('the variance is right to 1e-6', () => {
      expect(Math.abs(variance[0] - right.variance)).toBeLessThanOrEqual(1e-6 * right.variance);
    });

    if (Math.abs(offset) >= 1e3) {
      it('a variance in one pass is wrong by more than a tenth of its value', () => {
        expect(Math.abs(onePassVariance(x) - right.variance)).toBeGreaterThan(0.1 * right.variance);
      });
    }
  });

  it('the mean of a constant column is exactly its value, and the variance exactly 0', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 9 }),
        fc.constantFrom(1, 2, 3, 7, 33, 1030),
        (row, m) => {
          const { mean, variance } = statistics(Array<number[]>(m).fill(row).flat(), m, row.length);
          expect(Array.from(mean)).toEqual(row.map((value) => value + 0));
          expect(Array.from(variance)).toEqual(row.map(() => 0));
        },
      ),
    );
  });

  it('the mean of two rows is halfway between them', () => {
    const { mean, variance } = statistics([1, 10, 3, -10], 2, 2);
    expect(Array.from(mean)).toEqual([2, 0]);
    expect(Array.from(variance)).toEqual([1, 100]);
  });

  it('statistics are float64 for float32 inputs', () => {
    const { mean, variance } = statistics([1, 2, 4], 3, 1);
    expect(mean).toBeInstanceOf(Float64Array);
    expect(variance).toBeInstanceOf(Float64Array);
    expect(mean[0]).toBeCloseTo(7 / 3, 14);
  });

  it('a NaN stays in its own column', () => {
    const { mean, variance } = statistics([NaN, 1, 5, 3], 2, 2);
    expect(Array.from(mean)).toEqual([NaN, 2]);
    expect(Array.from(variance)).toEqual([NaN, 1]);
  });

  it('a variance is never negative', () => {
    const values = fc.float({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 40 }), (x) => {
        expect(statistics(x, x.length, 1).variance[0]).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
