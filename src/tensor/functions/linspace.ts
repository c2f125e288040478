import { sizeOf } from '../../../kernels/shape.ts';
import { expectInteger, expectNumber, expectOptions } from '../errors.ts';
import { fromValues, optionNames } from '../fill.ts';
import type { TensorOptions } from '../tensor-types.ts';
import { expectShape } from '../indexing.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `count` values at equal distances from start to stop, both included, as in NumPy. A single value is start.
 * @throws {ValueError} start or stop is not finite, count is not an integer ≥ 0, or an option is unknown.
 * @example
 * ```ts
 * import { linspace } from 'gammabeta';
 *
 * console.log(linspace(0, 1, 5).toArray()); // [ 0, 0.25, 0.5, 0.75, 1 ]
 * ```
 */
export function linspace(start: number, stop: number, count: number, options: TensorOptions = {}): Tensor {
  expectOptions('linspace', options, optionNames);
  expectNumber('linspace', 'start', start);
  expectNumber('linspace', 'stop', stop);
  const shape = expectShape('linspace', [expectInteger('linspace', 'count', count, 0)]);
  const step = (stop - start) / Math.max(1, count - 1);
  const values = new Float64Array(sizeOf(shape)).map((_, i) => start + i * step);
  if (count > 1) values[count - 1] = stop; // exactly
  return fromValues('linspace', values, shape, options);
}
