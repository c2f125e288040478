/** The fusions of batch normalization. */
import fc from 'fast-check';
import { colMean, colVariance, reciprocalStd } from '../../../kernels/batchnorm.ts';
import * as fusions from '../../../kernels/fused/index.ts';
import type { Params } from '../../../kernels/kernel.ts';
import { drawn, type Range, seeds } from '../cases/case.ts';
import { composer, elementwise, type FusionCases, type Held, held, overRows } from './case.ts';

/** The distributions from which batches are drawn. */
const batches: readonly Range[] = [
  {},
  { low: -3, high: 3, offset: 1.8 },
  { low: -3, high: 3, offset: 100 },
  { low: -3, high: 3, offset: -1e4 },
  { low: -3, high: 3, offset: 1e6 },
  { low: -1e-3, high: 1e-3 },
  { low: -1000, high: 1000 },
  { constantColumns: true },
];

/** Random m ≥ `rows` and C, one of which is n; a seed, and the distribution of the batch. */
const shaped = (n: number, turn: number, rows = 0) =>
  fc
    .record({
      other: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 33),
      range: fc.constantFrom(...batches),
      seed: seeds,
      eps: fc.constantFrom(1e-5, 1e-3, 0.5),
    })
    .map(({ other, ...rest }) => {
      const [m, C] = turn > 0 && n >= rows ? [n, other] : [other, n];
      return { m, C, ...rest };
    });

const vector = (C: number, seed: number, low = -2, high = 2) => drawn([C], seed, { low, high });

/** The statistics of float32 values in float64, as the forward pass returns them. Of no rows: mean 0, variance 0. */
export function statisticsOf(
  { shape, data }: Pick<Held, 'shape' | 'data'>,
  eps: number,
): Record<'mean' | 'variance' | 'rstd', Held> {
  const [m, C] = shape;
  const x = m === 0 ? held([1, C]) : held(shape, Float64Array.from(data, Math.fround));
  const mean = composer.run(colMean, [x]);
  const variance = composer.run(colVariance, [x, mean]);
  return { mean, variance, rstd: composer.run(reciprocalStd, [variance], { eps }) };
}

/** |x − mean| of each element. */
const distance = (x: Held, mean: Held) => (i: number, c: number) =>
  Math.abs(x.data[i * mean.data.length + c] - mean.data[c]);

/** |mean|·rstd where the mean is too near 0 to be subtracted, else 0. There xhat is a difference of terms of this size. */
export const unshifted = (mean: Held, rstd: Held, near: number): Float64Array =>
  mean.data.map((mu, c) => (Math.abs(mu) * rstd.data[c] <= near ? Math.abs(mu) * rstd.data[c] : 0));

/** The size of the terms of xhat, for each element. */
function termsOf(x: Held, mean: Held, rstd: Held) {
  const far = distance(x, mean);
  const near = unshifted(mean, rstd, 1);
  return (i: number, c: number) => far(i, c) * rstd.data[c] + near[c];
}

/** Σ |g·xhat| and Σ |g| over the rows. */
function sumsOf(g: Held, x: Held, mean: Held, rstd: Held) {
  const [, C] = x.shape;
  const xhat = termsOf(x, mean, rstd);
  const at = (i: number, c: number) => Math.abs(g.data[i * C + c]);
  return {
    dgamma: overRows(x.shape, (sum, i, c) => sum + at(i, c) * xhat(i, c)),
    dbeta: overRows(x.shape, (sum, i, c) => sum + at(i, c)),
  };
}

/** The size of the terms of y and of the mean. */
function forwardTerms(x: Held, gamma: Held, beta: Held, eps: number): Float64Array[] {
  const { mean, rstd } = statisticsOf(x, eps);
  const far = distance(x, mean);
  const spread = overRows(x.shape, (most, i, c) => Math.max(most, far(i, c)));
  const y = elementwise(
    x.shape,
    (_, c) => Math.abs(gamma.data[c]) * rstd.data[c] * spread[c] + Math.abs(beta.data[c]),
  );
  // The error of the mean is relative to the differences from it, and to the last bits of float64 at any offset.
  const near = spread.map((value, c) => value + 1e-9 * Math.abs(mean.data[c]));
  return [y, near];
}

/** The parameters of the update of the running statistics. */
const tracking = { alpha: fc.constantFrom(0, 0.1, 1 / 3, 1), correction: fc.constantFrom(1, 2, 32 / 31) };

const runningTerms = (running: Held, batch: Held, { alpha, correction }: Params): Float64Array =>
  running.data.map((value, c) => Math.abs(value) + alpha * correction * Math.abs(batch.data[c]));

export const batchnorms: Pick<
  FusionCases,
  | 'batchnormForward'
  | 'runningStatistics'
  | 'batchnormTraining'
  | 'batchnormSums'
  | 'batchnormBackward'
  | 'batchnormInference'
