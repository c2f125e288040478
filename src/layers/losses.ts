/** Losses. `crossEntropy` is softmax and negative log-likelihood in one op: dz = softmax(z) − onehot(label). */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { mul } from '../../kernels/elementwise.ts';
import * as kernels from '../../kernels/softmax.ts';
import { softmaxCrossEntropy } from '../../kernels/fused/softmax.ts';
import { expectNumber, expectOneOf, expectOptions, ShapeError, ValueError } from '../tensor/errors.ts';
import { composite, constant, type Kept, op, type Op, run, runFused } from '../tensor/op.ts';
import { expandTo, view } from '../tensor/broadcast.ts';
import type { Value } from '../tensor/value.ts';
import { Tensor } from '../tensor/tensor.ts';

/** How the losses of a batch become one: their mean, their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

const reductions = ['mean', 'sum', 'none'] as const;

/** Class indices: any array of integers, or a tensor of them. */
export type Labels = ArrayLike<number> | Tensor;

export interface CrossEntropyOptions {
  /** `'mean'` by default: over the labels that are not ignored. */
  readonly reduction?: Reduction;
  /** s in [0, 1): the target is (1−s) for the label plus s/K for each of the K classes. 0. */
  readonly labelSmoothing?: number;
  /** A label that does not count. −100, as in PyTorch. */
  readonly ignoreIndex?: number;
}

/** One loss per row. Labels are no input: nothing flows to them. */
export const crossEntropyRows: Op<[logits: Value, target: { readonly labels: Value }, smoothing: number]> =
  op({
    name: 'crossEntropy',
    forward: (logits, { labels }, smoothing) => run(kernels.crossEntropy, [logits, labels], { smoothing }),
    backward: (g, _y, logits, { labels }, smoothing) => [
      () => run(kernels.crossEntropyDx, [g, logits, labels], { smoothing }),
    ],
  });

/** What the loss is of, and how much each row counts. */
interface Target {
  readonly labels: Value;
  readonly weights: Value;
}

type Weighted = [logits: Value, target: Target, smoothing: number];

/** The weighted sum over the rows, as one value. Its gradient comes along: dz = weight·(softmax(z) − onehot). */
export const weightedCrossEntropy: Op<Weighted> = op<Weighted, Kept & { dlogits: Value }>({
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
 * Takes logits: do not apply softmax first. Large logits do not overflow. Behaves as PyTorch's
 * `cross_entropy`, except that a mean over zero labels throws; PyTorch returns NaN.
 *
 * @throws {ValueError} A label is not an integer from 0 to classes − 1 (nor `ignoreIndex`), all labels are
 *   ignored, or an option is out of its range.
 * @throws {ShapeError} The logits are not [batch, classes], the batch is empty, or the labels are more or fewer.
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
    const weight = reduction === 'mean' ? 1 / countOf(targets, ignoreIndex) : 1;
    const weights = constant(logits, new Float64Array(targets.length).fill(weight), batch);
    return weightedCrossEntropy(logits, { ...target, weights }, labelSmoothing);
  });

/**
 * The squared error (prediction − target)², its mean by default. Both have one shape.
 *
 * @throws {ShapeError} The shapes differ, or are empty. They do not broadcast: a [n, 1] against an [n] is a mistake.
 * @throws {ValueError} The reduction is unknown.
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
      'give both one shape that is not empty: reshape the target',
    );
  }
  return reduced(prediction.sub(target).pow(2), reduction, prediction.size);
});

function reduced(losses: Tensor, reduction: Reduction, count: number): Tensor {
  if (reduction === 'none') return losses;
  return reduction === 'sum' ? losses.sum() : losses.sum().mul(1 / count);
}

/** The number of labels that are not ignored: at least one. */
function countOf(targets: Float64Array, ignoreIndex: number): number {
  const counted = targets.filter((label) => label !== kernels.IGNORED).length;
  if (counted > 0) return counted;
  const problem = `all ${targets.length} labels are ignored (${ignoreIndex})`;
  const hint = "a mean over zero labels is undefined: leave the batch out, or use reduction: 'sum'";
  throw new ValueError('crossEntropy', problem, hint);
}

/** The labels as integers from 0 to classes − 1, with `IGNORED` in place of `ignoreIndex`. */
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
