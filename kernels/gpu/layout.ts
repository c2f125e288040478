/**
 * The GPU forms of `../layout.ts`, under the names of the kernels. Thread [o, k, i] computes y[o,k,i]: it copies one
 * element, without a loop, except in `gatherDx`.
 */
import type { GpuForm, GpuThread } from './form.ts';

/** `repeatAxis`, y[o,r,i] = x[o,0,i]. */
export const repeatAxis: GpuForm = {
  sizes: ['outer', 'count', 'inner'],
  threads: ([outer, count, inner]) => [inner, count, outer],
  thread: function (this: GpuThread, x: number[]) {
    const { x: i, z: o } = this.thread;
    const { inner } = this.constants;
    return x[o * inner + i];
  },
};

/** `transpose`, y[o,j,i] = x[o,i,j]: thread [o, j, i] follows the output, so reads are strided. */
export const transpose: GpuForm = {
  sizes: ['outer', 'rows', 'columns'],
  threads: ([outer, rows, columns]) => [rows, columns, outer],
  thread: function (this: GpuThread, x: number[]) {
    const { x: i, y: j, z: o } = this.thread;
    const { rows, columns } = this.constants;
    return x[(o * rows + i) * columns + j];
  },
};

/** `sliceAxis`, y[o,k,i] = x[o,begin+k,i]. `begin` is an argument, so slices of one length share a compiled kernel. */
export const sliceAxis: GpuForm = {
  sizes: ['outer', 'n', 'inner', 'begin', 'end'],
  threads: ([outer, , inner, begin, end]) => [inner, end - begin, outer],
  thread: function (this: GpuThread, x: number[], begin: number) {
    const { x: i, y: k, z: o } = this.thread;
    const { n, inner } = this.constants;
    return x[(o * n + begin + k) * inner + i];
  },
};

/** `sliceAxisDx`, dx[o,begin+k,i] = g[o,k,i], else 0: thread y of the output has k = y − begin. */
export const sliceAxisDx: GpuForm = {
  sizes: ['outer', 'n', 'inner', 'begin', 'extent'],
  threads: ([outer, , inner, , extent]) => [inner, extent, outer],
  thread: function (this: GpuThread, g: number[], begin: number) {
    const { x: i, y, z: o } = this.thread;
    const { n, inner } = this.constants;
    const k = y - begin;
    if (k < 0 || k >= n) return 0;
    return g[(o * n + k) * inner + i];
  },
};

/** `concat`, y[o,:] = a[o,:], then b[o,:]: joins two inputs; to join more, the device applies it repeatedly. */
export const concat: GpuForm = {
  sizes: ['outer', 'first', 'second'],
  threads: ([outer, first, second]) => [first + second, outer],
  thread: function (this: GpuThread, a: number[], b: number[]) {
    const { x: k, y: o } = this.thread;
    const { first, second } = this.constants;
    if (k < first) return a[o * first + k];
    return b[o * second + k - first];
  },
};

/** `gather`, y[r,i] = x[rows[r],i]: ~~ converts the row index, which is passed as a float, to an integer. */
export const gather: GpuForm = {
  sizes: ['count', 'inner'],
  threads: ([count, inner]) => [inner, count],
  thread: function (this: GpuThread, x: number[], rows: number[]) {
    const { x: i, y: r } = this.thread;
    const { inner } = this.constants;
    const row = rows[r];
    return x[~~row * inner + i];
  },
};

/** `gatherDx`, dx[k,i] = Σ g[r,i] over rows[r] = k: thread [k, i] loops over all r, in blocks of 64. */
export const gatherDx: GpuForm = {
  sizes: ['count', 'inner', 'extent'],
  threads: ([, inner, extent]) => [inner, extent],
  thread: function (this: GpuThread, g: number[], rows: number[]) {
    const { x: i, y: k } = this.thread;
    const { count, inner } = this.constants;
    let sum = 0;
    for (let start = 0; start < count; start += 64) {
      let block = 0;
      for (let q = 0; q < Math.min(64, count - start); q++) {
        const r = start + q;
        if (rows[r] === k) block += g[r * inner + i];
      }
      sum += block;
    }
    return sum;
  },
};
