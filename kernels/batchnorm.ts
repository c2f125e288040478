/**
 * Batch normalization (Ioffe & Szegedy 2015). It treats every feature, a column of the batch, on its own.
 *
 * First the whole computation for ONE column of m values: each line is an equation of the paper, and the last
 * line is the form in which dx is computed everywhere else. Then the same equations as kernels on a matrix
 * x [m, C], one kernel per equation: i names a row (an example), c a column (a feature).
 *
 * `batchnorm.md` derives the backward pass line by line.
 */
import { expectColumns, perColumn, rowwise } from './families.ts';
import type { Definition, Kernel, Loops } from './kernel.ts';
import { expectSameShape } from './shape.ts';

// ── one column ─────────────────────────────────────────────────────────────────────────────────────────

/** A column after the forward pass. */
export interface BatchnormColumn {
  readonly y: Float64Array;
  readonly mean: number;
  readonly variance: number;
  readonly rstd: number;
  readonly xhat: Float64Array;
}

/** The gradients of a column; `dxByPaper` is dx from equations (1) to (4), `dx` the same in three terms. */
export interface BatchnormColumnGradients {
  readonly dx: Float64Array;
  readonly dxByPaper: Float64Array;
  readonly dgamma: number;
  readonly dbeta: number;
}

// #region column
/** Forward (Algorithm 1): y = gamma·xhat + beta, where xhat is x with mean 0 and variance 1. */
export function batchnormColumn(x: Float64Array, gamma: number, beta: number, eps: number): BatchnormColumn {
  const m = x.length;
  const [xhat, y] = [new Float64Array(m), new Float64Array(m)];
  let [mean, variance] = [0, 0];
  for (let i = 0; i < m; i++) mean += x[i] / m;
  for (let i = 0; i < m; i++) variance += (x[i] - mean) ** 2 / m;
  const rstd = 1 / Math.sqrt(variance + eps);
  for (let i = 0; i < m; i++) xhat[i] = (x[i] - mean) * rstd;
  for (let i = 0; i < m; i++) y[i] = gamma * xhat[i] + beta;
  return { y, mean, variance, rstd, xhat };
}

/** Backward (section 3): g[i] = ∂loss/∂y[i] comes in. The forward pass kept x, mean and rstd. */
export function batchnormColumnBackward(
  g: Float64Array,
  x: Float64Array,
  { mean, rstd }: Pick<BatchnormColumn, 'mean' | 'rstd'>,
  gamma: number,
): BatchnormColumnGradients {
  const m = x.length;
  const [dxhat, dxByPaper, dx] = [new Float64Array(m), new Float64Array(m), new Float64Array(m)];
  let [dvariance, dmean, dgamma, dbeta] = [0, 0, 0, 0];
  const d = x.map((xi) => xi - mean);
  const xhat = d.map((di) => di * rstd); // computed again: cheaper than keeping it
  for (let i = 0; i < m; i++) dxhat[i] = g[i] * gamma; //                                                  (1)
  for (let i = 0; i < m; i++) dvariance += dxhat[i] * d[i] * (-1 / 2) * rstd ** 3; //                      (2)
  for (let i = 0; i < m; i++) dmean += dxhat[i] * -rstd + (dvariance * -2 * d[i]) / m; //                  (3)
  for (let i = 0; i < m; i++) dxByPaper[i] = dxhat[i] * rstd + (dvariance * 2 * d[i]) / m + dmean / m; //  (4)
  for (let i = 0; i < m; i++) dgamma += g[i] * xhat[i]; //                                                 (5)
  for (let i = 0; i < m; i++) dbeta += g[i]; //                                                            (6)
  // (1) to (4) put into one another: the three-term form, which is what the kernels compute.
  for (let i = 0; i < m; i++) dx[i] = gamma * rstd * (g[i] - dbeta / m - (xhat[i] * dgamma) / m);
  return { dx, dxByPaper, dgamma, dbeta };
}
// #endregion column

// ── statistics of the batch (Algorithm 1) ──────────────────────────────────────────────────────────────

/**
 * mean[c] = (1/m) Σᵢ x[i,c], computed as x[0,c] + (1/m) Σᵢ (x[i,c] − x[0,c]): the same number, but exact
 * for a constant column. x [m, C] → [C].
 */
export const colMean: Kernel = statistic({ name: 'colMean', inputs: ['x'] }, (mean, [x], [m, C]) => {
  for (let c = 0; c < C; c++) {
    let sum = 0;
    for (let i = 0; i < m; i++) sum += x[i * C + c] - x[c];
    mean[c] = x[c] + sum / m;
  }
});

/** variance[c] = (1/m) Σᵢ (x[i,c] − mean[c])², biased. x [m, C], mean [C] → [C]. */
export const colVariance: Kernel = statistic(
  { name: 'colVariance', inputs: ['x', 'mean'] },
  (variance, [x, mean], [m, C]) => {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let i = 0; i < m; i++) sum += (x[i * C + c] - mean[c]) ** 2;
      variance[c] = sum / m;
    }
  },
);

