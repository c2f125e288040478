/** The variance in one pass, as in section 13 of batchnorm.md: where it fails, and the bound under which it is used. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededStream } from '../../src/tensor/seed.ts';

const f32 = Math.fround;

/** variance = (1/m) Σ (x − s)² − ((1/m) Σ (x − s))², with every operation in float32. */
function inFloat32(x: Float32Array, s: number): number {
  let [sum, squares] = [0, 0];
  for (const value of x) {
    const d = f32(value - s);
    sum = f32(sum + d);
    squares = f32(squares + f32(d * d));
  }
  const mean = f32(sum / x.length);
  return f32(f32(squares / x.length) - f32(mean * mean));
}

/** The SIMD form: float32 for 32 rows at a time, then float64. Returns the variance and (mean − s)². */
function inRuns(x: Float32Array, s: number): { variance: number; rest2: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < x.length; i += 32) {
    let [runSum, runSquares] = [0, 0];
    for (const value of x.subarray(i, i + 32)) {
      const d = f32(value - s);
      runSum = f32(runSum + d);
      runSquares = f32(runSquares + f32(d * d));
    }
    sum += runSum;
    squares += runSquares;
  }
  const rest2 = (sum / x.length) ** 2;
  return { variance: Math.max(squares / x.length - rest2, 0), rest2 };
}

function inFloat64(x: Float32Array): { mean: number; variance: number } {
  let [sum, squares] = [0, 0];
  for (const value of x) sum += value - x[0];
  const mean = x[0] + sum / x.length;
  for (const value of x) squares += (value - mean) ** 2;
  return { mean, variance: squares / x.length };
}

const batch = (seed: number, m: number, offset: number) => {
  const stream = seededStream(seed);
  return Float32Array.from({ length: m }, () => offset + stream.normal());
};

describe('in float32, the largest relative error of 100 batches of 256 values of deviation 1', () => {
  it.each([
    { offset: 0, unshifted: 7.4e-7, shifted: 5.4e-6 },
    { offset: 1, unshifted: 2.0e-6, shifted: 5.4e-6 },
    { offset: 10, unshifted: 1.3e-4, shifted: 5.0e-6 },
    { offset: 100, unshifted: 1.1e-2, shifted: 3.7e-6 },
    { offset: 1000, unshifted: 1.3, shifted: 3.1e-6 },
  ])('around $offset: $unshifted with shift 0, $shifted with the first value as shift', (expected) => {
    const error = (shift: (x: Float32Array) => number) =>
      Math.max(
        ...Array.from({ length: 100 }, (_, seed) => {
          const x = batch(seed, 256, expected.offset);
          return Math.abs(inFloat32(x, shift(x)) / inFloat64(x).variance - 1);
        }),
      );
    expect(error(() => 0).toPrecision(2)).toBe(expected.unshifted.toPrecision(2));
    expect(error(([first]) => first).toPrecision(2)).toBe(expected.shifted.toPrecision(2));
  });
});

describe('in runs of 32 rows', () => {
  /** Batches, and a shift k deviations from the mean. */
  const shifted = fc
    .record({
      seed: fc.nat(),
      m: fc.constantFrom(2, 3, 8, 31, 32, 33, 300),
      offset: fc.constantFrom(0, 1, -7, 100, 1e4),
      k: fc.constantFrom(0, 0.3, 1, -1, 3, -30, 1000),
    })
    .map(({ seed, m, offset, k }) => {
      const x = batch(seed, m, offset);
      const { mean, variance } = inFloat64(x);
      return { x, s: f32(mean + k * Math.sqrt(variance)) };
    });

  it('the relative error of the variance is at most (k + √(1 + k²))²·35·2⁻²⁴, k deviations from the mean', () => {
    fc.assert(
      fc.property(shifted, ({ x, s }) => {
        const { mean, variance } = inFloat64(x);
        fc.pre(variance > 0);
        const k = Math.abs(mean - s) / Math.sqrt(variance);
        const bound = (k + Math.sqrt(1 + k * k)) ** 2 * 35 * 2 ** -24;
        expect(Math.abs(inRuns(x, s).variance / variance - 1)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 500 },
    );
  });

  it('a shift of more than one deviation is seen: rounding does not hide it', () => {
    fc.assert(
      fc.property(shifted, ({ x, s }) => {
        const { mean, variance } = inFloat64(x);
        fc.pre(Math.abs(mean - s) > 1.01 * Math.sqrt(variance));
        const found = inRuns(x, s);
        expect(found.rest2).toBeGreaterThan(found.variance);
      }),
      { numRuns: 500 },
    );
  });
});
