/** Batch normalization, one form per equation. x is [m, C]; i is a row, and column c is the thread's own. */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** One value per column out; the sums run over the rows. */
const ofColumns = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([, C]) => [C], thread });

/** One value per column in, and out. */
const perColumn = (thread: Thread): GpuForm => ({ sizes: ['C'], threads: ([C]) => [C], thread });

/** x [m, C] and values per column → [m, C]. */
const perElement = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([m, C]) => [C, m], thread });

// ── statistics of the batch ────────────────────────────────────────────────────────────────────────────

/** mean[c] = x[0,c] + (1/m) Σᵢ (x[i,c] − x[0,c]). */
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
 * variance[c] = (1/m) Σᵢ d², d = x[i,c] − mean[c]; less δ², δ = (1/m) Σᵢ d, where δ is no more than what the
 * mean has lost when it was rounded to float32: the variance about the mean that was meant.
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

/** rstd[c] = 1/√(variance[c] + ε). */
export const reciprocalStd: GpuForm = perColumn(function (this: GpuThread, variance: number[], eps: number) {
  const c = this.thread.x;
  return 1 / Math.sqrt(variance[c] + eps);
});

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/** xhat[i,c] = (x[i,c] − mean[c])·rstd[c]. */
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

/** y[i,c] = gamma[c]·xhat[i,c] + beta[c]. */
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

/** E[c] ← (1−α)·E[c] + α·correction·batch[c]. */
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

/** scale[c] = gamma[c]·rstd[c]. */
export const foldedScale: GpuForm = perColumn(function (this: GpuThread, gamma: number[], rstd: number[]) {
  const c = this.thread.x;
  return gamma[c] * rstd[c];
});

/** shift[c] = beta[c] − scale[c]·mean[c]. */
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

/** dbeta[c] = Σᵢ g[i,c]. */
export const colSum: GpuForm = ofColumns(function (this: GpuThread, g: number[]) {
  const c = this.thread.x;
  const { m, C } = this.constants;
  let sum = 0;
  for (let start = 0; start < m; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, m - start); q++) block += g[(start + q) * C + c];
    sum += block;
  }
  return sum;
});

/** dgamma[c] = Σᵢ g[i,c]·xhat[i,c]. */
export const colDot: GpuForm = ofColumns(function (this: GpuThread, g: number[], xhat: number[]) {
  const c = this.thread.x;
  const { m, C } = this.constants;
  let sum = 0;
  for (let start = 0; start < m; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, m - start); q++) {
      const i = start + q;
      block += g[i * C + c] * xhat[i * C + c];
    }
    sum += block;
  }
  return sum;
});

/** dx[i,c] = gamma[c]·rstd[c]·(g[i,c] − dbeta[c]/m − xhat[i,c]·dgamma[c]/m). */
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
  const along = g[i * C + c] - dbeta[c] / m - (xhat[i * C + c] * dgamma[c]) / m;
  return gamma[c] * rstd[c] * along;
});
