import { formatShape } from '../../kernels/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Batch, DataLoader } from '../data/loader.ts';
import { isBuiltin, type Layer } from '../layers/layer.ts';
import { crossEntropy } from '../layers/losses.ts';
import { tensor } from '../tensor/create.ts';
import { ShapeError } from '../tensor/errors.ts';
import type { NumericArray } from '../../kernels/kernel.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { accuracy, type Metric, type Metrics } from './metrics.ts';
import type { Results } from './history.ts';

/** A loss of a batch, as a mean over it: a single value. */
export type Loss = (output: Tensor, labels: NumericArray) => Tensor;

/** The loss of classification, unless another is given. */
export const defaultLoss: Loss = (output, labels) => crossEntropy(output, labels);

/** Where batches come from: a loader, or a dataset, which is gone through in its order. */
export type BatchSource = DataLoader | Dataset;

const EVALUATION_BATCH = 256;

export function loaderOf(source: BatchSource): DataLoader {
  return source instanceof DataLoader ? source : new DataLoader(source, { batchSize: EVALUATION_BATCH });
}

/** The batch's x on the device, in the type of the model's parameters. */
export function inputOf(model: Layer, { x, shape }: Batch): Tensor {
  const parameter = model.anyParameter();
  return tensor(x, { shape, ...(parameter && { dtype: parameter.dtype, device: parameter.home }) });
}

/** What one batch was, and became. */
export interface BatchTensors {
  readonly x: Tensor;
  readonly output: Tensor;
  readonly error: Tensor;
}

/**
 * Gives a batch's memory back at once, where no user code can have kept it: x, if all layers are the library's and
 * the output is not x itself; output and loss, if loss and metrics are the library's as well.
 */
export function doneWith(
  { x, output, error }: BatchTensors,
  model: Layer,
  functions: readonly (Loss | Metric)[],
): void {
  if (output.storage === x.storage || !model.modules().every(isBuiltin)) return;
  const unseen = functions.every((fn) => ours.has(fn)) ? [x, output, error] : [x];
  for (const { home, storage } of unseen) home.free(storage);
}

/** Functions that do not keep what they are given. */
const ours: ReadonlySet<Loss | Metric> = new Set<Loss | Metric>([defaultLoss, crossEntropy, accuracy]);

/** The loss of a batch; of several values, the first would pass for all of them. */
export function lossOf(op: string, loss: Loss, output: Tensor, labels: NumericArray): Tensor {
  const error = loss(output, labels);
  if (error.size === 1) return error;
  throw new ShapeError(
    op,
    `the loss is not a single value: shape ${formatShape(error.shape)}`,
    'return its mean over the batch',
  );
}

/** The metrics' values for one batch. */
export async function measure(metrics: Metrics, output: Tensor, labels: NumericArray): Promise<Results> {
  const values: Record<string, number> = {};
  for (const [name, metric] of Object.entries(metrics)) values[name] = await metric(output, labels);
  return values;
}
