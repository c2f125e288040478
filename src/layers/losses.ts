/** Losses: `crossEntropy` (softmax and negative log-likelihood in one op) and `mse`. */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { mul } from '../../kernels/elementwise.ts';
import * as kernels from '../../kernels/softmax.ts';
import { softmaxCrossEntropy } from '../../kernels/fused/softmax.ts';
import { expectNumber, expectOneOf, expectOptions, ShapeError, ValueError } from '../tensor/errors.ts';
import { composite, constant, type Kept, op, type Op, run, runFused } from '../tensor/op.ts';
import { expandTo, view } from '../tensor/broadcast.ts';
import type { Value } from '../tensor/value.ts';
import { Tensor } from '../tensor/tensor.ts';
import { count } from './counted.ts';

/** How the losses of a batch are reduced: to their mean, to their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

const reductions = ['mean', 'sum', 'none'] as const;

/** Class indices, as an array or a tensor of integers. */
export type Labels = ArrayLike<number> | Tensor;

export interface CrossEntropyOptions {
  /** `'mean'` (default) averages over the labels that are not ignored. */
  readonly reduction?: Reduction;
  /** s in [0, 1): the target of class k, of K classes, is s/K, plus 1−s if k is the label. Default 0. */
  readonly labelSmoothing?: number;
  /** Rows with this label are ignored: their loss and gradient are 0. Default −100, as in PyTorch. */
  readonly ignoreIndex?: number;
}

/** One loss per row. The labels are in an object, so they are not an input and get no gradient. */
const crossEntropyRows: Op<[logits: Value, target: { readonly labels: Value }, smoothing: number]> = op({
  name: 'crossEntropy',
  forward: (logits, { labels }, smoothing) => run(kernels.crossEntropy, [logits, labels], { smoothing }),
  backward: (g, _y, logits, { labels }, smoothing) => [
    () => run(kernels.crossEntropyDx, [g, logits, labels], { smoothing }),
  ],
});

/** The class index of each row, and the weight of each row in the sum. */
interface Target {
  readonly labels: Value;
  readonly weights: Value;
}

type Weighted = [logits: Value, target: Target, smoothing: number];

/**
 * The weighted sum of the losses of the rows. The forward pass also computes the gradient of the logits z, because both
 * need softmax(z): dz = weight·(softmax(z) − onehot(label)), without label smoothing.
 */
const weightedCrossEntropy: Op<Weighted> = op<Weighted, Kept & { dlogits: Value }>({
  name: 'crossEntropy',
  forward: (logits, { labels, weights }, smoothing) => {
    const [loss, dlogits] = runFused(softmaxCrossEntropy, [logits, labels, weights], { smoothing });
    return { y: view(loss, []), dlogits };
  },
  backward: (g, { dlogits }) => [() => run(mul, [dlogits, expandTo(g, dlogits.shape)])],
});

/**
 * Softmax cross-entropy: loss = −ln softmax(logits)[label], the negative log-likelihood of the labels.
 * logits [batch, classes], labels [batch] → a single value, or [batch] with `reduction: 'none'`.
 *
 * Do not apply softmax first: it is part of the loss. Large logits do not overflow. Behaves as PyTorch's
 * `cross_entropy`, except that the mean is 0 if all labels are ignored; PyTorch returns NaN.
 *
 * @throws {ValueError} A label is neither an integer from 0 to classes − 1 nor `ignoreIndex`, or an option is unknown or
 *   out of its range.
 * @throws {ShapeError} The logits are not [batch, classes], the batch is empty, or the number of labels is not the
 *   batch.
 * @example
 * ```ts
 * import { crossEntropy, tensor } from 'gammabeta';
 *
 * const logits = tensor([[2, 0], [0, 2]], { requiresGrad: true });
 * const loss = crossEntropy(logits, [0, 1]);
 * console.log(loss.item().toFixed(4)); // 0.1269
 * ```
 */
export const crossEntropy: (logits: Tensor, labels: Labels, options?: CrossEntropyOptions) => Tensor =
  composite((logits, labels, options = {}) => {
    expectOptions('crossEntropy', options, ['reduction', 'labelSmoothing', 'ignoreIndex']);
    const { reduction = 'mean', labelSmoothing = 0, ignoreIndex = -100 } = options;
    expectOneOf('crossEntropy', 'reduction', reduction, reductions);
    expectNumber('crossEntropy', 'labelSmoothing', labelSmoothing, { from: 0, below: 1 });
    const targets = checkedLabels(logits, labels, ignoreIndex);
    const batch = [targets.length];
    const target = { labels: constant(logits, targets, batch) };
    if (reduction === 'none') return crossEntropyRows(logits, target, labelSmoothing);
    const counted = targets.reduce((n, label) => (label === kernels.IGNORED ? n : n + 1), 0);
    if (reduction === 'mean') count(counted);
    const weight = reduction === 'sum' ? 1 : counted === 0 ? 0 : 1 / counted;
    const weights = constant(logits, new Float64Array(targets.length).fill(weight), batch);
    return weightedCrossEntropy(logits, { ...target, weights }, labelSmoothing);
  });

/**
 * The mean squared error, (1/n) Σ (prediction − target)². With `reduction: 'sum'` their sum, with `'none'` one value
 * per element. Both tensors have the same shape: PyTorch broadcasts [n, 1] with [n] to [n, n], which is a common
 * mistake.
 *
 * @throws {ShapeError} The shapes differ, or the tensors are empty.
 * @throws {ValueError} The reduction or an option is unknown.
 * @example
 * ```ts
 * import { mse, tensor } from 'gammabeta';
 *
 * console.log(mse(tensor([1, 2]), tensor([1, 4])).item()); // 2
 * ```
 */
export const mse: (
  prediction: Tensor,
  target: Tensor,
  options?: { readonly reduction?: Reduction },
) => Tensor = composite((prediction, target, options = {}) => {
  expectOptions('mse', options, ['reduction']);
  const { reduction = 'mean' } = options;
  expectOneOf('mse', 'reduction', reduction, reductions);
  if (!sameShape(prediction.shape, target.shape) || prediction.size === 0) {
    throw new ShapeError(
      'mse',
      `prediction ${formatShape(prediction.shape)}, target ${formatShape(target.shape)}`,
      'both must have the same shape and at least one value: reshape the target',
    );
  }
  return reduced(prediction.sub(target).pow(2), reduction);
});

function reduced(losses: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return losses.sum();
  count(losses.size);
  return losses.sum().mul(1 / losses.size);
}

/** Checks the labels: returns them with `IGNORED` in place of `ignoreIndex`. */
function checkedLabels(logits: Tensor, labels: Labels, ignoreIndex: number): Float64Array {
  const values = Float64Array.from(labels instanceof Tensor ? labels.dataSync() : labels);
  const [batch, classes] = logits.shape;
  if (logits.shape.length !== 2 || batch === 0 || classes === 0) {
    const hint = 'logits are [batch, classes], with at least one of each';
    throw new ShapeError('crossEntropy', `logits ${formatShape(logits.shape)}`, hint);
  }
  if (values.length !== batch) {
    const hint = 'give one class index for each row of the logits';
    throw new ShapeError('crossEntropy', `${values.length} labels for a batch of ${batch}`, hint);
  }
  for (let row = 0; row < batch; row++) {
    const label = values[row];
    if (label === ignoreIndex) values[row] = kernels.IGNORED;
    else if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      const problem = `label ${label} at row ${row}, with ${classes} classes`;
      throw new ValueError('crossEntropy', problem, `labels are integers from 0 to ${classes - 1}`);
    }
  }
  return values;
}
