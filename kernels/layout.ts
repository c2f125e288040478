/**
 * Kernels that move elements and compute nothing. Each works along one axis; for several axes, the op composes
 * them. A shape is seen as [outer, n, inner] from that axis: see `aroundAxis`.
 */
import { ShapeError } from './errors.ts';
import type { Cost, Kernel } from './kernel.ts';
import { aroundAxis, formatShape, withExtent } from './shape.ts';

/** The cost of moving n elements. */
export const moved = (n: number): Cost => ({ flops: 0, bytes: 8 * n });

/** y[o,r,i] = x[o,0,i]: repeats an axis of extent 1 `count` times. */
export const repeatAxis: Kernel<{ axis: number; count: number }> = {
  name: 'repeatAxis',
  inputs: ['x'],
  simd: 'repeatAxis',
  shape: ([x], { axis, count }) => {
    if (x[axis] === 1) return withExtent(x, axis, count);
    const problem = `axis ${axis} of ${formatShape(x)} does not have extent 1`;
    throw new ShapeError('repeatAxis', problem, 'only an axis of extent 1 can be repeated');
  },
  sizes: ([x], { axis, count }) => aroundAxis(withExtent(x, axis, count), axis),
  reference: (y, [x], [outer, count, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let r = 0; r < count; r++) {
        for (let i = 0; i < inner; i++) y[(o * count + r) * inner + i] = x[o * inner + i];
      }
    }
  },
  cost: ([outer, count, inner]) => moved(outer * count * inner),
};

/** y[o,j,i] = x[o,i,j]: exchanges the last two axes. */
export const transpose: Kernel = {
  name: 'transpose',
  inputs: ['x'],
  simd: 'transpose',
  shape: ([x]) => {
    if (x.length >= 2) return [...x.slice(0, -2), x[x.length - 1], x[x.length - 2]];
    throw new ShapeError('transpose', `fewer than two axes: ${formatShape(x)}`, 'reshape to a matrix first');
  },
  sizes: ([x]) => aroundAxis(x, x.length - 2),
  reference: (y, [x], [outer, rows, columns]) => {
    for (let o = 0; o < outer; o++) {
      for (let j = 0; j < columns; j++) {
        for (let i = 0; i < rows; i++) y[(o * columns + j) * rows + i] = x[(o * rows + i) * columns + j];
      }
    }
  },
  cost: ([outer, rows, columns]) => moved(outer * rows * columns),
};

/** y[o,k,i] = x[o,begin+k,i] for k < end − begin: a range of one axis. */
export const sliceAxis: Kernel<{ axis: number; begin: number; end: number }> = {
  name: 'sliceAxis',
  inputs: ['x'],
  shape: ([x], { axis, begin, end }) => {
    if (begin >= 0 && begin <= end && end <= x[axis]) return withExtent(x, axis, end - begin);
    const problem = `range ${begin}…${end} is not inside axis ${axis} of ${formatShape(x)}`;
    throw new ShapeError('slice', problem, `0 ≤ begin ≤ end ≤ ${x[axis]}`);
  },
  sizes: ([x], { axis, begin, end }) => [...aroundAxis(x, axis), begin, end],
  reference: (y, [x], [outer, n, inner, begin, end]) => {
    for (let o = 0; o < outer; o++) {
      const range = x.subarray((o * n + begin) * inner, (o * n + end) * inner);
      y.set(range, o * (end - begin) * inner);
    }
  },
  cost: ([outer, , inner, begin, end]) => moved(outer * (end - begin) * inner),
};

/** dx[o,begin+k,i] = g[o,k,i], and 0 elsewhere: the backward form of `sliceAxis`. */
export const sliceAxisDx: Kernel<{ axis: number; begin: number; extent: number }> = {
  name: 'sliceAxisDx',
  inputs: ['g'],
  shape: ([g], { axis, begin, extent }) => {
    if (begin >= 0 && begin + g[axis] <= extent) return withExtent(g, axis, extent);
    const problem = `${formatShape(g)} at ${begin} does not fit into ${extent}`;
    throw new ShapeError('sliceAxisDx', problem, 'begin + extent of g ≤ extent');
  },
  sizes: ([g], { axis, begin, extent }) => [...aroundAxis(g, axis), begin, extent],
  reference: (dx, [g], [outer, n, inner, begin, extent]) => {
    dx.fill(0);
    for (let o = 0; o < outer; o++) {
      dx.set(g.subarray(o * n * inner, (o + 1) * n * inner), (o * extent + begin) * inner);
    }
  },
  cost: ([outer, , inner, , extent]) => moved(outer * extent * inner),
};

/** y[r,:] = x[rows[r],:]: selects entries of the first axis by index. */
export const gather: Kernel = {
  name: 'gather',
  inputs: ['x', 'rows'],
  shape: ([x, rows]) => {
    if (x.length > 0 && rows.length === 1) return withExtent(x, 0, rows[0]);
    const problem = `rows ${formatShape(rows)} of x ${formatShape(x)}`;
    throw new ShapeError('gather', problem, 'x has at least one axis and rows exactly one');
  },
  sizes: ([x, rows]) => [rows[0], aroundAxis(x, 0)[2]],
  reference: (y, [x, rows], [count, inner]) => {
    for (let r = 0; r < count; r++) {
      y.set(x.subarray(rows[r] * inner, (rows[r] + 1) * inner), r * inner);
    }
  },
  cost: ([count, inner]) => moved(count * inner),
};

/** dx[n,:] = Σ g[r,:] over all r with rows[r] = n, for n < `extent`: the backward form of `gather`. */
export const gatherDx: Kernel<{ extent: number }> = {
  name: 'gatherDx',
  inputs: ['g', 'rows'],
  shape: ([g, rows], { extent }) => {
    if (rows.length === 1 && g[0] === rows[0]) return withExtent(g, 0, extent);
    const problem = `rows ${formatShape(rows)} for g ${formatShape(g)}`;
    throw new ShapeError('gatherDx', problem, 'g has one entry along its first axis for each row');
  },
  sizes: ([g, rows], { extent }) => [rows[0], aroundAxis(g, 0)[2], extent],
  reference: (dx, [g, rows], [count, inner]) => {
    const sum = new Float64Array(dx.length);
    for (let r = 0; r < count; r++) {
      for (let i = 0; i < inner; i++) sum[rows[r] * inner + i] += g[r * inner + i];
    }
    dx.set(sum);
  },
  cost: ([count, inner]) => ({ flops: count * inner, bytes: 12 * count * inner }),
};
