/** Layer and group normalization: the formulas of batch normalization, with sums over the columns of a group of a row. */
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

/** Matrices [m, C], then the given vectors: [m·groups] or [C]. n is m or the columns of a group, of which there is one at least. */
const matrices =
  (count: number, vectors: readonly ('m' | 'C')[], ranges: fc.Arbitrary<Range> = fc.constant({})) =>
  (n: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc
      .record({
        other: fc.constantFrom(1, 2, 3, 4, 5, 7),
        groups: fc.constantFrom(1, 1, 2, 3),
        range: ranges,
        seed: seeds,
      })
      .map(({ other, groups, range, seed }) => {
        const [m, size] = turn > 0 && n > 0 ? [other, n] : [n, other];
        const C = size * groups;
        const matrix = (_: unknown, k: number) => drawn([m, C], seed + k, range);
        const vector = (axis: 'm' | 'C', k: number) =>
          drawn([axis === 'm' ? m * groups : C], seed + count + k, { low: 0.5, high: 2 });
        return {
          inputs: [...Array.from({ length: count }, matrix), ...vectors.map(vector)],
          params: { groups },
        };
      });

/** The columns of a group. */
const sizeOf = ({ inputs: [{ shape }], params }: KernelCall) => shape[1] / params.groups;
/** The row and the columns of statistic r. */
const groupOf = (r: number, call: KernelCall): [i: number, columns: readonly number[]] => {
  const { groups } = call.params;
  const size = sizeOf(call);
  return [Math.floor(r / groups), Array.from({ length: size }, (_, k) => (r % groups) * size + k)];
};
/** The statistic of an element. */
const statisticOf = (i: number, c: number, call: KernelCall) =>
  i * call.params.groups + Math.floor(c / sizeOf(call));
/** The sum over the columns of the group of statistic r. */
const sumOver = (r: number, call: KernelCall, term: (i: number, c: number) => number) => {
  const [i, columns] = groupOf(r, call);
  return sum(columns.length, (k) => term(i, columns[k]));
};

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
    at: ([r], [x], call) => sumOver(r, call, x) / sizeOf(call),
    terms: ([r], [x], call) => {
      const first = groupOf(r, call)[1][0];
      return sumOver(r, call, (i, c) => Math.abs(x(i, c) - x(i, first))) / sizeOf(call);
    },
    misfits: notRows(),
  },
  rowVariance: {
    kernel: kernels.rowVariance,
    calls: matrices(1, ['m'], batches),
    at: ([r], [x, mean], call) => sumOver(r, call, (i, c) => (x(i, c) - mean(r)) ** 2 / sizeOf(call)),
    misfits: [
      ...notRows([[3]]),
      ...misfits([[2, 3], [3]], [[2, 3], [2, 1]]), // prettier-ignore
      { shapes: [[2, 6], [2]], params: { groups: 3 } },
      { shapes: [[2, 6], [8]], params: { groups: 4 } },
    ],
  },
  normalizeRows: {
    kernel: kernels.normalizeRows,
    calls: matrices(1, ['m', 'm'], batches),
    at: ([i, c], [x, mean, rstd], call) => {
      const r = statisticOf(i, c, call);
      return rstd(r) * x(i, c) - rstd(r) * mean(r);
    },
    misfits: misfits([[2, 3], [2], [3]], [[2, 3], [3], [2]], [[3], [3], [3]]),
  },
  rowSum: {
    kernel: kernels.rowSum,
    calls: matrices(1, ['C']),
    at: ([r], [g, gamma], call) => sumOver(r, call, (i, c) => gamma(c) * g(i, c)),
    terms: ([r], [g, gamma], call) => sumOver(r, call, (i, c) => Math.abs(gamma(c) * g(i, c))),
    misfits: misfits([[2, 3], [2]], [[3], [3]], [[2, 0], [0]]),
  },
  rowDot: {
    kernel: kernels.rowDot,
    calls: matrices(2, ['C']),
    at: ([r], [g, xhat, gamma], call) => sumOver(r, call, (i, c) => xhat(i, c) * gamma(c) * g(i, c)),
    terms: ([r], [g, xhat, gamma], call) =>
      sumOver(r, call, (i, c) => Math.abs(xhat(i, c) * gamma(c) * g(i, c))),
    misfits: misfits([[2, 3], [3, 2], [3]], [[2, 3], [2, 3], [2]], [[3], [3], [3]]),
  },
  layernormDx: {
    kernel: kernels.layernormDx,
    calls: matrices(2, ['C', 'm', 'm', 'm']),
    // rstd times (n·g·gamma − sum − xhat·dot), over n, where n is the number of columns of a group.
    at: ([i, c], [g, xhat, gamma, rstd, dot, sum], call) => {
      const [n, r] = [sizeOf(call), statisticOf(i, c, call)];
      return (rstd(r) * (n * g(i, c) * gamma(c) - sum(r) - xhat(i, c) * dot(r))) / n;
    },
    terms: ([i, c], [g, xhat, gamma, rstd, dot, sum], call) => {
      const [n, r] = [sizeOf(call), statisticOf(i, c, call)];
      const terms = n * Math.abs(g(i, c) * gamma(c)) + Math.abs(sum(r)) + Math.abs(xhat(i, c) * dot(r));
      return (Math.abs(rstd(r)) * terms) / n;
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
