/** The forward pass, the loss and the metrics of one batch, for `fit` and `evaluate`. */
import type { NumericArray } from '../../kernels/kernel.ts';
import { formatShape } from '../../kernels/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Batch, DataLoader } from '../data/loader.ts';
import type { Layer } from '../layers/layer.ts';
import { crossEntropy } from '../layers/losses.ts';
import { inSequence } from '../layers/sequential.ts';
import { tensor } from '../tensor/create.ts';
import { ShapeError } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import type { Results } from './history.ts';
import type { Metrics } from './metrics.ts';

/** Computes the mean loss of a batch, as a single value. */
export type Loss = (output: Tensor, labels: NumericArray) => Tensor;

/** The default loss, for classification. */
export const defaultLoss: Loss = crossEntropy;

/** A loader, or a dataset, whose examples are used in order. */
export type BatchSource = DataLoader | Dataset;

/** The batch size for a dataset. */
const EVALUATION_BATCH = 256;

/** The loader itself, or a loader for the dataset. */
export function loaderOf(source: BatchSource): DataLoader {
  return source instanceof DataLoader ? source : new DataLoader(source, { batchSize: EVALUATION_BATCH });
}

/** The result of the forward pass of one batch. */
export interface ForwardPass {
  readonly output: Tensor;
  /** The loss, on which to call `backward()`. */
  readonly error: Tensor;
}

/** Applies the model and the loss to one batch. `op` is the name of the caller, for error messages. */
export const forwardPass: (op: string, model: Layer, batch: Batch, loss: Loss) => ForwardPass = composite(
  (op, model, batch, loss) => {
    const output = inSequence([model], inputOf(model, batch));
    const error = callUser(loss, output, batch.labels);
    expectSingleValue(op, error);
    return { output, error };
  },
);

/** The values of the metrics on one batch. All metrics are called before the first one is awaited. */
export async function measure(metrics: Metrics, output: Tensor, labels: NumericArray): Promise<Results> {
  const values = Object.values(metrics).map((metric) => callUser(metric, output.detach(), labels));
  const measured = await Promise.all(values.map((value) => Promise.resolve(value)));
  return Object.fromEntries(Object.keys(metrics).map((name, k) => [name, measured[k]]));
}

/** The input x of a batch, on the device and in the element type of the model's parameters. */
export function inputOf(model: Layer, { x, shape }: Batch): Tensor {
  if (!parameters.has(model)) parameters.set(model, model.parameters().at(0));
  const parameter = parameters.get(model);
  return tensor(x, { shape, ...(parameter && { dtype: parameter.dtype, device: parameter.home }) });
}

/** One parameter of each model. Cached, because collecting the parameters for each batch takes longer. */
const parameters = new WeakMap<Layer, Tensor | undefined>();

/** Checks that the loss is a single value. Otherwise the mean loss would use only its first value. */
function expectSingleValue(op: string, error: Tensor): void {
  if (error.size === 1) return;
  throw new ShapeError(
    op,
    `the loss is not a single value: shape ${formatShape(error.shape)}`,
    'return its mean over the batch',
  );
}
