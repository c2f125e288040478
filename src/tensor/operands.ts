import { sameShape } from '../../kernels/shape.ts';
import { broadcastShape } from './broadcast.ts';
import { constant } from './op.ts';
import { expand } from './ops.ts';
import type { Value } from './value.ts';

/** Both operands at their common shape; a number stands for a tensor of that value. `name` is the method called. */
export function operands<T extends Value>(name: string, a: T, b: T | number): [T, T] {
  const other = typeof b === 'number' ? constant(a, [b], []) : b;
  const shape = broadcastShape(name, a.shape, other.shape);
  const expanded = (x: T): T => (sameShape(x.shape, shape) ? x : expand(x, shape));
  return [expanded(a), expanded(other)];
}
