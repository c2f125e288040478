/** Fused batch normalization where float32 fails first: offsets, constant columns, huge values, NaN. */
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../kernels/kernel.ts';
import { seededStream } from '../../../src/tensor/seed.ts';
import { devices, type KernelCall } from '../../laws/kernel-laws.ts';
import { fusionCases } from '../fusion-cases/index.ts';
import { composed, fused } from '../../laws/fusion-laws.ts';

const eps = 1e-5;

/** A batch [m, C] whose elements are a function of their place, with one γ and one β for all columns. */
function batch([m, C]: Shape, x: (i: number, c: number) => number, gamma = 1, beta = 0): KernelCall {
  const values = (size: number, value: (k: number) => number) =>
    Float64Array.from({ length: size }, (_, k) => value(k));
  return {
    inputs: [
      { shape: [m, C], data: values(m * C, (k) => x(Math.floor(k / C), k % C)) },
      { shape: [C], data: values(C, () => gamma) },
      { shape: [C], data: values(C, () => beta) },
    ],
    params: { eps },
  };
}

/** Normally distributed values. */
function normal(seed = 1): () => number {
  const stream = seededStream(seed);
  return () => stream.normal();
}

/** The largest |found − expected| / scale of all elements. */
function furthest(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: (at: number) => number,
): number {
  return Math.max(...Array.from(found, (value, at) => Math.abs(value - expected[at]) / scale(at)));
}

const sizes: Shape[] = [[2, 1], [3, 5], [17, 8], [33, 13], [64, 512], [300, 9], [1030, 3], [4096, 2], [32, 784]]; // prettier-ignore

describe.each(devices.filter(({ device }) => device.runFused !== undefined))('on $name', ({ device }) => {
  const forward = (call: KernelCall) => fused(fusionCases.batchnormForward, call, device).results;
  const reference = (call: KernelCall) => composed(fusionCases.batchnormForward, call).results;

  // The deviation is 3: around 2 no mean is subtracted, around 3 the means of some columns, around 5 all of them.
  describe.each([0, 2, -3, 5, 1e2, 1e4, 1e6, -1e6])('around %d', (offset) => {
    it.each(sizes.map((shape) => ({ shape })))(
      'y and the statistics agree with float64: $shape',
      ({ shape }) => {
        const draw = normal();
        const call = batch(shape, () => offset + 3 * draw());
        const [[y, mean, variance, rstd], [y64, mean64, variance64, rstd64]] = [
          forward(call),
          reference(call),
        ];
        expect(furthest(y, y64, (at) => 1 + Math.abs(y64[at]))).toBeLessThan(1e-6);
        expect(furthest(mean, mean64, () => 1 + Math.abs(offset) * 1e-9)).toBeLessThan(1e-6);
        expect(furthest(variance, variance64, (c) => variance64[c])).toBeLessThan(1e-6);
        expect(furthest(rstd, rstd64, (c) => rstd64[c])).toBeLessThan(1e-6);
      },
    );
  });

  it('for a constant column y is exactly β, the mean exactly its value, and the variance 0', () => {
    const constants = [0, 0.1, -0.3, 1 / 3, 1e6 + 0.1, 1e-20, -1e25, 3e38].map(Math.fround);
    for (const m of [2, 3, 7, 16, 17, 33, 300, 4096]) {
      const draw = normal();
      const x = (_: number, c: number) => (c % 2 === 0 ? draw() : constants[(c - 1) / 2]);
      const [y, mean, variance] = forward(batch([m, 2 * constants.length], x, 3.3, Math.fround(0.7)));
      constants.forEach((value, k) => {
        const c = 2 * k + 1;
        expect([mean[c], variance[c]]).toEqual([value, 0]);
        expect(new Set(y.filter((_, at) => at % (2 * constants.length) === c))).toEqual(
          new Set([Math.fround(0.7)]),
        );
      });
    }
  });

  it.each<[what: string, x: (draw: () => number, i: number) => number]>([
    ['values around 1e25', (draw) => 1e25 * draw()],
    ['positive values around 1e30', (draw) => 1e30 * (2 + Math.abs(draw()))],
    ['an outlier of 1e19 in the first row', (draw, i) => (i === 0 ? 1e19 : draw())],
    ['an outlier of −1e25 in a later row', (draw, i) => (i === 5 ? -1e25 : draw())],
    ['an outlier of 1e8 in the first row', (draw, i) => (i === 0 ? 1e8 : draw())],
    ['a single value that is not 0', (_, i) => (i === 3 ? 7 : 0)],
  ])('%s', (_what, x) => {
    for (const m of [6, 17, 300]) {
      const draw = normal();
      const call = batch([m, 5], (i) => x(draw, i));
      const [[y, mean, variance, rstd], [y64, mean64, variance64, rstd64]] = [forward(call), reference(call)];
      expect(furthest(y, y64, (at) => 1 + Math.abs(y64[at]))).toBeLessThan(2e-6);
      const deviation = variance64.map(Math.sqrt);
      expect(furthest(mean, mean64, (c) => deviation[c] + Math.abs(mean64[c]))).toBeLessThan(1e-6);
      expect(furthest(variance, variance64, (c) => variance64[c])).toBeLessThan(2e-6);
      expect(furthest(rstd, rstd64, (c) => rstd64[c])).toBeLessThan(2e-6);
    }
  });

  it.each([NaN, Infinity, -Infinity])('a %s affects only its own column, wherever it is', (special) => {
    const [m, C] = [19, 11];
    const clean = (draw: () => number) => (at: { i: number; c: number } | null) =>
      batch([m, C], (i, c) => {
        const value = draw();
        return at !== null && i === at.i && c === at.c ? special : value;
      });
    const [y, ...statistics] = forward(clean(normal())(null));
    for (const at of [
      { i: 0, c: 0 },
      { i: 7, c: 4 },
      { i: 18, c: 10 },
    ]) {
      const call = clean(normal())(at);
      const [spoilt, ...others] = forward(call);
      const [, ...expected] = reference(call);
      spoilt.forEach((value, k) => expect(value).toBe(k % C === at.c ? NaN : y[k]));
      others.forEach((values, k) => {
        values.forEach((value, c) => expect(value).toBe(c === at.c ? expected[k][c] : statistics[k][c]));
        expect(Number.isFinite(values[at.c])).toBe(false);
      });
    }
  });
});
