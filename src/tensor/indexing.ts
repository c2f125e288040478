/** Checks of shapes and indices that users pass, and nested arrays. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import type { NestedArray } from './create.ts';
import { ShapeError } from './errors.ts';

/**
 * The shape for `reshape`. An extent of −1 is inferred from the size and the other extents.
 *
 * @throws {ShapeError} The sizes differ, or several extents are −1.
 */
export function inferShape(from: Shape, to: Shape): Shape {
  const unknown = to.filter((extent) => extent === -1).length;
  const known = sizeOf(to.filter((extent) => extent !== -1));
  const rest = sizeOf(from) / known;
  const shape =
    unknown === 1 && Number.isInteger(rest) ? to.map((extent) => (extent === -1 ? rest : extent)) : to;
  if (unknown <= 1 && sizeOf(shape) === sizeOf(from)) return expectShape('reshape', shape);
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
export function fromFront(op: string, index: number, extent: number): number {
  const front = index < 0 ? index + extent : index;
  if (Number.isInteger(front) && front >= 0 && front <= extent) return front;
  throw new ShapeError(op, `index ${index} is outside an axis of ${extent}`, `use -${extent} … ${extent}`);
}

/** The values as nested arrays of the given shape; a number for the shape []. */
export function nest(values: FloatArray, shape: Shape): number | NestedArray {
  if (shape.length === 0) return values[0];
  const [n, ...rest] = shape;
  if (rest.length === 0) return Array.from(values);
  const inner = sizeOf(rest);
  return Array.from(
    { length: n },
    (_, i) => nest(values.subarray(i * inner, (i + 1) * inner), rest) as NestedArray,
  );
}

/**
 * Returns a copy of a shape.
 *
 * @throws {ShapeError} It is not an array of integers ≥ 0, or its size is 2³² or more.
 */
export function expectShape(op: string, shape: unknown): Shape {
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    const found = Array.isArray(shape) ? `[${shape.join(', ')}]` : String(shape);
    const hint = 'an array of integers ≥ 0 is expected, such as [32, 10]';
    throw new ShapeError(op, `not a shape: ${found}`, hint);
  }
  const extents = [...(shape as Shape)];
  if (sizeOf(extents) < 2 ** 32) return extents;
  const problem = `${sizeOf(extents)} elements in shape ${formatShape(extents)}`;
  throw new ShapeError(op, problem, 'a tensor must have fewer than 2³²');
}
