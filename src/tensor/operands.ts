import { sameShape } from '../../kernels/shape.ts';
import { broadcastShape } from './broadcast.ts';
import { constant } from './op.ts';
import { expand } from './ops.ts';
import type { Value } from './value.ts';

/**
 * Broadcasts two operands to their common shape. A number b becomes a tensor. `name` is the method, for error messages.
 *
 * @throws {ShapeError} The shapes do not broadcast.
 */
export function operands<T extends Value>(name: string, a: T, b: T | number): [T, T] {
  const other = typeof b === 'number' ? constant(a, [b], []) : b;
  const shape = broadcastShape(name, a.shape, other.shape);
  const expanded = (x: T): T => (sameShape(x.shape, shape) ? x : expand(x, shape));
  return [expanded(a), expanded(other)];
}
