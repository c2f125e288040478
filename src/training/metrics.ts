import { formatShape } from '../../kernels/shape.ts';
import type { NumericArray } from '../../kernels/kernel.ts';
import { ShapeError, ValueError } from '../tensor/errors.ts';
import { free } from '../tensor/memory.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { validationColumn } from './history.ts';

/** A number that says how well outputs fit labels: a mean over the batch. */
export type Metric = (output: Tensor, labels: NumericArray) => number | Promise<number>;

/** Metrics by name: the name is the column of the history. */
export type Metrics = Readonly<Record<string, Metric>>;

/** Throws {@link ValueError} where two columns of a history would have one name. */
export function expectMetricNames(op: string, metrics: Metrics): void {
  const names = ['loss', ...Object.keys(metrics)];
  const columns = [...names, ...names.map(validationColumn), 'seconds'];
  const twice = columns.find((column, i) => columns.indexOf(column) < i);
  if (twice === undefined) return;
  throw new ValueError(op, `two columns named ${twice}`, 'give the metric another name');
}

/**
 * The share of rows whose largest output is at the label. output [batch, classes], labels [batch].
 *
 * @returns From 0 to 1.
 * @throws {ShapeError} The output is not [batch, classes] with one row for each label.
 * @example
 * ```ts
 * import { accuracy, tensor } from 'gammabeta';
 *
 * console.log(await accuracy(tensor([[1, 0], [3, 2]]), new Uint8Array([0, 1]))); // 0.5
 * ```
 */
export async function accuracy(output: Tensor, labels: NumericArray): Promise<number> {
  const [batch] = output.shape;
  if (output.shape.length !== 2 || batch !== labels.length || batch === 0) {
    throw new ShapeError(
      'accuracy',
      `output ${formatShape(output.shape)} for ${labels.length} labels`,
      'the output is [batch, classes], with one row for each label',
    );
  }
  const largest = output.argmax(1);
  const predicted = await largest.data();
  free(largest);
  let right = 0;
  for (let i = 0; i < batch; i++) if (predicted[i] === labels[i]) right++;
  return right / batch;
}
