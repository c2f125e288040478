import type { Batch, DataLoader } from '../data/loader.ts';
import type { Layer, StateDict } from '../layers/layer.ts';
import type { Optimizer, LearningRate } from '../optim/optimizer.ts';
import { expectInteger, expectOptions } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import { streams } from '../tensor/random.ts';
import {
  type BatchSource,
  defaultLoss,
  type ForwardPass,
  forwardPass,
  inputOf,
  loaderOf,
  type Loss,
  measure,
} from './batches.ts';
import { breathe } from './breathe.ts';
import { evaluate } from './evaluate.ts';
import { type Attempt, fallingBack, withoutFallback } from './safety/recovery.ts';
import { append, type History, type Results, RunningMeans, validationColumn } from './history.ts';
import { accuracy, expectMetricNames, type Metrics } from './metrics.ts';
import { keepingMode } from './mode.ts';
import { firstNonFinite, NonFiniteLossError } from './safety/non-finite.ts';

/** Where training stands after a batch. Epochs and batches count from 1. */
export interface BatchProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  /** The number of batches in an epoch. */
  readonly batches: number;
  /** The number of examples in this batch. */
  readonly examples: number;
  /** Of this batch. */
  readonly loss: number;
  /** Means over the epoch so far: `{ loss, accuracy }`. */
  readonly means: Results;
}

/** An epoch's results, which have just been added to the history. */
export interface EpochProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly results: Results;
}

export interface FitOptions {
  /** The batches to train on; each epoch goes through them once. */
  readonly train: DataLoader;
  /** Measured after each epoch, in evaluation mode. */
  readonly validation?: BatchSource;
  /** Of a batch, as a mean over it. `crossEntropy` by default. */
  readonly loss?: Loss;
  readonly optimizer: Optimizer<LearningRate>;
  /** How many times to go through the training data. */
  readonly epochs: number;
  /** `{ accuracy }` by default; `{}` for none. */
  readonly metrics?: Metrics;
  /** Called after each batch, and awaited: the place to set `optimizer.lr`, or to let a page draw. */
  readonly onBatch?: (progress: BatchProgress) => void | Promise<void>;
  /** Called after each epoch, and awaited. */
  readonly onEpoch?: (progress: EpochProgress) => void | Promise<void>;
  /** Stops between two batches; the promise is then rejected with its reason. */
  readonly signal?: AbortSignal;
  /**
   * If the GPU goes away, go on on the CPU with the batch that was running, and warn. It costs a copy of all that
   * training changes after each step; see {@link Recovery} for a cheaper way. False.
   */
  readonly fallback?: boolean;
}

/**
 * Trains a model: for each batch, forward, loss, backward, and a step of the optimizer.
 *
 * The model trains in training mode and is left in the mode it was found in. Losses and metrics of the
 * training batches are those of the forward pass that trained on them, as in Keras.
 *
 * Several times a second it lets events through: a page stays responsive, and `signal` can be aborted by one.
 *
 * @returns One entry per epoch: `loss`, `accuracy`, `valLoss`, `valAccuracy`, `seconds`.
 * @throws {NonFiniteLossError} The loss is NaN or infinite: names the epoch, the batch, and the first layer
 *   whose output is not finite. The parameters are as they were before that batch.
 * @throws {ShapeError} The data does not fit the model. @throws {ValueError} A label is out of range,
 *   or a metric has the name of another column.
 * @throws {DeviceLostError} The GPU went away, without `fallback`.
 * @throws The signal's reason, once it is aborted.
 * @example
 * ```ts
 * import { crossEntropy, DataLoader, Dense, fit, manualSeed, SGD, Sequential } from 'gammabeta';
 *
 * manualSeed(1);
 * // Is the first number larger than the second?
 * const data = { x: new Float32Array([1, 0, 0, 1, 3, 1, 2, 5]), shape: [2], labels: new Uint8Array([0, 1, 0, 1]) };
 * const model = new Sequential(new Dense(2, 2));
 * const history = await fit(model, {
 *   train: new DataLoader(data, { batchSize: 2, shuffle: true }),
 *   validation: data,
 *   loss: crossEntropy,
 *   optimizer: new SGD(model.parameters(), { lr: 0.5 }),
 *   epochs: 20,
 * });
 * console.log(history.valAccuracy.at(-1)); // 1
 * ```
 */