/** A mean or variance per column: x [m, C] and vectors [C] → [C], in float64 where the device has it. */
function statistic(definition: Definition, reference: Loops): Kernel {
  const { name, inputs } = definition;
  return {
    ...definition,
    statistic: true,
    shape: ([x, ...vectors]) => expectColumns(name, x, vectors, 1),
    sizes: ([x]) => x,
    reference,
    cost: ([m, C]) => ({ flops: (inputs.length + 1) * m * C, bytes: 4 * m * C }),
  };
}

/** rstd[c] = 1/√(variance[c] + ε), the reciprocal standard deviation. [C] → [C]. */
export const reciprocalStd: Kernel<{ eps: number }> = perColumn(
  { name: 'reciprocalStd', inputs: ['variance'], params: ['eps'], statistic: true },
  (rstd, [variance], [C], { eps }) => {
    for (let c = 0; c < C; c++) rstd[c] = 1 / Math.sqrt(variance[c] + eps);
  },
);

// ── forward (Algorithm 1) ──────────────────────────────────────────────────────────────────────────────

/** xhat[i,c] = (x[i,c] − mean[c])·rstd[c]. x [m, C], mean [C], rstd [C] → [m, C]. */
export const normalize: Kernel = rowwise(
  { name: 'normalize', inputs: ['x', 'mean', 'rstd'] },
  (xhat, [x, mean, rstd], [m, C]) => {
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < C; c++) xhat[i * C + c] = (x[i * C + c] - mean[c]) * rstd[c];
    }
  },
);

/** y[i,c] = gamma[c]·xhat[i,c] + beta[c]. xhat [m, C], gamma [C], beta [C] → [m, C]. */
export const scaleShift: Kernel = rowwise(
  { name: 'scaleShift', inputs: ['xhat', 'gamma', 'beta'] },
  (y, [xhat, gamma, beta], [m, C]) => {
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < C; c++) y[i * C + c] = gamma[c] * xhat[i * C + c] + beta[c];
    }
  },
);

// ── backward (section 3); dgamma and dbeta are `colDot` and `colSum`, in reduce.ts ─────────────────────

/**
 * dx[i,c] = gamma[c]·rstd[c]·(g[i,c] − dbeta[c]/m − xhat[i,c]·dgamma[c]/m).
 *
 * Subtract from the gradient its mean over the batch and its part along xhat: what is left cannot change the
 * mean or the variance of the batch. g, xhat [m, C], the others [C] → [m, C].
 */
export const batchnormDx: Kernel = {
  name: 'batchnormDx',
  inputs: ['g', 'xhat', 'gamma', 'rstd', 'dgamma', 'dbeta'],
  shape: ([g, xhat, ...vectors]) => {
    expectColumns('batchnormDx', expectSameShape('batchnormDx', [g, xhat]), vectors);
    return g;
  },
  sizes: ([g]) => g,
  reference: (dx, [g, xhat, gamma, rstd, dgamma, dbeta], [m, C]) => {
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < C; c++) {
        const remaining = g[i * C + c] - dbeta[c] / m - (xhat[i * C + c] * dgamma[c]) / m;
        dx[i * C + c] = gamma[c] * rstd[c] * remaining;
      }
    }
  },
  cost: ([m, C]) => ({ flops: 7 * m * C, bytes: 12 * m * C }),
};

// ── running statistics and inference (Algorithm 2) ─────────────────────────────────────────────────────

/**
 * E ← (1−α)·E + α·correction·batch. The correction is m/(m−1) for an unbiased variance, else 1.
 * running [C], batch [C] → [C].
 */
export const runningAverage: Kernel<{ alpha: number; correction: number }> = perColumn(
  { name: 'runningAverage', inputs: ['running', 'batch'], params: ['alpha', 'correction'], inPlace: true },
  (y, [running, batch], [C], { alpha, correction }) => {
    for (let c = 0; c < C; c++) y[c] = (1 - alpha) * running[c] + alpha * (correction * batch[c]);
  },
);

/** scale[c] = gamma[c]·rstd[c], so that y = scale·x + shift at inference. [C], [C] → [C]. */
export const foldedScale: Kernel = perColumn(
  { name: 'foldedScale', inputs: ['gamma', 'rstd'], statistic: true },
  (scale, [gamma, rstd], [C]) => {
    for (let c = 0; c < C; c++) scale[c] = gamma[c] * rstd[c];
  },
);

/** shift[c] = beta[c] − scale[c]·mean[c]. [C], [C], [C] → [C]. */
export const foldedShift: Kernel = perColumn(
  { name: 'foldedShift', inputs: ['beta', 'scale', 'mean'], statistic: true },
  (shift, [beta, scale, mean], [C]) => {
    for (let c = 0; c < C; c++) shift[c] = beta[c] - scale[c] * mean[c];
  },
);
