/** Reductions along an axis: thread [o, i] has the n values to itself. */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** One value of n along an axis. */
const reduction = (thread: Thread): GpuForm => ({
  sizes: ['outer', 'n', 'inner'],
  threads: ([outer, , inner]) => [inner, outer],
  thread,
});

/** y[o,0,i] = Σₖ x[o,k,i]. */
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

/** y[o,0,i] = maxₖ x[o,k,i]. What is neither larger nor smaller is a zero, or NaN, which a sum keeps: see `maximum`. */
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

/** y[o,0,i] = the first k at which x[o,k,i] is largest, or NaN. */
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

/** dx[o,k,i] = g[o,0,i] where k = argmax[o,0,i], else 0. */
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
