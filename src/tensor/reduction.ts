import { formatShape, resolveAxis } from '../../kernels/shape.ts';
import { ShapeError, ValueError } from './errors.ts';
import { operands } from './operands.ts';
import * as ops from './ops.ts';
import type { Value } from './value.ts';

/** One axis, or several; negative ones count from the back. */
export type Axes = number | readonly number[];

/** Applies a reduction of one axis to each axis that is meant. */
export function reduce<T extends Value>(
  name: string,
  op: (x: T, axis: number) => T,
  x: T,
  axis: Axes | undefined,
  keepDims: boolean,
): T {
  const axes = axis === undefined ? x.shape.map((_, i) => i) : typeof axis === 'number' ? [axis] : axis;
  const resolved = axes.map((a) => resolveAxis(name, x.shape, a)).sort((a, b) => b - a);
  if (new Set(resolved).size < resolved.length) {
    throw new ShapeError(name, `an axis is given twice: [${axes.join(', ')}]`, 'give each axis once');
  }
  if (axis === undefined && !keepDims) return overAll(op, x);
  const y = resolved.reduce((part, at) => op(part, at), x);
  return ops.reshape(y, keepDims ? y.shape : x.shape.filter((_, i) => !resolved.includes(i)));
}

/** (1/n) Σ x, under the name of the method that was called. */
export function meanOver<T extends Value>(name: string, x: T, axis: Axes | undefined, keepDims: boolean): T {
  const total = reduce<T>(name, ops.sum, x, axis, keepDims);
  // Divided, since times 1/n rounds twice: the mean of 49 ones is 1.
  if (x.size > 0) return ops.div(...operands(name, total, x.size / total.size));
  throw new ValueError(name, `no values: shape ${formatShape(x.shape)}`, 'at least one is needed');
}

/** Over all elements: as one axis, in one pass. */
function overAll<T extends Value>(op: (x: T, axis: number) => T, x: T): T {
  return ops.reshape(op(ops.reshape(x, [x.size]), 0), []);
}
