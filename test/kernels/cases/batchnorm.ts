/** Batch normalization, from the formulas of the paper. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { Kernel, Params, Shape } from '../../../kernels/kernel.ts';
import type { KernelCall, KernelCase } from '../../laws/kernel-laws.ts';
import { drawn, type KernelCases, misfits, type Range, seeds, sum } from './case.ts';

/** The distributions from which batches are drawn. */
const columns: fc.Arbitrary<Range> = fc.constantFrom<Range>(
  {},
  { constantColumns: true },
  { low: -1000, high: 1000 },
  { low: -1, high: 1, offset: 1e4 },
  { low: -1, high: 1, offset: -1e6 },
);

/** Matrices [m, C], then vectors [C]. n is m or C, and m is at least `rows`. */
const matrices =
  (count: number, vectors: number, ranges: fc.Arbitrary<Range> = fc.constant({}), rows = 0) =>
  (n: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc
      .record({
        other: fc.constantFrom(1, 2, 3, 4, 5, 7),
        range: ranges,
        seed: seeds,
      })
      .map(({ other, range, seed }) => {
        const [m, C] = turn > 0 && n >= rows ? [n, other] : [other, n];
        const matrix = (k: number) => drawn([m, C], seed + k, range);
        const vector = (k: number) => drawn([C], seed + count + k, { low: 0.5, high: 2 });
        return {
          inputs: [
            ...Array.from({ length: count }, (_, k) => matrix(k)),
            ...Array.from({ length: vectors }, (_, k) => vector(k)),
          ],
          params: {},
        };
      });

const rowsOf = ({ inputs: [{ shape }] }: KernelCall) => shape[0];

/** Shapes that are not a matrix. */
const noColumns = misfits([[]], [[3]], [[2, 3, 4]]);
const notOneShape = misfits(
  [
    [2, 3],
    [3, 2],
  ],
  [[6], [6]],
);
/** Shapes whose last two are not one value per column. */
const notPerColumn = misfits(
  [[2, 3], [2], [3]],
  [[2, 3], [3], [2]],
  [
    [2, 3],
    [3, 1],
    [3, 1],
  ],
  [[3], [3], [3]],
);

/** Vectors of equal length: one value per column in, one out. */
const perColumn = (
  kernel: Kernel,
  formula: (values: readonly number[], params: Params) => number,
  params: fc.Arbitrary<Params> = fc.constant({}),
): KernelCase => {
  const count = kernel.inputs.length;
  const all = (shape: Shape) => Array.from({ length: count }, () => shape);
  return {
    kernel,
    calls: (n) =>
      fc.tuple(seeds, params).map(([seed, chosen]) => ({
        inputs: all([n]).map((shape, k) => drawn(shape, seed + k, { low: 0, high: 4 })),
        params: chosen,
      })),
    at: ([c], inputs, call) =>
      formula(
        inputs.map((input) => input(c)),
        call.params,
      ),
    misfits: [...misfits(all([]), all([2, 3])), ...(count > 1 ? misfits(all([3]).with(-1, [2])) : [])],
  };
};

/** Algorithm 1: the statistics of the batch, and y. */
export const forward: Pick<
  KernelCases,
  'colMean' | 'colVariance' | 'reciprocalStd' | 'normalize' | 'scaleShift'
> = {
  colMean: {
    kernel: kernels.colMean,
    calls: matrices(1, 0, columns, 1),
    at: ([c], [x], call) => sum(rowsOf(call), (i) => x(i, c)) / rowsOf(call),
    terms: ([c], [x], call) => sum(rowsOf(call), (i) => Math.abs(x(i, c) - x(0, c))) / rowsOf(call),
    misfits: [...noColumns, ...misfits([[0, 3]])],
  },
  colVariance: {
    kernel: kernels.colVariance,
    calls: matrices(1, 1, columns, 1),
    at: ([c], [x, mean], call) => sum(rowsOf(call), (i) => (x(i, c) - mean(c)) ** 2 / rowsOf(call)),
    misfits: misfits(
      [[2, 3], [2]],
      [
        [2, 3],
        [3, 1],
      ],
      [[3], [3]],
      [[0, 3], [3]],
    ),
  },
  reciprocalStd: perColumn(
    kernels.reciprocalStd,
    ([variance], { eps }) => (variance + eps) ** -0.5,
    fc.constantFrom(1e-5, 1e-3, 1).map((eps) => ({ eps })),
  ),
  normalize: {
    kernel: kernels.normalize,
    calls: matrices(1, 2, columns),
    at: ([i, c], [x, mean, rstd]) => rstd(c) * x(i, c) - rstd(c) * mean(c),
    misfits: notPerColumn,
  },
  scaleShift: {
    kernel: kernels.scaleShift,
    calls: matrices(1, 2),
    at: ([i, c], [xhat, gamma, beta]) => beta(c) + xhat(i, c) * gamma(c),
    terms: ([i, c], [xhat, gamma, beta]) => Math.abs(beta(c)) + Math.abs(xhat(i, c) * gamma(c)),
    misfits: notPerColumn,
  },
};

/** Algorithm 2: running statistics and inference. */
export const inference: Pick<KernelCases, 'runningAverage' | 'foldedScale' | 'foldedShift'> = {
  runningAverage: perColumn(
    kernels.runningAverage,
    ([running, batch], { alpha, correction }) => running - alpha * running + alpha * correction * batch,
    fc.record({ alpha: fc.constantFrom(0, 0.1, 1), correction: fc.constantFrom(1, 2, 32 / 31) }),
  ),
  foldedScale: perColumn(kernels.foldedScale, ([gamma, rstd]) => rstd * gamma),
  foldedShift: {
    ...perColumn(kernels.foldedShift, ([beta, scale, mean]) => beta - mean * scale),
    terms: ([c], [beta, scale, mean]) => Math.abs(beta(c)) + Math.abs(mean(c) * scale(c)),
  },
};

/** The backward pass (section 3 of the paper). */
export const backward: Pick<KernelCases, 'colSum' | 'colDot' | 'batchnormDx'> = {
  colSum: {
    kernel: kernels.colSum,
    calls: matrices(1, 0, columns),
    at: ([c], [g], call) => sum(rowsOf(call), (i) => g(i, c)),
    terms: ([c], [g], call) => sum(rowsOf(call), (i) => Math.abs(g(i, c))),
    misfits: noColumns,
  },
  colDot: {
    kernel: kernels.colDot,
    calls: matrices(2, 0),
    at: ([c], [g, xhat], call) => sum(rowsOf(call), (i) => g(i, c) * xhat(i, c)),
    terms: ([c], [g, xhat], call) => sum(rowsOf(call), (i) => Math.abs(g(i, c) * xhat(i, c))),
    misfits: notOneShape,
  },
  batchnormDx: {
    kernel: kernels.batchnormDx,
    calls: matrices(2, 4),
    // m·rstd·gamma times (m·g − dbeta − xhat·dgamma), over m².
    at: ([i, c], [g, xhat, gamma, rstd, dgamma, dbeta], call) => {
      const m = rowsOf(call);
      return (gamma(c) * rstd(c) * (m * g(i, c) - dbeta(c) - xhat(i, c) * dgamma(c))) / m;
    },
    terms: ([i, c], [g, xhat, gamma, rstd, dgamma, dbeta], call) => {
      const m = rowsOf(call);
      const terms = m * Math.abs(g(i, c)) + Math.abs(dbeta(c)) + Math.abs(xhat(i, c) * dgamma(c));
      return Math.abs(gamma(c) * rstd(c) * terms) / m;
    },
    misfits: misfits(
      [[2, 3], [3, 2], [3], [3], [3], [3]],
      [[2, 3], [2, 3], [2], [3], [3], [3]],
      [[2, 3], [2, 3], [3], [3], [3], [1, 3]],
      [[3], [3], [3], [3], [3], [3]],
    ),
  },
};
