import { formatShape, resolveAxis } from '../../kernels/shape.ts';
import { expectBoolean, ShapeError, ValueError } from './errors.ts';
import { listOf } from './indexing.ts';
import { operands } from './operands.ts';
import * as ops from './ops.ts';
import type { Value } from './value.ts';

/** One axis or several. Negative axes count from the last: −1 is the last axis. */
export type Axes = number | readonly number[];

/** A reduction along one axis, which is kept with extent 1. */
type Along<T> = (x: T, axis: number) => T;

/**
 * Applies a reduction over one axis to several axes; to all of them if `axis` is undefined. `name` is for error
 * messages.
 *
 * @throws {ShapeError} An axis does not exist or is given twice.
 */
export function reduce<T extends Value>(name: string, op: Along<T>, x: T, axis?: Axes, keepDims = false): T {
  expectBoolean(name, 'keepDims', keepDims);
  const axes = axis === undefined ? x.extents.map((_, i) => i) : listOf(axis);
  const resolved = axes.map((a) => resolveAxis(name, x.extents, a)).sort((a, b) => b - a);
  if (new Set(resolved).size < resolved.length) {
    throw new ShapeError(name, `an axis is given twice: [${axes.join(', ')}]`, 'give each axis once');
  }
  if (axis === undefined && !keepDims) return ops.reshape(op(ops.reshape(x, [x.size]), 0), []); // in one pass
  const y = resolved.reduce((part, at) => op(part, at), x);
  return ops.reshape(y, keepDims ? y.extents : x.extents.filter((_, i) => !resolved.includes(i)));
}

/** (1/n) Σ x over the given axes; n may be 0 if the result has no elements. `name` is the method, for error messages. */
export function meanOver<T extends Value>(name: string, x: T, axis: Axes | undefined, keepDims: boolean): T {
  const total = reduce<T>(name, ops.sum, x, axis, keepDims);
  // Division by n, because multiplication by 1/n rounds twice: the mean of 49 ones must be exactly 1.
  if (x.size > 0 || total.size === 0) return ops.div(...operands(name, total, x.size / total.size));
  throw new ValueError(name, `no values: shape ${formatShape(x.shape)}`, 'a mean needs at least one value');
}
