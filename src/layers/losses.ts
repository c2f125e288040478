/** Softmax cross-entropy, the loss of classification. The other losses are in files of their own. */
import { formatShape } from '../../kernels/shape.ts';
import { scaleBy } from '../../kernels/elementwise.ts';
import * as kernels from '../../kernels/softmax.ts';
import { softmaxCrossEntropy } from '../../kernels/fused/softmax.ts';
import {
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectTensor,
  ShapeError,
  shown,
  ValueError,
} from '../tensor/errors.ts';
import { composite, constant, op, run, runFused } from '../tensor/op.ts';
import type { Kept, Op } from '../tensor/op-definition.ts';
import { view } from '../tensor/broadcast.ts';
import type { Value } from '../tensor/value.ts';
import { Tensor } from '../tensor/tensor.ts';
import { counted } from './counted.ts';
import type { Reduction, Labels, CrossEntropyOptions } from './layer-options.ts';

export const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

const optionNames = ['reduction', 'labelSmoothing', 'ignoreIndex', 'weight'];

/** One loss per row. The labels are in an object, so they are not an input and get no gradient. */
const crossEntropyRows: Op<[logits: Value, target: { readonly labels: Value }, smoothing: number]> = op({
  name: 'crossEntropy',
  forward: (logits, { labels }, smoothing) => run(kernels.crossEntropy, [logits, labels], { smoothing }),
  backward: (g, _y, logits, { labels }, smoothing) => [
    () => run(kernels.crossEntropyDx, [g, logits, labels], { smoothing }),
  ],
});

/** The target is the class index of each row, and the weight of each row in the sum. */
type Weighted = [
  logits: Value,
  target: { readonly labels: Value; readonly weights: Value },
  smoothing: number,
];

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
  backward: (g, { dlogits }) => [() => run(scaleBy, [dlogits, g])],
});

/**
 * Softmax cross-entropy: loss = −ln softmax(logits)[label], the negative log-likelihood of the labels.
 * logits [batch, classes], labels [batch] → a single value, or [batch] with `reduction: 'none'`.
 *
 * With class weights w, the mean is Σᵢ w[labelᵢ]·lossᵢ / Σᵢ w[labelᵢ]. With label smoothing s, the loss of a row is
 * −Σₖ t[k]·ln softmax(logits)[k] with the targets t[k] = w[k]·((1−s)·[k = label] + s/classes).
 *
 * Do not apply softmax first: it is part of the loss. Large logits do not overflow. Behaves as PyTorch's
 * `cross_entropy`, except that a mean is 0, with gradient 0, if all labels are ignored or have weight 0; PyTorch returns
 * NaN. Labels and weights may be tensors on any device with synchronous reads; on `webgpu`, pass arrays.
 *
 * @throws {ValueError} A label is neither an integer from 0 to classes − 1 nor `ignoreIndex`, a weight is not a finite
 *   number ≥ 0, or an option is unknown or out of its range.
 * @throws {ShapeError} The logits are not [batch, classes], there is not one label per row or one weight per class, or
 *   the mean of zero rows is asked for.
 * @example
 * ```ts
 * import { crossEntropy, tensor } from 'gammabeta';
 *
 * const logits = tensor([[2, 0], [0, 2]], { requiresGrad: true });
 * const loss = crossEntropy(logits, [0, 1]);
 * console.log(loss.item().toFixed(4)); // 0.1269
 * console.log(crossEntropy(logits, [0, 0], { weight: [3, 1] }).item().toFixed(4)); // 1.1269
 * ```
 */
export const crossEntropy: (logits: Tensor, labels: Labels, options?: CrossEntropyOptions) => Tensor =
  composite((logits, labels, options = {}) => {
    expectOptions('crossEntropy', options, optionNames);
    const { reduction = 'mean', labelSmoothing = 0, ignoreIndex = -100 } = options;
    expectOneOf('crossEntropy', 'reduction', reduction, reductions);
    expectNumber('crossEntropy', 'labelSmoothing', labelSmoothing, { from: 0, to: 1 });
    const indices = classIndices('crossEntropy', logits, labels, ignoreIndex);
    if (reduction === 'mean' && indices.length === 0) {
      const hint = "a mean needs at least one row: use reduction: 'sum' or 'none'";
      throw new ShapeError('crossEntropy', `logits ${formatShape(logits.shape)}`, hint);
    }
    const w = options.weight === undefined ? null : classWeights(options.weight, logits.extents[1]);
    const rowWeights = indices.map((label) => (label === kernels.IGNORED ? 0 : (w?.[label] ?? 1)));
    const n = reduction === 'mean' ? rowWeights.reduce((sum, each) => sum + each, 0) : 'sum';
    const divisor = n === 'sum' ? 1 : n || Infinity; // a mean over nothing is 0
    const first = w === null ? -1 : indices.findIndex((label) => label !== kernels.IGNORED);
    if (w !== null && labelSmoothing > 0 && first >= 0) {
      // A row that counts takes the place of each ignored one, whose values may be NaN; its targets are 0.
      const rows = indices.map((label, i) => (label === kernels.IGNORED ? first : i));
      const z = indices.includes(kernels.IGNORED) ? logits.gather(rows) : logits;
      const t = weightedTargets(indices, w, labelSmoothing).map((each) => -each / divisor);
      const losses = z.logSoftmax(1).mul(constant(logits, t, logits.extents));
      if (reduction === 'none') return losses.sum(1);
      if (reduction === 'sum' || !w.includes(0)) return counted(losses.sum(), n);
      counted(null, n); // a class of weight 0 has targets, but adds nothing to n: means of batches do not combine
      return losses.sum();
    }
    for (let i = 0; i < rowWeights.length; i++) rowWeights[i] /= divisor;
    const perRow = (values: Float64Array) => constant(logits, values, [indices.length]);
    const target = { labels: perRow(indices), weights: perRow(rowWeights) };
    if (reduction !== 'none') return counted(weightedCrossEntropy(logits, target, labelSmoothing), n);
    const losses = crossEntropyRows(logits, target, labelSmoothing);
    return w === null ? losses : losses.mul(target.weights);
  });

