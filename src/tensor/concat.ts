import { resolveAxis } from '../../kernels/shape.ts';
import { ShapeError } from './errors.ts';
import * as ops from './ops.ts';
import type { Tensor } from './tensor.ts';

/**
 * Tensors one after the other along an axis; their other extents are equal.
 *
 * @throws {ShapeError} They do not fit, or there are none.
 * @example
 * ```ts
 * import { concat, tensor } from 'gammabeta';
 *
 * console.log(concat([tensor([[1, 2]]), tensor([[3, 4]])], 0).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (tensors.length === 0) throw new ShapeError('concat', 'no tensors', 'give at least one');
  return ops.concat(resolveAxis('concat', first.shape, axis), ...tensors);
}
