import { formatShape } from '../../kernels/shape.ts';
import type { NumericArray } from '../../kernels/kernel.ts';
import { ShapeError, ValueError } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { validationColumn } from './history.ts';

/** Computes a metric, such as the accuracy, as a mean over a batch. */
export type Metric = (output: Tensor, labels: NumericArray) => number | Promise<number>;

/** Metrics by name. The name is also that of the column in the history. */
export type Metrics = Readonly<Record<string, Metric>>;

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
 * output [batch, classes], labels [batch].
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
export const accuracy: Metric = composite(async (output, labels) => {
  const [batch] = output.shape;
  if (output.shape.length !== 2 || batch !== labels.length || batch === 0) {
    throw new ShapeError(
      'accuracy',
      `output ${formatShape(output.shape)} for ${labels.length} labels`,
      'the output must be [batch, classes], with one row per label',
    );
  }
  const predicted = await output.argmax(1).data();
  let correct = 0;
  for (let i = 0; i < batch; i++) if (predicted[i] === labels[i]) correct++;
  return correct / batch;
});
