/** Functions that add, remove and reorder axes. */
import { formatShape, resolveAxis, sameShape, sizeOf } from '../../../kernels/shape.ts';
import { expectTensor, expectTensors, ShapeError, shown } from '../errors.ts';
import { listOf } from '../indexing.ts';
import { composite } from '../op.ts';
import { joined } from './concat.ts';
import type { Axes } from '../reduction.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Joins tensors of one shape along a new axis, as NumPy's `stack`. k tensors of shape [m, n] → [k, m, n].
 *
 * @param axis The place of the new axis in the result. Default 0.
 * @throws {ShapeError} The list is empty, the shapes differ, or the axis does not exist.
 * @throws {DTypeError} The tensors have different element types.
 * @throws {DeviceError} The tensors are on different devices.
 * @example
 * ```ts
 * import { stack, tensor } from 'gammabeta';
 *
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], 1).toArray()); // [ [ 1, 3 ], [ 2, 4 ] ]
 * ```
 */
export const stack: (tensors: readonly Tensor[], axis?: number) => Tensor = composite((tensors, axis = 0) => {
  expectTensors('stack', 'tensors', tensors);
  if (tensors.length === 0) throw new ShapeError('stack', 'no tensors', 'pass at least one');
  const [{ shape }] = tensors;
  const other = tensors.find((x) => !sameShape(x.shape, shape));
  if (other !== undefined) {
    const shapes = `${formatShape(shape)} and ${formatShape(other.shape)}`;
    throw new ShapeError('stack', `the shapes differ: ${shapes}`, 'concat joins along an existing axis');
  }
  const at = newAxis('stack', shape, axis);
  const parts = tensors.map((x) => x.reshape(shape.toSpliced(at, 0, 1)));
  return joined(at, ...parts);
});

/**
 * Inserts an axis of extent 1: [m, n] → [m, 1, n] for axis 1.
 *
 * @param axis The place of the new axis in the result. Negative axes count from the last: −1 appends one.
 * @throws {ShapeError} The axis does not exist.
 * @example
 * ```ts
 * import { tensor, unsqueeze } from 'gammabeta';
 *
 * console.log(unsqueeze(tensor([1, 2]), -1).shape); // [ 2, 1 ]
 * ```
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const { shape } = expectTensor('unsqueeze', 'x', x);
  return x.reshape(shape.toSpliced(newAxis('unsqueeze', shape, axis), 0, 1));
}

/** The place of a new axis. Negative axes count from the last one of the result. */
function newAxis(op: string, shape: Tensor['shape'], axis: number): number {
  return resolveAxis(op, [...shape, 1], axis);
}

/**
 * Removes axes of extent 1: [1, m, 1, n] → [m, n].
 *
 * @param axis One axis or several; by default, all of extent 1.
 * @throws {ShapeError} An axis does not exist or has another extent than 1.
 * @example
 * ```ts
 * import { squeeze, tensor } from 'gammabeta';
 *
 * console.log(squeeze(tensor([[1], [2]]), 1).toArray()); // [ 1, 2 ]
 * ```
 */
export function squeeze(x: Tensor, axis?: Axes): Tensor {
  const { shape } = expectTensor('squeeze', 'x', x);
  if (axis === undefined) return x.reshape(shape.filter((extent) => extent !== 1));
  const removed = listOf(axis).map((a) => resolveAxis('squeeze', shape, a));
  const wide = removed.find((a) => shape[a] !== 1);
  if (wide === undefined) return x.reshape(shape.filter((_, a) => !removed.includes(a)));
  const problem = `axis ${wide} of shape ${formatShape(shape)} has extent ${shape[wide]}`;
  throw new ShapeError('squeeze', problem, 'only axes of extent 1 can be removed');
}

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of x, as in PyTorch's `permute` and NumPy's `transpose`.
 *
 * @param axes Each axis once.
 * @throws {ShapeError} The axes are not those of x, each once.
 * @example
 * ```ts
 * import { permute, zeros } from 'gammabeta';
 *
 * console.log(permute(zeros([32, 28, 28, 3]), [0, 3, 1, 2]).shape); // [ 32, 3, 28, 28 ]
 * ```
 */
export const permute: (x: Tensor, axes: readonly number[]) => Tensor = composite((x, axes) => {
  const { shape } = expectTensor('permute', 'x', x);
  const order = Array.isArray(axes) ? listOf(axes).map((a) => resolveAxis('permute', shape, a)) : [];
  if (order.length !== shape.length || new Set(order).size !== order.length) {
    const problem = `axes ${shown(axes)} for shape ${formatShape(shape)}`;
    throw new ShapeError('permute', problem, `give each of the ${shape.length} axes once`);
  }
  // From the second axis out of place on, each moves to the end: the first one is then where it belongs.
  const first = order.findIndex((a, i) => a !== i);
  let [y, places] = [x, shape.map((_, a) => a)];
  for (const a of first < 0 ? [] : order.slice(first + 1)) {
    y = toEnd(y, places.indexOf(a));
    places = [...places.filter((b) => b !== a), a];
  }
  return y === x ? x.reshape(shape) : y;
});

/** Moves one axis to the end: [outer, n, inner] → [outer, inner, n]. */
function toEnd(x: Tensor, axis: number): Tensor {
  const [n, inner] = [x.shape[axis], x.shape.slice(axis + 1)];
  const outer = x.shape.slice(0, axis);
  if (sizeOf(inner) === 1) return x.reshape([...outer, ...inner, n]);
  return x
    .reshape([...outer, n, sizeOf(inner)])
    .transpose()
    .reshape([...outer, ...inner, n]);
}
