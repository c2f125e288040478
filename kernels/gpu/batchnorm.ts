/**
 * The GPU forms of `../batchnorm.ts`, one per equation, under the name of the kernel. x is [m, C], with rows i and
 * columns c. Sums over the rows run in blocks of 64, for accuracy in float32.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** Thread c loops over the m rows of column c. */
const ofColumns = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([, C]) => [C], thread });

/** Thread c computes the value of column c, without a loop. */
const perColumn = (thread: Thread): GpuForm => ({ sizes: ['C'], threads: ([C]) => [C], thread });

/** Thread [i, c] computes one element, without a loop. */
const perElement = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([m, C]) => [C, m], thread });

// ── statistics of the batch ────────────────────────────────────────────────────────────────────────────

/** `colMean`, mean[c] = x[0,c] + (1/m) Σᵢ (x[i,c] − x[0,c]): thread c sums its column in blocks of 64 rows. */
export const colMean: GpuForm = ofColumns(function (this: GpuThread, x: number[]) {
  const c = this.thread.x;
  const { m, C } = this.constants;
  let sum = 0;
  for (let start = 0; start < m; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, m - start); q++) block += x[(start + q) * C + c] - x[c];
    sum += block;
  }
  return x[c] + sum / m;
});

/**
 * `colVariance`, variance[c] = (1/m) Σᵢ d² with d = x[i,c] − mean[c]: thread c sums d and d² in blocks of 64 rows.
 *
 * If δ = (1/m) Σᵢ d is as small as the rounding error of a float32 mean, δ² is subtracted: the result is the variance
 * about the mean before rounding.
 */
export const colVariance: GpuForm = ofColumns(function (this: GpuThread, x: number[], mean: number[]) {
  const c = this.thread.x;
  const { m, C } = this.constants;
  let sum = 0;
  let squares = 0;
  for (let start = 0; start < m; start += 64) {
    let block = 0;
    let blockOfSquares = 0;
    for (let q = 0; q < Math.min(64, m - start); q++) {
      const d = x[(start + q) * C + c] - mean[c];
      block += d;
      blockOfSquares += d * d;
    }
    sum += block;
    squares += blockOfSquares;
  }
  const delta = sum / m;
  let variance = squares / m;
  if (Math.abs(delta) < 2.4e-7 * Math.abs(mean[c])) variance -= delta * delta;
  return variance < 0 ? 0 : variance;
});

/** `reciprocalStd`, rstd[c] = 1/√(variance[c] + ε). */
export const reciprocalStd: GpuForm = perColumn(function (this: GpuThread, variance: number[], eps: number) {
  const c = this.thread.x;
  return 1 / Math.sqrt(variance[c] + eps);
});

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/** `normalize`, xhat[i,c] = (x[i,c] − mean[c])·rstd[c]. */
export const normalize: GpuForm = perElement(function (
  this: GpuThread,
  x: number[],
  mean: number[],
  rstd: number[],
) {
  const { x: c, y: i } = this.thread;
  const { C } = this.constants;
  return (x[i * C + c] - mean[c]) * rstd[c];
});

/** `scaleShift`, y[i,c] = gamma[c]·xhat[i,c] + beta[c]. */
export const scaleShift: GpuForm = perElement(function (
  this: GpuThread,
  xhat: number[],
  gamma: number[],
  beta: number[],
) {
  const { x: c, y: i } = this.thread;
  const { C } = this.constants;
  return gamma[c] * xhat[i * C + c] + beta[c];
});

// ── running statistics and inference ───────────────────────────────────────────────────────────────────

/** `runningAverage`, E[c] ← (1−α)·E[c] + α·correction·batch[c]. */
export const runningAverage: GpuForm = perColumn(function (
  this: GpuThread,
  running: number[],
  batch: number[],
  alpha: number,
  correction: number,
) {
  const c = this.thread.x;
  return (1 - alpha) * running[c] + alpha * (correction * batch[c]);
});

/** `foldedScale`, scale[c] = gamma[c]·rstd[c]. */
export const foldedScale: GpuForm = perColumn(function (this: GpuThread, gamma: number[], rstd: number[]) {
  const c = this.thread.x;
  return gamma[c] * rstd[c];
});

/** `foldedShift`, shift[c] = beta[c] − scale[c]·mean[c]. */
export const foldedShift: GpuForm = perColumn(function (
  this: GpuThread,
  beta: number[],
  scale: number[],
  mean: number[],
) {
  const c = this.thread.x;
  return beta[c] - scale[c] * mean[c];
});

// ── backward ───────────────────────────────────────────────────────────────────────────────────────────

/** `batchnormDx`, dx[i,c] = gamma[c]·rstd[c]·(g[i,c] − dbeta[c]/m − xhat[i,c]·dgamma[c]/m). */
export const batchnormDx: GpuForm = perElement(function (
  this: GpuThread,
  g: number[],
  xhat: number[],
  gamma: number[],
  rstd: number[],
  dgamma: number[],
  dbeta: number[],
) {
  const { x: c, y: i } = this.thread;
  const { m, C } = this.constants;
  const remaining = g[i * C + c] - dbeta[c] / m - (xhat[i * C + c] * dgamma[c]) / m;
  return gamma[c] * rstd[c] * remaining;
});
