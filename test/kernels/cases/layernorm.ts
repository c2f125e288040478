/** Layer normalization: the formulas of batch normalization, with sums over the columns of each row. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { Shape } from '../../../kernels/kernel.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { drawn, type KernelCases, misfits, type Range, seeds, sum } from './case.ts';

/** The distributions from which batches are drawn. */
const batches: fc.Arbitrary<Range> = fc.constantFrom<Range>(
  {},
  { low: 3, high: 3 },
  { low: -1000, high: 1000 },
  { low: -1, high: 1, offset: 1e4 },
  { low: -1, high: 1, offset: -1e6 },
);

/** Matrices [m, C], then the given vectors. n is m or C, and C is at least 1. */
const matrices =
  (count: number, vectors: readonly ('m' | 'C')[], ranges: fc.Arbitrary<Range> = fc.constant({})) =>
  (n: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc.record({ other: fc.constantFrom(1, 2, 3, 4, 5, 7), range: ranges, seed: seeds }).map((draw) => {
      const [m, C] = turn > 0 && n > 0 ? [draw.other, n] : [n, draw.other];
      const matrix = (_: unknown, k: number) => drawn([m, C], draw.seed + k, draw.range);
      const vector = (axis: 'm' | 'C', k: number) =>
        drawn([axis === 'm' ? m : C], draw.seed + count + k, { low: 0.5, high: 2 });
      return { inputs: [...Array.from({ length: count }, matrix), ...vectors.map(vector)], params: {} };
    });

const columnsOf = ({ inputs: [{ shape }] }: KernelCall) => shape[1];

/** Shapes that are not a matrix with at least one column, followed by vectors that would fit. */
const notRows = (vectors: readonly Shape[] = []) =>
  misfits([[], ...vectors], [[3], ...vectors], [[2, 3, 4], ...vectors], [[3, 0], ...vectors]);

export const layerNorms: Pick<
  KernelCases,
  'rowMean' | 'rowVariance' | 'normalizeRows' | 'rowSum' | 'rowDot' | 'layernormDx'
> = {
  rowMean: {
    kernel: kernels.rowMean,
    calls: matrices(1, [], batches),
    at: ([i], [x], call) => sum(columnsOf(call), (c) => x(i, c)) / columnsOf(call),
    terms: ([i], [x], call) => sum(columnsOf(call), (c) => Math.abs(x(i, c) - x(i, 0))) / columnsOf(call),
    misfits: notRows(),
  },
  rowVariance: {
    kernel: kernels.rowVariance,
    calls: matrices(1, ['m'], batches),
    at: ([i], [x, mean], call) => sum(columnsOf(call), (c) => (x(i, c) - mean(i)) ** 2 / columnsOf(call)),
    misfits: [
      ...notRows([[3]]),
      ...misfits(
        [[2, 3], [3]],
        [
          [2, 3],
          [2, 1],
        ],
      ),
    ],
  },
  normalizeRows: {
    kernel: kernels.normalizeRows,
    calls: matrices(1, ['m', 'm'], batches),
    at: ([i, c], [x, mean, rstd]) => rstd(i) * x(i, c) - rstd(i) * mean(i),
    misfits: misfits([[2, 3], [2], [3]], [[2, 3], [3], [2]], [[3], [3], [3]]),
  },
  rowSum: {
    kernel: kernels.rowSum,
    calls: matrices(1, ['C']),
    at: ([i], [g, gamma], call) => sum(columnsOf(call), (c) => gamma(c) * g(i, c)),
    terms: ([i], [g, gamma], call) => sum(columnsOf(call), (c) => Math.abs(gamma(c) * g(i, c))),
    misfits: misfits([[2, 3], [2]], [[3], [3]], [[2, 0], [0]]),
  },
  rowDot: {
    kernel: kernels.rowDot,
    calls: matrices(2, ['C']),
    at: ([i], [g, xhat, gamma], call) => sum(columnsOf(call), (c) => xhat(i, c) * gamma(c) * g(i, c)),
    terms: ([i], [g, xhat, gamma], call) =>
      sum(columnsOf(call), (c) => Math.abs(xhat(i, c) * gamma(c) * g(i, c))),
    misfits: misfits([[2, 3], [3, 2], [3]], [[2, 3], [2, 3], [2]], [[3], [3], [3]]),
  },
  layernormDx: {
    kernel: kernels.layernormDx,
    calls: matrices(2, ['C', 'm', 'm', 'm']),
    // rstd times (C·g·gamma − sum − xhat·dot), over C.
    at: ([i, c], [g, xhat, gamma, rstd, dot, sum], call) => {
      const C = columnsOf(call);
      return (rstd(i) * (C * g(i, c) * gamma(c) - sum(i) - xhat(i, c) * dot(i))) / C;
    },
    terms: ([i, c], [g, xhat, gamma, rstd, dot, sum], call) => {
      const C = columnsOf(call);
      const terms = C * Math.abs(g(i, c) * gamma(c)) + Math.abs(sum(i)) + Math.abs(xhat(i, c) * dot(i));
      return (Math.abs(rstd(i)) * terms) / C;
    },
    misfits: misfits(
      [[2, 3], [3, 2], [3], [2], [2], [2]],
      [[2, 3], [2, 3], [2], [2], [2], [2]],
      [[2, 3], [2, 3], [3], [3], [2], [2]],
      [[2, 3], [2, 3], [3], [2], [2], [3]],
      [[3], [3], [3], [3], [3], [3]],
    ),
  },
};
