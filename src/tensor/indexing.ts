/** Checks of shapes and indices that users pass. */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { isDetached, refused, ShapeError, shown, TRANSFERRED, ValueError } from './errors.ts';
import { isList } from './nested.ts';
import { Value } from './value.ts';

/**
 * The shape for `reshape`. An extent of −1 is inferred from the size and the other extents.
 *
 * @throws {ShapeError} The sizes differ, or several extents are −1.
 */
export function inferShape(from: Shape, to: Shape): Shape {
  const isArray: boolean = Array.isArray(to);
  if (!isArray || ![...to].every(Number.isSafeInteger)) return expectShape('reshape', to);
  const known = to.filter((extent) => extent !== -1);
  const rest = sizeOf(from) / sizeOf(known);
  const shape = Number.isInteger(rest) ? to.map((extent) => (extent === -1 ? rest : extent)) : to;
  const fits = sizeOf(shape) === sizeOf(from) && known.length >= to.length - 1;
  if (fits) return expectShape('reshape', shape);
  const problem = `${formatShape(from)} (${sizeOf(from)} values) cannot be reshaped to ${formatShape(to)}`;
  const hint = 'the product of the extents must stay the same; one extent may be -1';
  throw new ShapeError('reshape', problem, hint);
}

/**
 * Converts an index from −extent to extent, where negative ones count from the end, to one from 0 to extent. Unlike
 * JavaScript's `slice`, it does not clip.
 *
 * @throws {ShapeError} The index is out of range.
 */
function fromFront(op: string, index: number, extent: number): number {
  const front = Number.isInteger(index) && index < 0 ? index + extent : index;
  if (Number.isInteger(index) && front >= 0 && front <= extent) return front;
  const hint = `use an integer from -${extent} to ${extent}; gather takes a tensor of indices`;
  throw new ShapeError(op, `index ${shown(index)} is outside an axis of ${extent}`, hint);
}

/** One value or several, as an array without holes. */
export function listOf(values: number | readonly number[]): readonly number[] {
  return Array.isArray(values) ? Array.from(values as readonly number[]) : [values as number];
}

/**
 * The range of `slice` along each axis. Negative indices count from the end.
 *
 * @throws {ShapeError} An index is out of range, or there are more ranges than axes.
 */
export function rangesOf(
  shape: Shape,
  begin: number | readonly number[],
  end: number | readonly number[] = [],
): readonly (readonly [from: number, to: number])[] {
  const [begins, ends] = [listOf(begin), listOf(end)];
  const count = Math.max(begins.length, ends.length);
  if (count > shape.length) {
    const problem = `${count} ranges for shape ${formatShape(shape)}`;
    throw new ShapeError('slice', problem, 'pass at most one range for each axis');
  }
  return shape.map((extent, axis) => {
    const from = axis < begins.length ? begins[axis] : 0;
    const to = axis < ends.length ? ends[axis] : extent;
    return [fromFront('slice', from, extent), fromFront('slice', to, extent)];
  });
}

/**
 * The indices of `gather` into the first axis of x, as an array.
 *
 * @throws {ValueError} An index is not an integer from 0 to n − 1, where n is the first extent.
 * @throws {ShapeError} x has no axis, or a tensor of indices has not exactly one.
 */
export function indicesOf(x: Value, rows: ArrayLike<number> | Value): ArrayLike<number> {
  if (x.shape.length === 0) throw new ShapeError('gather', 'a scalar has no entries', 'reshape it to [1]');
  if (rows instanceof Value && rows.shape.length !== 1) {
    const problem = `a tensor of indices has shape ${formatShape(rows.shape)}`;
    throw new ShapeError('gather', problem, 'one axis is expected: flatten it');
  }
  const indices = rows instanceof Value ? rows.home.readSync(rows.storage) : rows;
  const isArray: boolean = isList(indices);
  if (!isArray) throw refused('gather', 'rows', rows, 'pass an array of indices');
  if (isDetached(indices)) throw refused('gather', 'rows', rows, TRANSFERRED);
  const [n] = x.shape;
  const wrong = Array.from(indices).findIndex((row) => !Number.isInteger(row) || row < 0 || row >= n);
  if (wrong >= 0) {
    const problem = `index ${shown(indices[wrong])} into shape ${formatShape(x.shape)}`;
    throw new ValueError('gather', problem, 'use integers from 0 to n − 1, where n is the first extent');
  }
  if (x.dtype === 'float32' && n > 2 ** 24) {
    throw new ValueError('gather', `${n} entries in float32`, 'indices are exact up to 2²⁴: slice first');
  }
  return indices;
}

/**
 * Returns a copy of a shape.
 *
 * @throws {ShapeError} It is not an array of integers ≥ 0, or its size is 2³² or more.
 */
export function expectShape(op: string, shape: unknown): Shape {
  const extents = Array.isArray(shape) ? Array.from(shape as readonly number[]) : null; // `every` skips the holes of a sparse array
  if (!extents?.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    const found = extents === null ? shown(shape) : `[${extents.map(String).join(', ')}]`;
    const hint = 'an array of integers ≥ 0 is expected, such as [32, 10]';
    throw new ShapeError(op, `not a shape: ${found}`, hint);
  }
  if (sizeOf(extents) < 2 ** 32) return extents;
  const problem = `${sizeOf(extents)} elements in shape ${formatShape(extents)}`;
  throw new ShapeError(op, problem, 'a tensor must have fewer than 2³²');
}
