/**
 * The GPU forms of `../reduce.ts`, under the names of the kernels. Shapes are [outer, n, inner]; k runs over n. Sums
 * run in blocks of 64, for accuracy in float32.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** Thread [o, i] loops over the n values along the axis. */
const reduction = (thread: Thread): GpuForm => ({
  sizes: ['outer', 'n', 'inner'],
  threads: ([outer, , inner]) => [inner, outer],
  thread,
});

/** `sumAxis`, y[o,0,i] = Σₖ x[o,k,i]: the loop runs in blocks of 64. */
export const sumAxis: GpuForm = reduction(function (this: GpuThread, x: number[]) {
  const { x: i, y: o } = this.thread;
  const { n, inner } = this.constants;
  let sum = 0;
  for (let start = 0; start < n; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, n - start); q++) block += x[(o * n + start + q) * inner + i];
    sum += block;
  }
  return sum;
});

/** `maxAxis`, y[o,0,i] = maxₖ x[o,k,i]. Sums handle ±0 and NaN, as in `maximum`. */
export const maxAxis: GpuForm = reduction(function (this: GpuThread, x: number[]) {
  const { x: i, y: o } = this.thread;
  const { n, inner } = this.constants;
  let max = x[o * n * inner + i];
  for (let k = 1; k < n; k++) {
    const value = x[(o * n + k) * inner + i];
    if (value > max) max = value;
    else if (!(value < max) && (value === 0 || !(value === max))) max += value;
  }
  return max;
});

/** `argmaxAxis`, y[o,0,i] = argmaxₖ x[o,k,i], the first k if several; NaN counts as largest. */
export const argmaxAxis: GpuForm = reduction(function (this: GpuThread, x: number[]) {
  const { x: i, y: o } = this.thread;
  const { n, inner } = this.constants;
  let best = 0;
  let max = x[o * n * inner + i];
  for (let k = 1; k < n; k++) {
    const value = x[(o * n + k) * inner + i];
    if (value > max || (max === max && !(value <= max))) {
      max = value;
      best = k;
    }
  }
  return best;
});

/** `maxAxisDx`, dx[o,k,i] = g[o,0,i]·[k = argmax[o,0,i]]: thread [o, k, i] compares, without a loop. */
export const maxAxisDx: GpuForm = {
  sizes: ['outer', 'n', 'inner'],
  threads: ([outer, n, inner]) => [inner, n, outer],
  thread: function (this: GpuThread, g: number[], _x: number[], argmax: number[]) {
    const { x: i, y: k, z: o } = this.thread;
    const { inner } = this.constants;
    if (argmax[o * inner + i] === k) return g[o * inner + i];
    return 0;
  },
};

// ── the gradients of a bias and a factor per column: sums over the rows of [m, C] ─────────────────────

/** Thread c sums column c of the m rows. */
const ofColumns = (thread: Thread): GpuForm => ({ sizes: ['m', 'C'], threads: ([, C]) => [C], thread });

/** `colSum`, dbeta[c] = Σᵢ g[i,c]: the loop runs in blocks of 64 rows. */
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

/** `colDot`, dgamma[c] = Σᵢ g[i,c]·xhat[i,c]: the loop runs in blocks of 64 rows. */
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
