/** What moves elements: thread [o, k, i] takes its own from where it lies. */
import type { GpuForm, GpuThread } from './form.ts';

/** y[o,r,i] = x[o,0,i]. */
export const repeatAxis: GpuForm = {
  sizes: ['outer', 'count', 'inner'],
  threads: ([outer, count, inner]) => [inner, count, outer],
  thread: function (this: GpuThread, x: number[]) {
    const { x: i, z: o } = this.thread;
    const { inner } = this.constants;
    return x[o * inner + i];
  },
};

/** y[o,j,i] = x[o,i,j]. */
export const transpose: GpuForm = {
  sizes: ['outer', 'rows', 'columns'],
  threads: ([outer, rows, columns]) => [rows, columns, outer],
  thread: function (this: GpuThread, x: number[]) {
    const { x: i, y: j, z: o } = this.thread;
    const { rows, columns } = this.constants;
    return x[(o * rows + i) * columns + j];
  },
};

/** y[o,k,i] = x[o,begin+k,i]. One compiled kernel serves all ranges of a length: `begin` is an argument. */
export const sliceAxis: GpuForm = {
  sizes: ['outer', 'n', 'inner', 'begin', 'end'],
  threads: ([outer, , inner, begin, end]) => [inner, end - begin, outer],
  thread: function (this: GpuThread, x: number[], begin: number) {
    const { x: i, y: k, z: o } = this.thread;
    const { n, inner } = this.constants;
    return x[(o * n + begin + k) * inner + i];
  },
};

/** dx[o,begin+k,i] = g[o,k,i], and 0 elsewhere. */
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

/** y[o,:] = a[o,:], then b[o,:]: two inputs; a device puts more together two by two. */
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

/** y[r,i] = x[rows[r],i]; ~~ makes an integer of what travels as a float. */
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

/** dx[k,i] = Σ g[r,i] over all r with rows[r] = k. */
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
