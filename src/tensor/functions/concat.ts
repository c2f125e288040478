import { concat as kernel } from '../../../kernels/concat.ts';
import { sliceAxis } from '../../../kernels/layout.ts';
import { resolveAxis } from '../../../kernels/shape.ts';
import { expectTensors, ShapeError } from '../errors.ts';
import { op, run } from '../op.ts';
import type { Op } from '../op-definition.ts';
import type { Tensor } from '../tensor.ts';
import type { Value } from '../value.ts';

/** Joins any number of tensors along an existing axis. The gradient is sliced into the parts of the inputs. */
export const joined: Op<[axis: number, ...inputs: Value[]]> = op({
  name: 'concat',
  forward: (axis, ...inputs) => run(kernel, inputs, { axis }),
  backward: (g, _y, axis, ...inputs) => {
    let end = 0;
    return inputs.map((input) => {
      const begin = end;
      end += input.shape[axis];
      const range = { axis, begin, end };
      return () => run(sliceAxis, [g], range);
    });
  },
});

/**
 * Joins tensors along an existing axis, as NumPy's `concatenate`. All other extents must be equal.
 *
 * @throws {ValueError} The first argument is not an array of tensors.
 * @throws {ShapeError} The list is empty, the axis does not exist, or the other extents differ.
 * @throws {DTypeError} The tensors have different element types.
 * @throws {DeviceError} The tensors are on different devices.
 * @example
 * ```ts
 * import { concat, tensor } from 'gammabeta';
 *
 * console.log(concat([tensor([[1, 2]]), tensor([[3, 4]])], 0).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  expectTensors('concat', 'tensors', tensors);
  if (tensors.length === 0) throw new ShapeError('concat', 'no tensors', 'pass at least one');
  return joined(resolveAxis('concat', tensors[0].shape, axis), ...tensors);
}
