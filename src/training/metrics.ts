import { formatShape } from '../../kernels/shape.ts';
import type { NumericArray } from '../../kernels/kernel.ts';
import type { Batch } from '../data/loader.ts';
import { count } from '../layers/counted.ts';
import { expectOptions, ShapeError, ValueError } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { validationColumn } from './history.ts';

/** Computes a metric, such as the accuracy, as a mean over a batch. */
export type Metric = (output: Tensor, labels: NumericArray) => number | Promise<number>;

/** Metrics by name. The name is also that of the column in the history. */
export type Metrics<Name extends string = string> = Readonly<Record<Name, Metric>>;

/** Throws {@link ValueError} if two columns of the history would have the same name. */
export function expectMetricNames(op: string, metrics: Metrics): void {
  const names = ['loss', ...Object.keys(metrics)];
  const columns = [...names, ...names.map(validationColumn), 'seconds'];
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice === undefined) return;
  throw new ValueError(op, `two columns named ${twice}`, 'give the metric another name');
}

/**
 * The accuracy of classification: the share of rows whose largest output is at the index of the label.
 * output [batch, classes], labels [batch]. Labels of `ignoreIndex` (default −100) do not count; 0 if none counts.
 *
 * @returns A number from 0 to 1.
 * @throws {ShapeError} The output is not [batch, classes] with one row per label.
 * @example
 * ```ts
 * import { accuracy, tensor } from 'gammabeta';
 *
 * console.log(await accuracy(tensor([[1, 0], [3, 2]]), new Uint8Array([0, 1]))); // 0.5
 * ```
 */
export const accuracy: (
  output: Tensor,
  labels: NumericArray,
  options?: { readonly ignoreIndex?: number },
) => Promise<number> = composite(async (output, labels, options = {}) => {
  expectOptions('accuracy', options, ['ignoreIndex']);
  const { ignoreIndex = -100 } = options;
  const [batch] = output.shape;
  if (output.shape.length !== 2 || batch !== labels.length || batch === 0) {
    throw new ShapeError(
      'accuracy',
      `output ${formatShape(output.shape)} for ${labels.length} labels`,
      'the output must be [batch, classes], with one row per label',
    );
  }
  let counted = 0;
  for (const label of labels) if (label !== ignoreIndex) counted++;
  count(counted);
  const predicted = await output.argmax(1).data();
  let correct = 0;
  for (let i = 0; i < batch; i++) if (labels[i] !== ignoreIndex && predicted[i] === labels[i]) correct++;
  return counted === 0 ? 0 : correct / counted;
});

/**
 * The metrics of `fit` and `evaluate` if none are given: the accuracy for class labels, that is, outputs
 * [batch, classes] with at least two classes and one whole number per row; none for other targets.
 */
export function defaultMetrics({ shape }: Tensor, { labels }: Pick<Batch, 'labels'>): Metrics {
  const isClassification = shape.length === 2 && shape[1] > 1 && shape[0] === labels.length;
  return isClassification && labels.every((label) => Number.isInteger(label)) ? { accuracy } : {};
}
