/** Nested arrays of numbers: their shape, their numbers in order, and nested arrays made of numbers. */
import type { FloatArray, NumericArray, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { isDetached, refused, ShapeError, shown, TRANSFERRED, ValueError } from './errors.ts';

/** Numbers in arrays nested to any depth. All arrays at the same depth have the same length. */
export type NestedArray = readonly (number | NestedArray)[];

/** What `tensor` takes: a number, nested arrays of numbers, a typed array, or an array of typed arrays. */
export type TensorData = number | NestedArray | NumericArray | readonly NumericArray[];

/** A circular array would have infinite depth. It is then refused like ragged ones. */
const LARGEST_DEPTH = 64;

/** The shape of nested arrays, from the first element at each depth; `[]` for a number. */
export function shapeOf(data: unknown): Shape {
  const shape: number[] = [];
  for (let level = data; isList(level) && shape.length < LARGEST_DEPTH; level = level[0])
    shape.push(level.length);
  return shape;
}

/**
 * The numbers of nested arrays, in order. `op` is the function that was called, for error messages.
 *
 * @throws {ShapeError} Arrays at the same depth have different lengths.
 * @throws {ValueError} An element is not a number.
 */
export function numbersOf(op: string, data: unknown): ArrayLike<number> {
  if (ArrayBuffer.isView(data) && isList(data) && typeof data[0] === 'number')
    return data as readonly number[];
  const shape = shapeOf(data);
  const values: number[] = [];
  const visit = (part: unknown, axis: number): void => {
    if (isList(part)) {
      if (part.length !== shape[axis]) throw ragged(op, shape, axis, `an array of ${part.length}`);
      if (isDetached(part)) throw refused(op, 'an array', part, TRANSFERRED);
      for (const child of part) visit(child, axis + 1);
    } else if (typeof part !== 'number') throw notANumber(op, part);
    else if (axis < shape.length) throw ragged(op, shape, axis, `the number ${part}`);
    else values.push(part);
  };
  visit(data, 0);
  return values;
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

/** Whether a value is an array or a typed array. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function notANumber(op: string, value: unknown): ValueError {
  const isJson = Array.isArray((value as { readonly data?: unknown } | null | undefined)?.data);
  const isPrimitive = ['string', 'bigint', 'boolean'].includes(typeof value);
  const others = 'pass numbers, nested arrays of numbers or typed arrays; await t.data() reads a tensor';
  const hint = isPrimitive ? 'convert each value with Number(value)' : others;
  const parts = 'pass its parts: tensor(t.data, { shape: t.shape })';
  return new ValueError(op, `not a number: ${shown(value)}`, isJson ? parts : hint);
}

function ragged(op: string, shape: Shape, axis: number, found: string): ShapeError {
  const expected = axis === shape.length ? 'a number' : `an array of ${shape[axis]}`;
  const problem = `ragged nesting: ${found} where ${expected} was expected`;
  return new ShapeError(op, problem, 'make all rows the same length');
}
