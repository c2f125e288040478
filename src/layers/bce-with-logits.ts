import { formatShape, sameShape } from '../../kernels/shape.ts';
import { broadcastShape } from '../tensor/broadcast.ts';
import { concat } from '../tensor/functions/concat.ts';
import { expectOptions, ShapeError, shown } from '../tensor/errors.ts';
import { numbersOf, type TensorData } from '../tensor/nested.ts';
import { composite, constant } from '../tensor/op.ts';
import { operand } from '../tensor/operands.ts';
import { Tensor } from '../tensor/tensor.ts';
import { expectNumbers, reduceLosses, type Targets, targetsOf } from './elementwise-loss.ts';
import { crossEntropy } from './losses.ts';
import type { BceWithLogitsOptions } from './layer-options.ts';

/**
 * Binary cross-entropy, the loss of outputs for yes or no: loss = −w·(p·y·ln σ(z) + (1−y)·ln(1 − σ(z))), with the
 * sigmoid σ(z) = 1/(1 + e⁻ᶻ). By default the mean over all values of z, which may have any shape: [batch],
 * [batch, 1], or [batch, questions].
 *
 * Do not apply the sigmoid first: it is part of the loss. Large logits do not overflow. Behaves as PyTorch's
 * `binary_cross_entropy_with_logits`. Targets and weights may be tensors on any device with synchronous reads, because
 * they are checked; on `webgpu`, pass arrays.
 *
 * @param y Numbers from 0 to 1: a flat array with one number per logit, as `fit` passes it, nested arrays of the shape
 *   of z, or a tensor of that shape.
 * @throws {ValueError} A target is not a number from 0 to 1, a weight is not a finite number ≥ 0, or an option is unknown.
 * @throws {ShapeError} The targets do not fit the logits, a weight does not broadcast to them, or the mean of zero
 *   values is asked for.
 * @example
 * ```ts
 * import { bceWithLogits, tensor } from 'gammabeta';
 *
 * const z = tensor([[0], [2], [-2]], { requiresGrad: true });
 * const loss = bceWithLogits(z, [1, 1, 0]);
 * console.log(loss.item().toFixed(4)); // 0.3157
 * ```
 */
export const bceWithLogits: (z: Tensor, y: Targets, options?: BceWithLogitsOptions) => Tensor = composite(
  (z, y, options = {}) => {
    expectOptions('bceWithLogits', options, ['reduction', 'weight', 'posWeight']);
    const target = targetsOf('bceWithLogits', z, y, { from: 0, to: 1 });
    const [whenNo, whenYes] = classLosses(z);
    const no = target.neg().add(1).mul(whenNo);
    const yes = target.mul(weighted(whenYes, 'posWeight', options.posWeight));
    const losses = weighted(no.add(yes), 'weight', options.weight);
    return reduceLosses('bceWithLogits', losses, options.reduction);
  },
);

/**
 * −ln(1 − σ(z)) and −ln σ(z). The sigmoid is the softmax of two classes, 0 and 1, whose logits are 0 and z: so these are
 * cross-entropies.
 */
function classLosses(z: Tensor): readonly Tensor[] {
  const column = [z.size, 1];
  const logits = concat([constant(z, new Float64Array(z.size), column), z.reshape(column)], 1);
  return [0, 1].map((k) => {
    const labels = new Uint8Array(z.size).fill(k);
    return crossEntropy(logits, labels, { reduction: 'none' }).reshape(z.extents);
  });
}

/** losses·weight, with checks. */
function weighted(losses: Tensor, name: string, weight: TensorData | Tensor | undefined): Tensor {
  if (weight === undefined) return losses;
  const values = weight instanceof Tensor ? weight.dataSync() : numbersOf('bceWithLogits', weight);
  expectNumbers('bceWithLogits', name, values, { from: 0 });
  const w = operand('bceWithLogits', losses, weight);
  if (!sameShape(broadcastShape('bceWithLogits', losses.extents, w.extents), losses.extents)) {
    const problem = `${name} is ${shown(w)}, for logits ${formatShape(losses.shape)}`;
    throw new ShapeError('bceWithLogits', problem, 'its shape must broadcast to that of the logits');
  }
  return losses.mul(w);
}