export async function fit(model: Layer, options: FitOptions): Promise<History> {
  expectOptions('fit', options, [
    'train',
    'validation',
    'loss',
    'optimizer',
    'epochs',
    'metrics',
    'onBatch',
    'onEpoch',
    'signal',
    'fallback',
  ]);
  const { train, validation, loss = defaultLoss, metrics = { accuracy }, epochs, onEpoch, signal } = options;
  expectInteger('fit', 'epochs', epochs, 1);
  expectMetricNames('fit', metrics);
  const attempt = options.fallback ? await fallingBack(model, options.optimizer) : withoutFallback;
  const history: History = { loss: [], seconds: [] };
  await keepingMode(model, async () => {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      signal?.throwIfAborted(); // before the loader counts another epoch
      const start = performance.now();
      const trained = await trainEpoch(model, train, epoch, { ...options, loss, metrics, attempt });
      const validated =
        validation === undefined
          ? {}
          : await attempt(() =>
              evaluate(model, loaderOf(validation), { loss, metrics, ...(signal && { signal }) }),
            );
      const results = {
        ...trained,
        ...Object.fromEntries(
          Object.entries(validated).map(([name, value]) => [validationColumn(name), value]),
        ),
        seconds: (performance.now() - start) / 1000,
      };
      append(history, results);
      await onEpoch?.({ epoch, epochs, results });
    }
  });
  return history;
}

type EpochOptions = FitOptions &
  Required<Pick<FitOptions, 'loss' | 'metrics'>> & { readonly attempt: Attempt };

/** Goes through the training data once and returns the means of loss and metrics. */
async function trainEpoch(
  model: Layer,
  train: DataLoader,
  epoch: number,
  options: EpochOptions,
): Promise<Results> {
  const { epochs, onBatch, signal, attempt } = options;
  model.train();
  const means = new RunningMeans();
  let batch = 0;
  for await (const examples of train.passing()) {
    await breathe();
    signal?.throwIfAborted();
    batch++;
    const at = { epoch, batch };
    const results = await attempt(() => trainBatch(model, examples, at, options));
    means.add(results, examples.labels.length);
    await onBatch?.({
      epoch,
      epochs,
      batch,
      batches: train.length,
      examples: examples.labels.length,
      loss: results.loss,
      means: means.means,
    });
  }
  return means.means;
}

/** One step, or none: if a batch is refused, parameters, running statistics and the dropout stream are unchanged. */
async function trainBatch(
  model: Layer,
  examples: Batch,
  at: { readonly epoch: number; readonly batch: number },
  { loss, metrics, optimizer }: EpochOptions,
): Promise<Results> {
  const dropout = streams.dropout.state;
  const { output, error, undo } = startBatch(model, examples, loss);
  let results: Results;
  try {
    const [value] = await error.data();
    if (!Number.isFinite(value)) {
      const culprit = await firstNonFinite(model, inputOf(model, examples), dropout);
      throw new NonFiniteLossError(value, at.epoch, at.batch, culprit);
    }
    results = { loss: value, ...(await measure(metrics, output, examples.labels)) };
    optimizer.zeroGrad();
    error.backward();
  } catch (reason) {
    undo();
    throw reason;
  }
  optimizer.step();
  return results;
}

/** The forward pass. It moves running statistics before the loss can refuse the labels: `undo` moves them back. */
const startBatch: (
  model: Layer,
  examples: Batch,
  loss: Loss,
) => ForwardPass & { readonly buffers: StateDict; readonly undo: () => void } = composite(
  (model, examples, loss) => {
    const buffers = model.bufferDict();
    const dropout = streams.dropout.state;
    const undo = (): void => {
      model.loadStateDict(buffers, { strict: false });
      streams.dropout.state = dropout;
    };
    try {
      return { ...forwardPass('fit', model, examples, loss), buffers, undo };
    } catch (reason) {
      undo();
      throw reason;
    }
  },
);
