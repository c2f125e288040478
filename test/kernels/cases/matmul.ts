/** Matrix products, from their formulas. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { Shape } from '../../../kernels/kernel.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { drawn, type KernelCases, misfits, seeds, shapesWith, sum } from './case.ts';

/** Operands for m, k and n; one of the three is the extent that is asked for. */
const operands =
  (shapes: (m: number, k: number, n: number) => [a: Shape, b: Shape]) =>
  (extent: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc.tuple(shapesWith(extent, 3, turn), seeds).map(([[m, k, n], seed]) => ({
      inputs: shapes(m, k, n).map((shape, operand) => drawn(shape, seed + operand)),
      params: {},
    }));

/** Shapes of the wrong rank, or whose inner extents differ, whichever axes are summed over. */
const refused = misfits(
  [[2, 3], [3]],
  [[3], [3, 2]],
  [[], []],
  [
    [2, 3, 4],
    [4, 2],
  ],
  [
    [2, 3],
    [4, 5],
  ],
);

export const products: Pick<KernelCases, 'matmul' | 'matmulTransposedB' | 'matmulTransposedA'> = {
  matmul: {
    kernel: kernels.matmul,
    calls: operands((m, k, n) => [
      [m, k],
      [k, n],
    ]),
    at: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[1], (p) => a(i, p) * b(p, j)),
    magnitude: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[1], (p) => Math.abs(a(i, p) * b(p, j))),
    misfits: refused,
  },
  matmulTransposedB: {
    kernel: kernels.matmulTransposedB,
    calls: operands((m, k, n) => [
      [m, k],
      [n, k],
    ]),
    at: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[1], (p) => a(i, p) * b(j, p)),
    magnitude: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[1], (p) => Math.abs(a(i, p) * b(j, p))),
    misfits: refused,
  },
  matmulTransposedA: {
    kernel: kernels.matmulTransposedA,
    calls: operands((m, k, n) => [
      [k, m],
      [k, n],
    ]),
    at: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[0], (p) => a(p, i) * b(p, j)),
    magnitude: ([i, j], [a, b], { inputs: [{ shape }] }) => sum(shape[0], (p) => Math.abs(a(p, i) * b(p, j))),
    misfits: refused,
  },
};