/** The targets with class weights w and smoothing s: t[i,k] = w[k]·((1−s)·[k = label] + s/K); 0 in ignored rows. */
function weightedTargets(labels: Float64Array, w: Float64Array, s: number): Float64Array {
  const K = w.length;
  return new Float64Array(labels.length * K).map((_, at) => {
    const [label, k] = [labels[Math.floor(at / K)], at % K];
    return label === kernels.IGNORED ? 0 : w[k] * ((k === label ? 1 - s : 0) + s / K);
  });
}

/** Checks class weights: one finite number ≥ 0 for each class. */
function classWeights(weight: unknown, classes: number): Float64Array {
  const given = elementsOf(weight);
  if (given?.length === classes)
    return Float64Array.from(given, (w, k) => expectNumber('crossEntropy', `weight[${k}]`, w, { from: 0 }));
  const problem = `weight is ${shown(weight)}, for ${classes} classes`;
  throw new ShapeError('crossEntropy', problem, 'give one number ≥ 0 for each class');
}

/** Checks logits and labels. Returns the labels with `IGNORED`, which is negative, in place of `ignoreIndex`. */
export function classIndices(op: string, logits: Tensor, labels: unknown, ignoreIndex: number): Float64Array {
  expectInteger(op, 'ignoreIndex', ignoreIndex, Number.MIN_SAFE_INTEGER);
  const [batch, classes, ...more] = expectTensor(op, 'logits', logits).extents;
  if (!(classes > 0) || more.length > 0) {
    const hint = 'logits are [batch, classes], with at least one class';
    throw new ShapeError(op, `logits ${formatShape(logits.shape)}`, hint);
  }
  const given = elementsOf(labels);
  if (given?.length !== batch) {
    const problem =
      given === null ? `labels is ${shown(labels)}` : `${given.length} labels for a batch of ${batch}`;
    const index = 'give one class index for each row of the logits; for a one-hot tensor, labels.argmax(1)';
    const hint = `${index}; mse takes targets of several numbers`;
    throw new ShapeError(op, problem, hint);
  }
  const indices = new Float64Array(batch);
  for (let row = 0; row < batch; row++) {
    const label = given[row];
    const isIndex = Number.isInteger(label) && label >= 0 && label < classes;
    if (!isIndex && label !== ignoreIndex) throw labelError(op, label, row, classes);
    indices[row] = label === ignoreIndex ? kernels.IGNORED : label;
  }
  return indices;
}

function labelError(op: string, label: unknown, row: number, classes: number): ValueError {
  const problem = `label ${shown(label)} at row ${row}, with ${classes} class${classes === 1 ? '' : 'es'}`;
  if (classes === 1 && typeof label === 'number') {
    const hint = 'for one output per row, use bceWithLogits (yes or no) or mse (numbers)';
    return new ValueError(op, problem, hint);
  }
  const isFraction = typeof label === 'number' && Number.isFinite(label) && !Number.isInteger(label);
  const isConvertible = /bigint|string|boolean/.test(typeof label) && Number.isInteger(Number(label));
  const others = `, or the ignoreIndex${isFraction ? '; mse takes other numbers' : ''}`;
  const converting = isConvertible ? ': pass Array.from(labels, Number)' : others;
  const hint = Array.isArray(label) ? ', not one-hot rows: pass tensor(labels).argmax(1)' : converting;
  return new ValueError(op, problem, `labels are integers from 0 to ${classes - 1}${hint}`);
}

/** The elements of an array or a tensor, unchecked; null of anything else. */
export function elementsOf(x: unknown): ArrayLike<number> | null {
  if (x instanceof Tensor) return x.dataSync();
  const isArrayLike = typeof x === 'string' || (typeof x === 'object' && x !== null && 'length' in x);
  return isArrayLike ? (x as ArrayLike<number>) : null;
}
