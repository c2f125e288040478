/** The GPU form of `../dense.ts`. */
import type { GpuForm, GpuThread } from './form.ts';

/** `addBias`, y[i,j] = x[i,j] + b[j]: thread [i, j] computes one element, without a loop. */
export const addBias: GpuForm = {
  sizes: ['m', 'n'],
  threads: ([m, n]) => [n, m],
  thread: function (this: GpuThread, x: number[], b: number[]) {
    const { x: j, y: i } = this.thread;
    const { n } = this.constants;
    return x[i * n + j] + b[j];
  },
};
