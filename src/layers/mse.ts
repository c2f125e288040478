import { expectOptions } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { reduceLosses, type Targets, targetsOf } from './elementwise-loss.ts';
import type { Reduction } from './layer-options.ts';

/**
 * The mean squared error, (1/n) Σ (prediction − target)² over all n values. With `reduction: 'sum'` their sum, with
 * `'none'` one value per element.
 *
 * The target is a flat array with one number per value of the prediction, as `fit` passes it, or has the prediction's
 * shape: nested arrays or a tensor. PyTorch broadcasts a prediction [n, 1] and a target [n] to [n, n], which is a common
 * mistake; here a tensor [n] is refused.
 *
 * @throws {ShapeError} The target does not fit the prediction, or the mean of zero values is asked for.
 * @throws {ValueError} A target in an array is not a finite number, or the reduction or an option is unknown.
 * @example
 * ```ts
 * import { mse, tensor } from 'gammabeta';
 *
 * console.log(mse(tensor([[1], [2]]), [1, 4]).item()); // 2
 * ```
 */
export const mse: (
  prediction: Tensor,
  target: Targets,
  options?: { readonly reduction?: Reduction },
) => Tensor = composite((prediction, target, options = {}) => {
  expectOptions('mse', options, ['reduction']);
  const y = targetsOf('mse', prediction, target);
  return reduceLosses('mse', prediction.sub(y).pow(2), options.reduction);
});
