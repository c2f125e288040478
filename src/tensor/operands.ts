import { sameShape } from '../../kernels/shape.ts';
import { broadcastShape } from './broadcast.ts';
import { numbersOf, shapeOf, type TensorData } from './nested.ts';
import { constant } from './op.ts';
import { expand } from './ops.ts';
import { Value } from './value.ts';

/**
 * Broadcasts two operands to their common shape. Numbers and arrays become a tensor, on the device and of the element
 * type of a. `name` is the method, for error messages.
 *
 * @throws {ShapeError} The shapes do not broadcast.
 * @throws {ValueError} b is not a tensor, a number or nested arrays of numbers.
 */
export function operands<T extends Value>(name: string, a: T, b: T | TensorData): [T, T] {
  const other = operand(name, a, b);
  const shape = broadcastShape(name, a.extents, other.extents);
  const expanded = (x: T): T => (sameShape(x.extents, shape) ? x : expand(x, shape));
  return [expanded(a), expanded(other)];
}

/** The second operand as a tensor, on the device and of the element type of a. */
export function operand<T extends Value>(name: string, a: T, b: T | TensorData): T {
  return b instanceof Value ? b : constant(a, numbersOf(name, b), shapeOf(b));
}
