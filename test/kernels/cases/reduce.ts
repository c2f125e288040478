/** Reductions and softmax along an axis, from their formulas. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { along, drawn, type KernelCases, misfits, type Range, seeds, shapesWith, sum } from './case.ts';

/** Inputs of one shape of rank 1 to 3, and one of its axes; n is the extent of that axis or of the next. */
const withAxis =
  (count: number, range: Range = {}) =>
  (n: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc
      .integer({ min: turn === 0 ? 2 : 1, max: 3 })
      .chain((rank) => fc.tuple(fc.constant(rank), fc.nat(rank - 1)))
      .chain(([rank, axis]) =>
        fc.tuple(shapesWith(n, rank, turn === 0 ? (axis + 1) % rank : axis), fc.constant(axis), seeds),
      )
      .map(([shape, axis, seed]) => ({
        inputs: Array.from({ length: count }, (_, k) => drawn(shape, seed + k, range)),
        params: { axis },
      }));

/** Integers, so that the largest value occurs twice. */
const ties = { low: -4, high: 4, integer: true };

/** g and argmax have extent 1 along the axis on which x has extent n. */
const maximumAndItsPlace = (n: number, turn: number) =>
  fc.tuple(withAxis(1, ties)(n, turn), seeds).map(
    ([
      {
        inputs: [x],
        params,
      },
      seed,
    ]): KernelCall => {
      const shape = x.shape.with(params.axis, 1);
      const places = { low: 0, high: x.shape[params.axis], integer: true };
      return { inputs: [drawn(shape, seed), x, drawn(shape, seed + 1, places)], params };
    },
  );

export const reductions: Pick<KernelCases, 'sumAxis' | 'maxAxis' | 'argmaxAxis' | 'maxAxisDx'> = {
  sumAxis: {
    kernel: kernels.sumAxis,
    calls: withAxis(1),
    at: (index, [x], { inputs: [{ shape }], params: { axis } }) =>
      sum(shape[axis], (k) => x(...index.with(axis, k))),
    terms: (index, [x], { inputs: [{ shape }], params: { axis } }) =>
      sum(shape[axis], (k) => Math.abs(x(...index.with(axis, k)))),
  },
  maxAxis: {
    kernel: kernels.maxAxis,
    calls: withAxis(1, ties),
    at: (index, [x], { inputs: [{ shape }], params: { axis } }) =>
      along(x, index, axis, shape[axis]).sort((a, b) => b - a)[0],
    misfits: misfits([[0]], [[0, 2]]),
    except: [0],
  },
  argmaxAxis: {
    kernel: kernels.argmaxAxis,
    calls: withAxis(1, ties),
    at: (index, [x], { inputs: [{ shape }], params: { axis } }) => {
      const values = along(x, index, axis, shape[axis]);
      return values.findIndex((value) => values.every((other) => value >= other));
    },
    misfits: misfits([[0]], [[0, 2]]),
    except: [0],
  },
  maxAxisDx: {
    kernel: kernels.maxAxisDx,
    calls: maximumAndItsPlace,
    at: (index, [g, , argmax], { params: { axis } }) => {
      const at = index.with(axis, 0);
      return argmax(...at) === index[axis] ? g(...at) : 0;
    },
    misfits: misfits(
      [[3], [2, 3], [1, 3]],
      [
        [1, 3],
        [2, 3],
        [2, 3],
      ],
      [
        [2, 3],
        [2, 3],
        [1, 3],
      ],
    ),
    except: [0],
  },
};

export const softmaxes: Pick<KernelCases, 'softmax' | 'softmaxDx' | 'logSoftmax' | 'logSoftmaxDx'> = {
  softmax: {
    kernel: kernels.softmax,
    calls: withAxis(1, { low: -8, high: 8 }),
    at: (index, [x], { inputs: [{ shape }], params: { axis } }) =>
      Math.exp(x(...index)) / sum(shape[axis], (k) => Math.exp(x(...index.with(axis, k)))),
  },
  softmaxDx: {
    kernel: kernels.softmaxDx,
    calls: withAxis(2),
    // The Jacobian: ∂yⱼ/∂xₖ = yⱼ·([j = k] − yₖ).
    at: (index, [g, y], { inputs: [{ shape }], params: { axis } }) =>
      sum(shape[axis], (j) => {
        const other = index.with(axis, j);
        return g(...other) * y(...other) * ((j === index[axis] ? 1 : 0) - y(...index));
      }),
    magnitude: (index, [g, y], { inputs: [{ shape }], params: { axis } }) =>
      sum(shape[axis], (j) => {
        const other = index.with(axis, j);
        return Math.abs(g(...other) * y(...other)) * ((j === index[axis] ? 1 : 0) + Math.abs(y(...index)));
      }),
    misfits: misfits([
      [2, 3],
      [3, 2],
    ]),
  },
  logSoftmax: {
    kernel: kernels.logSoftmax,
    calls: withAxis(1, { low: -8, high: 8 }),
    at: (index, [x], { inputs: [{ shape }], params: { axis } }) =>
      Math.log(Math.exp(x(...index)) / sum(shape[axis], (k) => Math.exp(x(...index.with(axis, k))))),
  },
  logSoftmaxDx: {
    kernel: kernels.logSoftmaxDx,
    calls: withAxis(2),
    // The Jacobian: ∂yⱼ/∂xₖ = [j = k] − exp(yₖ).
    at: (index, [g, y], { inputs: [{ shape }], params: { axis } }) =>
      sum(
        shape[axis],
        (j) => g(...index.with(axis, j)) * ((j === index[axis] ? 1 : 0) - Math.exp(y(...index))),
      ),
    magnitude: (index, [g, y], { inputs: [{ shape }], params: { axis } }) =>
      sum(
        shape[axis],
        (j) => Math.abs(g(...index.with(axis, j))) * ((j === index[axis] ? 1 : 0) + Math.exp(y(...index))),
      ),
    misfits: misfits([
      [2, 3],
      [3, 2],
    ]),
  },
};
