import { expectInteger, expectOptions, shown, ValueError } from '../errors.ts';
import { fromValues, optionNames } from '../fill.ts';
import type { TensorOptions } from '../tensor-types.ts';
import { expectShape } from '../indexing.ts';
import { Tensor } from '../tensor.ts';

/**
 * Class indices as rows of zeros with a 1 at the index: [n] → [n, classes]. A tensor of any shape gets a new last axis.
 *
 * @param labels Class indices: an array, a typed array, or a tensor, which is read.
 * @throws {ValueError} A label is not an integer from 0 to classes − 1, classes is not an integer ≥ 1, or an option is
 *   unknown.
 * @throws {DeviceError} The labels are a tensor on the device `webgpu`, which cannot read synchronously.
 * @example
 * ```ts
 * import { oneHot } from 'gammabeta';
 *
 * console.log(oneHot([2, 0], 3).toArray()); // [ [ 0, 0, 1 ], [ 1, 0, 0 ] ]
 * ```
 */
export function oneHot(
  labels: ArrayLike<number> | Tensor,
  classes: number,
  options: TensorOptions = {},
): Tensor {
  expectOptions('oneHot', options, optionNames);
  expectInteger('oneHot', 'classes', classes, 1);
  const indices = Array.from(arrayOf(labels));
  const inner = labels instanceof Tensor ? labels.shape : [indices.length];
  const shape = expectShape('oneHot', [...inner, classes]);
  const values = new Float32Array(indices.length * classes);
  indices.forEach((label, i) => {
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      const hint = `labels are integers from 0 to ${classes - 1}`;
      throw new ValueError('oneHot', `label ${i} is ${shown(label)}`, hint);
    }
    values[i * classes + label] = 1;
  });
  return fromValues('oneHot', values, shape, options);
}

function arrayOf(labels: ArrayLike<number> | Tensor): ArrayLike<number> {
  if (labels instanceof Tensor) return labels.dataSync();
  if (Array.isArray(labels) || (ArrayBuffer.isView(labels) && 'length' in labels)) return labels;
  throw new ValueError('oneHot', `labels is ${shown(labels)}`, 'an array of class indices is expected');
}
