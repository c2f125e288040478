/**
 * The GPU forms of `../layernorm.ts`, one per equation, under the name of the kernel. x is [m, C], with rows i and
 * columns c. Sums over a row run in blocks of 64, for accuracy in float32. A row is one of the G groups of an example, and
 * γ has one row per group.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** Thread i loops over the C values of row i. */
const ofRows = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([m]) => [m], thread });

/** Thread [i, c] computes one element, without a loop. */
const perElement = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([m, C]) => [C, m], thread });

/** Thread [group, example] loops over the C values of a row. */
const ofGroups = (thread: Thread): GpuForm => ({
  sizes: ['m', 'C', 'G'],
  threads: ([m, , G]) => [G, m / G],
  thread,
});

/** Thread [c, group, example] computes one element, without a loop. */
const perElementOfGroups = (thread: Thread): GpuForm => ({
  sizes: ['m', 'C', 'G'],
  threads: ([m, C, G]) => [C, G, m / G],
  thread,
});

/** `rowMean`, mean[i] = x[i,0] + (1/C) Σ_c (x[i,c] − x[i,0]): thread i sums its row in blocks of 64 values. */
export const rowMean: GpuForm = ofRows(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  const { C } = this.constants;
  let sum = 0;
  for (let start = 0; start < C; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, C - start); q++) block += x[i * C + start + q] - x[i * C];
    sum += block;
  }
  return x[i * C] + sum / C;
});

/**
 * `rowVariance`, variance[i] = (1/C) Σ_c d² with d = x[i,c] − mean[i]: thread i sums d and d² in blocks of 64 values. As
 * in `colVariance`, δ² is subtracted if δ = (1/C) Σ_c d is as small as the rounding error of a float32 mean.
 */
export const rowVariance: GpuForm = ofRows(function (this: GpuThread, x: number[], mean: number[]) {
  const i = this.thread.x;
  const { C } = this.constants;
  let sum = 0;
  let squares = 0;
  for (let start = 0; start < C; start += 64) {
    let block = 0;
    let blockOfSquares = 0;
    for (let q = 0; q < Math.min(64, C - start); q++) {
      const d = x[i * C + start + q] - mean[i];
      block += d;
      blockOfSquares += d * d;
    }
    sum += block;
    squares += blockOfSquares;
  }
  const delta = sum / C;
  let variance = squares / C;
  if (Math.abs(delta) < 2.4e-7 * Math.abs(mean[i])) variance -= delta * delta;
  return variance < 0 ? 0 : variance;
});

/** `normalizeRows`, xhat[i,c] = (x[i,c] − mean[i])·rstd[i]. */
export const normalizeRows: GpuForm = perElement(function (
  this: GpuThread,
  x: number[],
  mean: number[],
  rstd: number[],
) {
  const { x: c, y: i } = this.thread;
  const { C } = this.constants;
  return (x[i * C + c] - mean[i]) * rstd[i];
});

/** `rowSum`, sum[i] = Σ_c g[i,c]·gamma[group,c]: the loop runs in blocks of 64 values. */
export const rowSum: GpuForm = ofGroups(function (this: GpuThread, g: number[], gamma: number[]) {
  const { x: group, y: example } = this.thread;
  const { C, G } = this.constants;
  const i = example * G + group;
  let sum = 0;
  for (let start = 0; start < C; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, C - start); q++) {
      const c = start + q;
      block += g[i * C + c] * gamma[group * C + c];
    }
    sum += block;
  }
  return sum;
});

/** `rowDot`, dot[i] = Σ_c g[i,c]·gamma[group,c]·xhat[i,c]: the loop runs in blocks of 64 values. */
export const rowDot: GpuForm = ofGroups(function (
  this: GpuThread,
  g: number[],
  xhat: number[],
  gamma: number[],
) {
  const { x: group, y: example } = this.thread;
  const { C, G } = this.constants;
  const i = example * G + group;
  let sum = 0;
  for (let start = 0; start < C; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, C - start); q++) {
      const c = start + q;
      block += g[i * C + c] * gamma[group * C + c] * xhat[i * C + c];
    }
    sum += block;
  }
  return sum;
});

/** `layernormDx`, dx[i,c] = rstd[i]·(g[i,c]·gamma[group,c] − sum[i]/C − xhat[i,c]·dot[i]/C). */
export const layernormDx: GpuForm = perElementOfGroups(function (
  this: GpuThread,
  g: number[],
  xhat: number[],
  gamma: number[],
  rstd: number[],
  dot: number[],
  sum: number[],
) {
  const { x: c, y: group, z: example } = this.thread;
  const { C, G } = this.constants;
  const i = example * G + group;
  const remaining = g[i * C + c] * gamma[group * C + c] - sum[i] / C - (xhat[i * C + c] * dot[i]) / C;
  return rstd[i] * remaining;
});
