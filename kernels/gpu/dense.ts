import type { GpuForm, GpuThread } from './form.ts';

/** y[i,j] = x[i,j] + b[j]. */
export const addBias: GpuForm = {
  sizes: ['m', 'n'],
  threads: ([m, n]) => [n, m],
  thread: function (this: GpuThread, x: number[], b: number[]) {
    const { x: j, y: i } = this.thread;
    const { n } = this.constants;
    return x[i * n + j] + b[j];
  },
};