> = {
  batchnormForward: {
    fusion: fusions.batchnormForward,
    calls: (n, turn) =>
      shaped(n, turn, 1).map(({ m, C, range, seed, eps }) => ({
        inputs: [drawn([m, C], seed, range), vector(C, seed + 1), vector(C, seed + 2)],
        params: { eps },
      })),
    magnitudes: ([x, gamma, beta], { eps }) => [...forwardTerms(x, gamma, beta, eps), null, null],
  },
  runningStatistics: {
    fusion: fusions.runningStatistics,
    statistics: [2, 3],
    calls: (n) =>
      fc
        .record({ seed: seeds, offset: fc.constantFrom(0, 1e6), ...tracking })
        .map(({ seed, offset, ...params }) => {
          const batch = [drawn([n], seed + 2, { offset }), vector(n, seed + 3, 0, 4)];
          return { inputs: [vector(n, seed), vector(n, seed + 1, 0.1, 4), ...batch], params };
        }),
    magnitudes: ([runningMean, runningVar, mean, variance], params) => [
      runningTerms(runningMean, mean, params),
      runningTerms(runningVar, variance, params),
    ],
  },
  batchnormTraining: {
    fusion: fusions.batchnormTraining,
    calls: (n, turn) =>
      fc.tuple(shaped(n, turn, 1), fc.record(tracking)).map(([{ m, C, range, seed, eps }, params]) => ({
        inputs: [
          drawn([m, C], seed, range),
          vector(C, seed + 1),
          vector(C, seed + 2),
          vector(C, seed + 3),
          vector(C, seed + 4, 0.1, 4),
        ],
        params: { eps, ...params },
      })),
    magnitudes: ([x, gamma, beta, runningMean, runningVar], params) => {
      const { mean, variance } = statisticsOf(x, params.eps);
      const [y, ofMean] = forwardTerms(x, gamma, beta, params.eps);
      const means = held(
        mean.shape,
        ofMean.map((value, c) => value + Math.abs(mean.data[c])),
      );
      const moved = [runningTerms(runningMean, means, params), runningTerms(runningVar, variance, params)];
      return [y, ofMean, null, ...moved];
    },
  },
  batchnormSums: {
    fusion: fusions.batchnormSums,
    statistics: [2, 3],
    calls: (n, turn) =>
      shaped(n, turn).map(({ m, C, range, seed, eps }) => {
        const x = drawn([m, C], seed, range);
        const { mean, rstd } = statisticsOf(x, eps);
        return { inputs: [drawn([m, C], seed + 1), x, mean, rstd], params: {} };
      }),
    magnitudes: ([g, x, mean, rstd]) => {
      const { dgamma, dbeta } = sumsOf(g, x, mean, rstd);
      return [dgamma, dbeta];
    },
  },
  batchnormBackward: {
    fusion: fusions.batchnormBackward,
    statistics: [2, 3],
    calls: (n, turn) =>
      shaped(n, turn).map(({ m, C, range, seed, eps }) => {
        const x = drawn([m, C], seed, range);
        const { mean, rstd } = statisticsOf(x, eps);
        return { inputs: [drawn([m, C], seed + 4), x, mean, rstd, vector(C, seed + 1)], params: {} };
      }),
    magnitudes: ([g, x, mean, rstd, gamma]) => {
      const [m, C] = x.shape;
      const xhat = termsOf(x, mean, rstd);
      const { dgamma, dbeta } = sumsOf(g, x, mean, rstd);
      const dx = elementwise(x.shape, (i, c) => {
        const along = (xhat(i, c) * dgamma[c]) / m;
        return Math.abs(gamma.data[c] * rstd.data[c]) * (Math.abs(g.data[i * C + c]) + dbeta[c] / m + along);
      });
      return [dx, dgamma, dbeta];
    },
  },
  batchnormInference: {
    fusion: fusions.batchnormInference,
    calls: (n, turn) =>
      shaped(n, turn).map(({ m, C, range, seed, eps }) => {
        const x = drawn([m, C], seed, range);
        const { low = -2, high = 2, offset = 0 } = range;
        const mean = drawn([C], seed + 3, { low, high, offset });
        const inputs = [x, vector(C, seed + 1), vector(C, seed + 2), mean, vector(C, seed + 4, 0.1, 4)];
        return { inputs, params: { eps } };
      }),
    magnitudes: ([x, gamma, beta, mean, variance], { eps }) => {
      const scale = gamma.data.map((value, c) => value / Math.sqrt(variance.data[c] + eps));
      const far = distance(x, mean);
      const y = elementwise(x.shape, (i, c) => Math.abs(scale[c]) * far(i, c) + Math.abs(beta.data[c]));
      return [y, null, null];
    },
  },
};
