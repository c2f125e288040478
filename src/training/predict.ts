import type { FloatArray, NumericArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { type Dataset, exampleSize } from '../data/dataset.ts';
import { type Batch, DataLoader } from '../data/loader.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { inSequence } from '../layers/sequential.ts';
import { tensor } from '../tensor/create.ts';
import type { NestedArray } from '../tensor/nested.ts';
import { cpu } from '../tensor/device/cpu.ts';
import { expectInteger, expectOptions, ShapeError } from '../tensor/errors.ts';
import { expectShape } from '../tensor/indexing.ts';
import { composite } from '../tensor/op.ts';
import { noGrad } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { EVALUATION_BATCH, expectDataset, expectSignal, inputOf } from './batches.ts';
import { breathe } from './breathe.ts';
import { inEvaluation } from './mode.ts';
import { snapshot } from './snapshot.ts';

export interface PredictOptions {
  /** The number of examples in a batch. Default 256, or that of the loader. */
  readonly batchSize?: number;
  /** Stops between two batches. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What `predict` takes: examples with or without labels. */
export type Examples = DataLoader | Omit<Dataset, 'labels'> | Tensor | NestedArray | readonly NumericArray[];

/**
 * Computes the outputs of a model, in evaluation mode and without gradients, batch by batch. It uses the model as it is
 * at the time of the call, also if training goes on meanwhile.
 *
 * @param data Examples along the first axis: a dataset (its labels are not used), a loader (its dataset, in order), a
 *   tensor, or nested arrays.
 * @returns The outputs [n, …] for n examples in order, on the device of the model.
 * @throws {ShapeError} The data does not fit the model, or its output does not have one row for each example.
 * @throws {ValueError} The data is of another kind, or an option is unknown or out of its range.
 * @throws The signal's reason, if it was aborted.
 * @example
 * ```ts
 * import { Dense, ones, predict } from 'gammabeta';
 *
 * const model = new Dense(2, 1, { init: ones });
 * const y = await predict(model, [[1, 2], [3, 4], [5, 6]]);
 * console.log(y.toArray()); // [ [ 3 ], [ 7 ], [ 11 ] ]
 * ```
 */
export async function predict(model: Layer, data: Examples, options: PredictOptions = {}): Promise<Tensor> {
  expectLayer('predict', model);
  expectOptions('predict', options, ['batchSize', 'signal']);
  if (options.batchSize !== undefined) expectInteger('predict', 'batchSize', options.batchSize, 1);
  expectSignal('predict', options.signal);
  const { compute, end } = snapshot('predict', model);
  const layers = model.modules();
  const outputs: Tensor[] = [];
  const values: FloatArray[] = [];
  try {
    for await (const batch of await batchesOf(data, options.batchSize)) {
      await breathe();
      options.signal?.throwIfAborted();
      const output = compute(() => inEvaluation(layers, () => outputOf(model, batch)));
      expectRows(batch, output);
      values.push(await output.data());
      outputs.push(output);
    }
  } finally {
    end();
  }
  return join(values, outputs);
}

/** A batch without labels. */
interface Inputs extends Pick<Batch, 'shape'> {
  readonly x: NumericArray;
}

async function batchesOf(
  data: Examples,
  batchSize: number | undefined,
): Promise<Iterable<Inputs> | AsyncIterable<Inputs>> {
  if (data instanceof DataLoader) return batchesOf(data.dataset, batchSize ?? data.batchSize);
  if (data instanceof Tensor || Array.isArray(data)) {
    const x = data instanceof Tensor ? data : tensor(data as NestedArray, { dtype: 'float64', device: cpu });
    return rows(await x.data(), x.shape, batchSize ?? EVALUATION_BATCH);
  }
  const hint = 'pass nested arrays, a tensor [n, …], a dataset { x, shape } or a DataLoader';
  expectDataset('predict', data, 'the data', hint);
  const examples = {
    ...(data as Dataset),
    shape: expectShape('predict', (data as Dataset).shape),
    targetShape: [],
  };
  const length = ArrayBuffer.isView(examples.x) ? examples.x.length : 0; // DataLoader checks x
  const count = length / exampleSize(examples);
  const labels = new Uint8Array(Number.isSafeInteger(count) ? count : 0);
  return new DataLoader({ ...examples, labels }, { batchSize: batchSize ?? EVALUATION_BATCH }).peek();
}

/** Batches of the rows of an array; at least one, which may have no rows. */
function* rows(values: FloatArray, shape: Shape, batchSize: number): Generator<Inputs> {
  if (shape.length === 0) {
    throw new ShapeError('predict', 'the data is a single number', 'pass examples along the first axis: [x]');
  }
  const [n, ...inner] = shape;
  const size = sizeOf(inner);
  for (let from = 0; from === 0 || from < n; from += batchSize) {
    const to = Math.min(n, from + batchSize);
    yield { x: values.subarray(from * size, to * size), shape: [to - from, ...inner] };
  }
}

const outputOf: (model: Layer, batch: Inputs) => Tensor = composite((model, batch) =>
  noGrad(() => inSequence([model], inputOf(model, batch))),
);

/** Otherwise the outputs could not be joined to one tensor with a row for each example. */
function expectRows({ shape: [n] }: Inputs, { shape }: Tensor): void {
  if (shape.length > 0 && shape[0] === n) return;
  const problem = `the output for a batch of ${n} has shape ${formatShape(shape)}`;
  throw new ShapeError('predict', problem, 'the model has to return one row for each example');
}

/** One tensor of the outputs of all batches. */
function join(values: readonly FloatArray[], outputs: readonly Tensor[]): Tensor {
  const [{ shape, dtype, home }] = outputs;
  const all = new Float64Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of values) {
    all.set(part, at);
    at += part.length;
  }
  const rowsOf = outputs.reduce((n, output) => n + output.shape[0], 0);
  return tensor(all, { shape: [rowsOf, ...shape.slice(1)], dtype, device: home });
}
