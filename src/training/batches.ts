/** The forward pass, the loss and the metrics of one batch, for `fit`, `evaluate` and `predict`. */
import type { NumericArray, Shape } from '../../kernels/kernel.ts';
import { formatShape } from '../../kernels/shape.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Batch, DataLoader } from '../data/loader.ts';
import type { Layer } from '../layers/layer.ts';
import { crossEntropy } from '../layers/losses.ts';
import { inSequence } from '../layers/sequential.ts';
import { tensor } from '../tensor/create.ts';
import { expectFunction, GraphError, ShapeError, shown, ValueError } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import { counting } from './counting.ts';
import type { Measured } from './history.ts';
import { defaultMetrics, expectMetricNames, type Metrics } from './metrics.ts';

/**
 * Computes the loss of a batch, as a single value. `fit` minimizes it for each batch. Usually it is the mean over the
 * batch, because the size of a gradient step then does not depend on the batch size.
 */
export type Loss = (output: Tensor, labels: NumericArray) => Tensor;

/** The default loss, for classification. */
export const defaultLoss: Loss = crossEntropy;

/** A loader, or a dataset. */
export type BatchSource = DataLoader | Dataset;

/** The batch size for a dataset in `evaluate` and `predict`. */
export const EVALUATION_BATCH = 256;

/** The loader itself, or a loader for the dataset, whose examples are used in order. */
export function loaderOf(op: string, source: BatchSource, name = 'the data'): DataLoader {
  if (source instanceof DataLoader) return source;
  expectDataset(op, source, name);
  return new DataLoader(source, { batchSize: EVALUATION_BATCH });
}

/** Checks that data which is not a loader is an object like a dataset. `DataLoader` checks its parts. */
export function expectDataset(op: string, data: unknown, name: string, hint: string = DATA): void {
  if (typeof data === 'object' && data !== null && 'x' in data) return;
  const making = Array.isArray(data) ? '; dataset(rows, labels) makes one from arrays' : '';
  throw new ValueError(
    op,
    `${name} is neither a DataLoader nor a dataset: ${shown(data)}`,
    `${hint}${making}`,
  );
}

const DATA = 'pass a DataLoader, or a dataset { x, shape, labels }';

/** Checks that `signal` is the signal of an `AbortController`, or left out. */
export function expectSignal(op: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  const hint = 'pass the signal of an AbortController: { signal: controller.signal }';
  throw new ValueError(op, `signal is not an AbortSignal: ${shown(signal)}`, hint);
}

/** The loss and the metrics that a function was given, checked. The default metrics depend on the first batch. */
export class Measures {
  readonly loss: Loss;
  private metrics: Metrics | undefined;

  constructor(
    op: string,
    { loss = defaultLoss, metrics }: { loss?: Loss | undefined; metrics?: Metrics | undefined },
  ) {
    expectFunction(op, 'loss', loss);
    if (metrics !== undefined) expectMetricNames(op, metrics);
    this.loss = loss;
    this.metrics = metrics;
  }

  /** The metrics for a batch. */
  for(output: Tensor, batch: Batch): Metrics {
    return (this.metrics ??= defaultMetrics(output, batch));
  }
}

/** The result of the forward pass of one batch. */
export interface ForwardPass {
  readonly output: Tensor;
  /** The loss, on which to call `backward()`. */
  readonly error: Tensor;
  /** What the mean loss divides by, or `'sum'`. */
  readonly count: number | 'sum';
  /** Whether the loss is one of the library, as it is, so that it is known how the losses of batches combine. */
  readonly isReported: boolean;
}

/** Applies the model and the loss to one batch. `op` is the name of the caller, for error messages. */
export const forwardPass: (op: string, model: Layer, batch: Batch, loss: Loss) => ForwardPass = composite(
  (op, model, batch, loss) => {
    const output = inSequence([model], inputOf(model, batch));
    const { result: error, count, isReported } = counting(() => callUser(loss, output, batch.labels));
    expectSingleValue(op, error);
    if (error.node?.backward === null) {
      const hint = 'return the loss: the backward pass and the step follow it';
      throw new GraphError(op, 'the loss function called backward()', hint);
    }
    return { output, error, count: count ?? rowsOf(batch), isReported };
  },
);

/** The values of the metrics on one batch. All metrics are called before the first one is awaited. */
export async function measure(op: string, metrics: Metrics, output: Tensor, batch: Batch): Promise<Measured> {
  const calls = Object.entries(metrics).map(([name, metric]) => {
    const { result, count } = counting(() => callUser(metric, output.detach(), batch.labels));
    return { name, result, count: count ?? rowsOf(batch) };
  });
  const measured = await Promise.all(
    calls.map(async ({ name, result, count }) => {
      const value = await result;
      expectMeasured(op, name, value);
      return [name, { value, count }] as const;
    }),
  );
  return Object.fromEntries(measured);
}

/** The input x of a batch, on the device and in the element type of the model's parameters. */
export function inputOf(
  model: Layer,
  { x, shape }: { readonly x: NumericArray; readonly shape: Shape },
): Tensor {
  if (!parameters.has(model)) parameters.set(model, model.parameters().at(0));
  const parameter = parameters.get(model);
  return tensor(x, { shape, ...(parameter && { dtype: parameter.dtype, device: parameter.home }) });
}

/** One parameter of each model. Cached, because collecting the parameters for each batch takes longer. */
const parameters = new WeakMap<Layer, Tensor | undefined>();

function rowsOf({ shape }: Batch): number {
  return shape[0];
}

/** Checks that the loss is a single value. Otherwise the mean loss would use only its first value. */
export function expectSingleValue(op: string, error: Tensor): void {
  const given: unknown = error;
  if (!(given instanceof Tensor)) {
    const hint = 'return a tensor with the mean over the batch, not a promise of one';
    throw new ValueError(op, `the loss is not a tensor: ${shown(given)}`, hint);
  }
  if (error.size === 1) return;
  throw new ShapeError(
    op,
    `the loss is not a single value: shape ${formatShape(error.shape)}`,
    'return its mean over the batch',
  );
}

function expectMeasured(op: string, name: string, value: unknown): asserts value is number {
  if (typeof value === 'number') return;
  const hint = 'return a number, or a promise of one: for a tensor t, (await t.data())[0]';
  throw new ValueError(op, `the metric ${name} returned no number: ${shown(value)}`, hint);
}
