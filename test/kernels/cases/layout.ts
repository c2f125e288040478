/** Kernels that move elements, from their formulas. The axis is random too. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { Params } from '../../../kernels/kernel.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { drawn, type KernelCases, misfits, seeds, shapesWith, sum } from './case.ts';

/** A shape of rank 3 and one of its axes, with extent n on that axis or the next; two fractions give places along it. */
const shapeAndAxis = (n: number, turn: number) =>
  fc.nat(2).chain((axis) =>
    fc.record({
      shape: shapesWith(n, 3, turn === 0 ? (axis + 1) % 3 : axis),
      axis: fc.constant(axis),
      seed: seeds,
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      to: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  );

const call = (shape: readonly number[], seed: number, params: Params): KernelCall => ({
  inputs: [drawn(shape, seed)],
  params,
});

/** x and indices into its first axis, some of them repeated. */
const rowsOf = (n: number, turn: number) =>
  fc
    .record({
      extent: fc.constantFrom(1, 2, 5),
      rows: fc.constantFrom(0, 1, 3, 9),
      inner: fc.constantFrom(1, 3, 8),
      seed: seeds,
    })
    .map(({ extent, rows, inner, seed }) => ({
      extent: turn === 0 ? Math.max(1, n) : extent,
      rows: turn === 1 ? n : rows,
      inner: turn === 2 ? n : inner,
      seed,
    }));

export const layout: Pick<
  KernelCases,
  'repeatAxis' | 'transpose' | 'sliceAxis' | 'sliceAxisDx' | 'concat' | 'gather' | 'gatherDx'
> = {
  repeatAxis: {
    kernel: kernels.repeatAxis,
    calls: (n, turn) =>
      shapeAndAxis(n, turn).map(({ shape, axis, seed }) =>
        call(shape.with(axis, 1), seed, { axis, count: shape[axis] }),
      ),
    at: (index, [x], { params }) => x(...index.with(params.axis, 0)),
    misfits: [
      { shapes: [[2, 3]], params: { axis: 0, count: 2 } },
      { shapes: [[2, 0]], params: { axis: 1, count: 2 } },
    ],
  },
  transpose: {
    kernel: kernels.transpose,
    calls: (n, turn) =>
      shapeAndAxis(n, turn).map(({ shape, axis, seed }) =>
        call(axis === 0 ? shape.slice(1) : shape, seed, {}),
      ),
    at: (index, [x]) => x(...index.slice(0, -2), index[index.length - 1], index[index.length - 2]),
    misfits: misfits([[]], [[3]]),
  },
  sliceAxis: {
    kernel: kernels.sliceAxis,
    calls: (n, turn) =>
      shapeAndAxis(n, turn).map(({ shape, axis, seed, from, to }) => {
        const [begin, end] = [from, to].map((part) => Math.round(part * shape[axis])).sort((a, b) => a - b);
        return call(shape, seed, { axis, begin, end });
      }),
    at: (index, [x], { params }) => x(...index.with(params.axis, index[params.axis] + params.begin)),
    misfits: [
      { shapes: [[4]], params: { axis: 0, begin: 0, end: 5 } },
      { shapes: [[4]], params: { axis: 0, begin: 3, end: 2 } },
      { shapes: [[4]], params: { axis: 0, begin: -1, end: 2 } },
    ],
  },
  sliceAxisDx: {
    kernel: kernels.sliceAxisDx,
    calls: (n, turn) =>
      shapeAndAxis(n, turn).map(({ shape, axis, seed, from, to }) => {
        const [before, after] = [Math.round(5 * from), Math.round(5 * to)];
        return call(shape, seed, { axis, begin: before, extent: before + shape[axis] + after });
      }),
    at: (index, [g], { inputs: [{ shape }], params: { axis, begin } }) => {
      const k = index[axis] - begin;
      return k >= 0 && k < shape[axis] ? g(...index.with(axis, k)) : 0;
    },
    misfits: [
      { shapes: [[4]], params: { axis: 0, begin: 0, extent: 3 } },
      { shapes: [[4]], params: { axis: 0, begin: 2, extent: 5 } },
      { shapes: [[4]], params: { axis: 0, begin: -1, extent: 5 } },
    ],
  },
  concat: {
    kernel: kernels.concat,
    calls: (n, turn) =>
      fc
        .tuple(shapeAndAxis(n, turn), fc.array(fc.nat(4), { maxLength: 3 }))
        .map(([{ shape, axis, seed }, more]) => ({
          inputs: [shape, ...more.map((extent) => shape.with(axis, extent))].map((s, k) =>
            drawn(s, seed + k),
          ),
          params: { axis },
        })),
    at: (index, inputs, { inputs: given, params: { axis } }) => {
      let k = index[axis];
      let from = 0;
      while (k >= given[from].shape[axis]) k -= given[from++].shape[axis];
      return inputs[from](...index.with(axis, k));
    },
    misfits: misfits(
      [
        [2, 3],
        [2, 4],
      ],
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 3],
        [3, 2],
      ],
    ),
  },
  gather: {
    kernel: kernels.gather,
    calls: (n, turn) =>
      rowsOf(n, turn).map(({ extent, rows, inner, seed }) => ({
        inputs: [drawn([extent, inner], seed), drawn([rows], seed, { low: 0, high: extent, integer: true })],
        params: {},
      })),
    at: ([r, i], [x, rows]) => x(rows(r), i),
    misfits: misfits(
      [[], [2]],
      [[3, 2], []],
      [
        [3, 2],
        [1, 2],
      ],
    ),
  },
  gatherDx: {
    kernel: kernels.gatherDx,
    calls: (n, turn) =>
      rowsOf(n, turn).map(({ extent, rows, inner, seed }) => ({
        inputs: [drawn([rows, inner], seed), drawn([rows], seed, { low: 0, high: extent, integer: true })],
        params: { extent },
      })),
    at: ([k, i], [g, rows], { inputs: [{ shape }] }) => sum(shape[0], (r) => (rows(r) === k ? g(r, i) : 0)),
    terms: ([k, i], [g, rows], { inputs: [{ shape }] }) =>
      sum(shape[0], (r) => (rows(r) === k ? Math.abs(g(r, i)) : 0)),
    misfits: misfits(
      [[2, 3], [3]],
      [[], [1]],
      [
        [2, 3],
        [2, 1],
      ],
    ),
  },
};
