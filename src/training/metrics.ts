import { formatShape, sameShape } from '../../kernels/shape.ts';
import type { NumericArray, Shape } from '../../kernels/kernel.ts';
import type { Batch } from '../data/loader.ts';
import { counted } from '../layers/counted.ts';
import { expectNumbers } from '../layers/elementwise-loss.ts';
import { classIndices, elementsOf } from '../layers/losses.ts';
import type { Labels } from '../layers/layer-options.ts';
import {
  expectFunction,
  expectNumber,
  expectOptions,
  expectTensor,
  ShapeError,
  shown,
  ValueError,
} from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { validationColumn } from './history.ts';

/** Computes a metric, such as the accuracy, as a mean over a batch. */
export type Metric = (output: Tensor, labels: NumericArray) => number | Promise<number>;

/** Metrics by name. The name is also that of the column in the history. */
export type Metrics<Name extends string = string> = Readonly<Record<Name, Metric>>;

/** Throws {@link ValueError} if the metrics are not functions by name, or two columns would have the same name. */
export function expectMetricNames(op: string, metrics: Metrics): void {
  const given: unknown = metrics;
  const isPlain =
    typeof given === 'object' &&
    given !== null &&
    Object.prototype.toString.call(given) === '[object Object]';
  if (!isPlain) {
    throw new ValueError(op, `metrics is ${shown(given)}`, 'pass functions by name, as in { accuracy }');
  }
  for (const [name, metric] of Object.entries(metrics)) expectFunction(op, `metrics.${name}`, metric);
  const names = ['loss', ...Object.keys(metrics)];
  const columns = [...names, ...names.map(validationColumn), 'seconds'];
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice === undefined) return;
  throw new ValueError(op, `two columns named ${twice}`, 'give the metric another name');
}

/**
 * The accuracy of classification: the share of rows whose largest output is at the index of the label.
 * output [batch, classes], labels [batch]. Rows with the label `ignoreIndex` (default −100) do not count; the accuracy
 * is 0 if no row counts.
 *
 * @returns A number from 0 to 1.
 * @throws {ShapeError} The output is not [batch, classes] with at least two classes and one row per label.
 * @throws {ValueError} A label is neither an integer from 0 to classes − 1 nor `ignoreIndex`, or an option is unknown.
 * @example
 * ```ts
 * import { accuracy, tensor } from 'gammabeta';
 *
 * console.log(await accuracy(tensor([[1, 0], [3, 2]]), new Uint8Array([0, 1]))); // 0.5
 * ```
 */
export const accuracy: (
  output: Tensor,
  labels: Labels,
  options?: { readonly ignoreIndex?: number },
) => Promise<number> = composite(async (output, labels, options = {}) => {
  expectOptions('accuracy', options, ['ignoreIndex']);
  const { ignoreIndex = -100 } = options;
  const { extents: shape } = expectTensor('accuracy', 'output', output);
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (isColumn || shape.length !== 2) {
    const hint = `the output must be [batch, classes]${isColumn ? '; for one output per row, use binaryAccuracy' : ''}`;
    throw new ShapeError('accuracy', `output ${formatShape(shape)}`, hint);
  }
  const classes = classIndices('accuracy', output, labels, ignoreIndex);
  expectRows('accuracy', shape);
  const total = classes.filter((k) => k >= 0).length;
  counted(null, total);
  const predicted = await output.argmax(1).data();
  const correct = classes.filter((k, row) => predicted[row] === k).length;
  return total === 0 ? 0 : correct / total;
});

/**
 * The accuracy of one output for yes or no: the share of rows where the output is above the threshold exactly if the
 * label is above 0.5. output [batch, 1] or [batch], labels [batch].
 *
 * @param options.threshold 0 by default, which is right for logits; 0.5 for probabilities.
 * @returns A number from 0 to 1. A row whose output is NaN is wrong.
 * @throws {ShapeError} The output is not [batch, 1] or [batch] with one row per label.
 * @throws {ValueError} A label is not a number from 0 to 1, or an option is unknown.
 * @example
 * ```ts
 * import { binaryAccuracy, tensor } from 'gammabeta';
 *
 * console.log(await binaryAccuracy(tensor([[0.9], [0.8], [-3], [2]]), new Uint8Array([1, 1, 0, 0]))); // 0.75
 * ```
 */
export const binaryAccuracy: (
  output: Tensor,
  labels: Labels,
  options?: { readonly threshold?: number },
) => Promise<number> = composite(async (output, labels, options = {}) => {
  expectOptions('binaryAccuracy', options, ['threshold']);
  const { threshold = 0 } = options;
  expectNumber('binaryAccuracy', 'threshold', threshold);
  const { extents: shape } = expectTensor('binaryAccuracy', 'output', output);
  const [batch] = shape;
  if (!sameShape(shape, [batch]) && !sameShape(shape, [batch, 1])) {
    const hint = 'the output must be [batch, 1] or [batch]; for several classes, use accuracy';
    throw new ShapeError('binaryAccuracy', `output ${formatShape(shape)}`, hint);
  }
  const given = elementsOf(labels);
  if (given?.length !== batch) {
    const problem = `labels are ${shown(labels)}, for a batch of ${batch}`;
    throw new ShapeError('binaryAccuracy', problem, 'give one label, 0 or 1, for each row of the output');
  }
  expectNumbers('binaryAccuracy', 'labels', given, { from: 0, to: 1 });
  expectRows('binaryAccuracy', shape);
  counted(null, batch);
  const isYes = Array.from(given, (label) => label > 0.5);
  const values = await output.data();
  const isCorrect = (yes: boolean, row: number) => (yes ? values[row] > threshold : values[row] <= threshold);
  return isYes.filter(isCorrect).length / batch;
});

function expectRows(op: string, shape: Shape): void {
  if (shape[0] > 0) return;
  throw new ShapeError(
    op,
    `output ${formatShape(shape)}`,
    'a share of zero rows is undefined: skip the batch',
  );
}

/**
 * The name of the metric if none are given, for the option `loss` of type L. Without that option, there is an accuracy.
 * With it, the data decides (see `defaultMetrics`), so the column is optional.
 */
export type DefaultMetric<L> = undefined extends L ? 'accuracy' : 'accuracy?';

/**
 * The metrics of `fit` and `evaluate` if none are given: the accuracy for class labels, that is, outputs
 * [batch, classes] with at least two classes and one whole number per row; none for other targets.
 */
export function defaultMetrics({ extents: shape }: Tensor, { labels }: Pick<Batch, 'labels'>): Metrics {
  const isClassification = shape.length === 2 && shape[1] > 1 && shape[0] === labels.length;
  return isClassification && labels.every((label) => Number.isInteger(label)) ? { accuracy } : {};
}
