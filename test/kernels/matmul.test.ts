/** Matrix products at the sizes and values that go wrong first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { devices } from '../laws.ts';
import { computeOn } from './compute.ts';

const zeros = (m: number, n: number) => ({ shape: [m, n], data: Array<number>(m * n).fill(0) });
const counted = (m: number, n: number) => ({
  shape: [m, n],
  data: Array.from({ length: m * n }, (_, i) => i + 1),
});

describe.each(devices)('on $name', (on) => {
  const compute = computeOn(on);
  const transposed = async (x: ReturnType<typeof counted>) => ({
    shape: x.shape.toReversed(),
    data: await compute(kernels.transpose, [x]),
  });

  it('the sum over nothing is 0, in all three forms', async () => {
    expect(await compute(kernels.matmul, [zeros(2, 0), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await compute(kernels.matmulTransposedB, [zeros(2, 0), zeros(3, 0)])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await compute(kernels.matmulTransposedA, [zeros(0, 2), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('no rows or no columns give nothing', async () => {
    expect(await compute(kernels.matmul, [zeros(0, 2), zeros(2, 3)])).toEqual([]);
    expect(await compute(kernels.matmul, [zeros(2, 2), zeros(2, 0)])).toEqual([]);
  });

  it('is right for a product by hand', async () => {
    expect(await compute(kernels.matmul, [counted(2, 3), counted(3, 2)])).toEqual([22, 28, 49, 64]);
  });

  it('multiplies by the identity without a rounding', async () => {
    const eye = { shape: [3, 3], data: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
    const x = { shape: [2, 3], data: [0.125, 0.25, 0.375, -1e30, 1e-30, 7].map(Math.fround) };
    expect(await compute(kernels.matmul, [x, eye])).toEqual(x.data);
  });

  it('sums more than 1,000 terms', async () => {
    for (const k of [1000, 1001, 1030, 3072]) {
      const [row, column] = [
        { shape: [1, k], data: Array<number>(k).fill(1) },
        { shape: [k, 1], data: Array<number>(k).fill(1) },
      ];
      expect(await compute(kernels.matmul, [row, column])).toEqual([k]);
    }
  });

  it('is right where rows, terms and columns are all more than a block, and not whole tiles', async () => {
    const [m, k, n] = [137, 401, 523];
    const a = { shape: [m, k], data: Array.from({ length: m * k }, (_, i) => ((i * 7) % 9) - 4) };
    const b = { shape: [k, n], data: Array.from({ length: k * n }, (_, i) => ((i * 5) % 11) - 5) };
    const exact = Array<number>(m * n).fill(0); // whole numbers: float32 sums them without a rounding
    for (let i = 0; i < m; i++) {
      for (let p = 0; p < k; p++) {
        for (let j = 0; j < n; j++) exact[i * n + j] += a.data[i * k + p] * b.data[p * n + j];
      }
    }
    const [at, bt] = await Promise.all([a, b].map(transposed));
    expect(await compute(kernels.matmul, [a, b])).toEqual(exact.map((value) => value + 0));
    expect(await compute(kernels.matmulTransposedB, [a, bt])).toEqual(await compute(kernels.matmul, [a, b]));
    expect(await compute(kernels.matmulTransposedA, [at, b])).toEqual(await compute(kernels.matmul, [a, b]));
  });

  it('keeps NaN and infinity, also where they meet a zero', async () => {
    const b = { shape: [2, 2], data: [0, 1, 0, 0] };
    expect(await compute(kernels.matmul, [{ shape: [1, 2], data: [NaN, 0] }, b])).toEqual([NaN, NaN]);
    expect(await compute(kernels.matmul, [{ shape: [1, 2], data: [Infinity, 0] }, b])).toEqual([
      NaN,
      Infinity,
    ]);
  });

  it('gives the same in all three forms, for operands that are transposed', async () => {
    const sizes = fc.integer({ min: 0, max: 9 });
    await fc.assert(
      fc.asyncProperty(sizes, sizes, sizes, async (m, k, n) => {
        const [a, b] = [counted(m, k), counted(k, n)];
        const [at, bt] = await Promise.all([a, b].map(transposed));
        const y = await compute(kernels.matmul, [a, b]);
        expect(await compute(kernels.matmulTransposedB, [a, bt])).toEqual(y);
        expect(await compute(kernels.matmulTransposedA, [at, b])).toEqual(y);
      }),
    );
  });
});
