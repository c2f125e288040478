import { expectNumber, expectOptions } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { reduceLosses, type Targets, targetsOf } from './elementwise-loss.ts';
import type { HuberOptions } from './layer-options.ts';

/**
 * The Huber loss, for regression with outliers: d²/2 for an error |d| ≤ δ, and δ·(|d| − δ/2) for larger ones, with
 * d = prediction − target. By default the mean over all values. Behaves as PyTorch's `huber_loss`; the target is what
 * {@link mse} takes.
 *
 * @throws {ShapeError} The target does not fit the prediction, or the mean of zero values is asked for.
 * @throws {ValueError} A target in an array is not a finite number, or an option is unknown or out of its range.
 * @example
 * ```ts
 * import { huber, tensor } from 'gammabeta';
 *
 * console.log(huber(tensor([1, 10]), [0, 0], { reduction: 'none' }).toArray()); // [ 0.5, 9.5 ]
 * ```
 */
export const huber: (prediction: Tensor, target: Targets, options?: HuberOptions) => Tensor = composite(
  (prediction, target, options = {}) => {
    expectOptions('huber', options, ['delta', 'reduction']);
    const { delta = 1, reduction } = options;
    expectNumber('huber', 'delta', delta, { above: 0 });
    const y = targetsOf('huber', prediction, target);
    const error = prediction.sub(y).abs();
    const squared = error.neg().maximum(-delta).neg(); // min(|d|, δ): the part of the error that is squared
    return reduceLosses('huber', squared.mul(error.sub(squared.div(2))), reduction);
  },
);
