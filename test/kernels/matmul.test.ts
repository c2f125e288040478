/** Matrix products at the sizes and values that go wrong first. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { compute } from './compute.ts';

const zeros = (m: number, n: number) => ({ shape: [m, n], data: Array<number>(m * n).fill(0) });
const counted = (m: number, n: number) => ({
  shape: [m, n],
  data: Array.from({ length: m * n }, (_, i) => i + 1),
});

it('the sum over nothing is 0, in all three forms', () => {
  expect(compute(kernels.matmul, [zeros(2, 0), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
  expect(compute(kernels.matmulTransposedB, [zeros(2, 0), zeros(3, 0)])).toEqual([0, 0, 0, 0, 0, 0]);
  expect(compute(kernels.matmulTransposedA, [zeros(0, 2), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
});

it('no rows or no columns give nothing', () => {
  expect(compute(kernels.matmul, [zeros(0, 2), zeros(2, 3)])).toEqual([]);
  expect(compute(kernels.matmul, [zeros(2, 2), zeros(2, 0)])).toEqual([]);
});

it('is right for a product by hand', () => {
  expect(compute(kernels.matmul, [counted(2, 3), counted(3, 2)])).toEqual([22, 28, 49, 64]);
});

it('multiplies by the identity without a rounding', () => {
  const eye = { shape: [3, 3], data: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
  const x = { shape: [2, 3], data: [0.1, 0.2, 0.3, -1e300, 1e-300, 7] };
  expect(compute(kernels.matmul, [x, eye])).toEqual(x.data);
});

it('sums more than 1,000 terms', () => {
  for (const k of [1000, 1001, 1030, 3072]) {
    const [row, column] = [
      { shape: [1, k], data: Array<number>(k).fill(1) },
      { shape: [k, 1], data: Array<number>(k).fill(1) },
    ];
    expect(compute(kernels.matmul, [row, column], { dtype: 'float32' })).toEqual([k]);
  }
});

it('keeps NaN and infinity, also where they meet a zero', () => {
  const b = { shape: [2, 2], data: [0, 1, 0, 0] };
  expect(compute(kernels.matmul, [{ shape: [1, 2], data: [NaN, 0] }, b])).toEqual([NaN, NaN]);
  expect(compute(kernels.matmul, [{ shape: [1, 2], data: [Infinity, 0] }, b])).toEqual([NaN, Infinity]);
});

it('gives the same in all three forms, for operands that are transposed', () => {
  const sizes = fc.integer({ min: 0, max: 9 });
  fc.assert(
    fc.property(sizes, sizes, sizes, (m, k, n) => {
      const [a, b] = [counted(m, k), counted(k, n)];
      const [at, bt] = [a, b].map((x) => ({
        shape: x.shape.toReversed(),
        data: compute(kernels.transpose, [x]),
      }));
      const y = compute(kernels.matmul, [a, b]);
      expect(compute(kernels.matmulTransposedB, [a, bt])).toEqual(y);
      expect(compute(kernels.matmulTransposedA, [at, b])).toEqual(y);
    }),
  );
});
