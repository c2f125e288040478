/** The training loop. */
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

/** The state of training after a batch. Epochs and batches count from 1. */
export interface BatchProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  /** The number of batches in an epoch. */
  readonly batches: number;
  /** The number of examples in this batch. */
  readonly examples: number;
  /** The loss of this batch. */
  readonly loss: number;
  /** The means over the epoch so far: `{ loss, accuracy }`. */
  readonly means: Results;
}

/** The results of an epoch. `fit` has added them to the history. */
export interface EpochProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly results: Results;
}

export interface FitOptions {
  /** The batches to train on. Each epoch uses each batch once. */
  readonly train: DataLoader;
  /** Data to evaluate the model on after each epoch. */
  readonly validation?: BatchSource;
  /** The mean loss of a batch. Default {@link crossEntropy}. */
  readonly loss?: Loss;
  readonly optimizer: Optimizer<LearningRate>;
  /** The number of passes over the training data, ≥ 1. */
  readonly epochs: number;
  /** The metrics, by name. Default `{ accuracy }`; `{}` for no metrics. */
  readonly metrics?: Metrics;
  /** Called after each batch, and awaited. Use it to set `optimizer.lr`, or to let a page draw. */
  readonly onBatch?: (progress: BatchProgress) => void | Promise<void>;
  /** Called after each epoch, and awaited. */
  readonly onEpoch?: (progress: EpochProgress) => void | Promise<void>;
  /** Stops training between two batches. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Whether to continue on the `wasm` device if the GPU is lost. The batch that was running is repeated, and a warning
   * is printed. After each step, this copies all parameters, buffers and optimizer state from the GPU; {@link Recovery}
   * is cheaper. Default false.
   */
  readonly fallback?: boolean;
}

/**
 * Trains a model. For each batch it computes the forward pass, the loss and the backward pass, then calls
 * `optimizer.step()`.
 *
 * During training the model is in training mode; afterwards each layer is in the mode it was in before. Losses and
 * metrics of the training data come from the forward passes of training, as in Keras.
 *
 * `fit` lets the event loop run several times per second, so a page stays responsive and can abort `signal`.
 *
 * @returns The history: arrays with one entry per epoch, `loss`, `accuracy`, `valLoss`, `valAccuracy` and `seconds`.
 * @throws {NonFiniteLossError} The loss is NaN or infinite. The message names the epoch, the batch, and the first layer
 *   whose output is not finite. The parameters are those before this batch.
 * @throws {ShapeError} The data does not fit the model, or the loss is not a single value.
 * @throws {ValueError} A label is out of range, epochs is not an integer ≥ 1, an option is unknown, or a metric has the
 *   name of another column.
 * @throws {DeviceLostError} The GPU was lost, and `fallback` is false.
 * @throws The signal's reason, if it was aborted.
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
      signal?.throwIfAborted(); // before the loader starts another epoch
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

/** Trains for one epoch. Returns the means of the loss and the metrics. */
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

/** Trains on one batch. If an error is thrown, parameters, running statistics and the dropout stream are unchanged. */
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

/**
 * The forward pass of a batch. It updates the running statistics before the loss checks the labels, so the result has a
 * function `undo` that restores them and the dropout stream.
 */
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
