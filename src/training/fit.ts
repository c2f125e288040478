/** The training loop. */
import { type Dataset, exampleSize } from '../data/dataset.ts';
import { DataLoader } from '../data/loader.ts';
import { take } from '../data/split.ts';
import { BatchNorm1d } from '../layers/batchnorm1d.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import type { Layer } from '../layers/layer.ts';
import type { Schedule } from '../optim/schedules.ts';
import {
  expectBoolean,
  expectFunction,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  refused,
  ValueError,
} from '../tensor/errors.ts';
import { sameShape } from '../../kernels/shape.ts';
import { inSequence } from '../layers/sequential.ts';
import { noGrad } from '../tensor/tape.ts';
import { type BatchSource, expectDataset, expectSignal, inputOf, loaderOf, type Loss } from './batches.ts';
import { inEvaluation } from './mode.ts';
import { warnIfNotFinite } from './safety/non-finite.ts';
import { breathe } from './breathe.ts';
import { type EarlyStopping, Stopper } from './early-stopping.ts';
import { meansOver } from './evaluate.ts';
import { reserve } from './exclusive.ts';
import {
  append,
  type Columns,
  type History,
  type Results,
  RunningMeans,
  validationColumn,
} from './history.ts';
import type { DefaultMetric } from './metrics.ts';
import { type Attempt, fallingBack, withoutFallback } from './safety/recovery.ts';
import { TrainingStep, type TrainStepOptions } from './step.ts';

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
  /** The means over the epoch so far: `{ loss, accuracy }`. With `reduction: 'sum'` in the loss, the sum of the losses. */
  readonly means: Results;
}

/** The results of an epoch. `fit` has added them to the history. */
export interface EpochProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly results: Results;
}

/** A learning rate schedule: by step, that is, by batch; or as given. */
export type FitSchedule = Schedule | { readonly by: 'step' | 'epoch'; readonly rate: Schedule };

export interface FitOptions<
  Name extends string = string,
  V extends BatchSource = BatchSource,
  L extends Loss | undefined = Loss | undefined,
> extends TrainStepOptions<Name, L> {
  /**
   * The batches to train on. Each epoch uses each batch once. A dataset is used in shuffled batches of 32, as in Keras. To
   * go on with a run in the same order, pass a loader: a checkpoint can hold it.
   */
  readonly train: DataLoader | Dataset;
  /** Data to evaluate the model on after each epoch. */
  readonly validation?: V;
  /** The number of passes over the training data, ≥ 0, counted from the beginning of the first run. */
  readonly epochs: number;
  /** The number of epochs that earlier runs completed, ≥ 0. Training goes on with the next one. Default 0. */
  readonly initialEpoch?: number;
  /**
   * The learning rate of each step, which is a function of the number of steps since epoch 1, or, with
   * `{ by: 'epoch', rate }`, of the number of epochs. Both count from 0. It sets `optimizer.lr`, so parameter groups
   * keep the ratio of their rates.
   */
  readonly schedule?: FitSchedule;
  /** Ends training when a result stops improving. Only the results of this call are compared. */
  readonly earlyStopping?: EarlyStopping;
  /** Called after each batch, and awaited. Use it to draw, or to set `optimizer.lr`. */
  readonly onBatch?: (progress: BatchProgress) => unknown;
  /** Called after each epoch, and awaited. If it returns false, or a promise of it, training ends. */
  readonly onEpoch?: (progress: EpochProgress) => unknown;
  /** Stops training between two batches. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Whether to continue on the `wasm` device if the GPU is lost. The batch that was running is repeated, and a warning
   * is printed. A state that was loaded since the last batch, and lost before the next one, is an error. After each
   * step, this copies all parameters, buffers and optimizer state from the GPU; {@link Recovery} is cheaper. Default
   * false.
   */
  readonly fallback?: boolean;
}

const optionNames = [
  'train',
  'validation',
  'loss',
  'optimizer',
  'epochs',
  'initialEpoch',
  'metrics',
  'clipGradNorm',
  'schedule',
  'earlyStopping',
  'onBatch',
  'onEpoch',
  'signal',
  'fallback',
];

/** The batch size for a dataset in `train`, as in Keras. */
const TRAINING_BATCH = 32;

/**
 * Trains a model. For each batch it computes the forward pass, the loss and the backward pass, then calls
 * `optimizer.step()`.
 *
 * While `fit` computes, the model is in training mode. Layers that you have put in evaluation mode inside a model in
 * training mode stay in it, and so do frozen layers (see {@link freeze}). Your own code always sees the modes that you
 * have set. Losses and metrics of the training data come from the forward passes of training, as in Keras. They are
 * means over what counts: examples, labels that are not ignored, or class weights. With `reduction: 'sum'` in the loss,
 * the loss is the sum over the epoch. A loss function that adds terms which count differently, or scales a sum, is
 * averaged over the batches, weighted by their examples; {@link evaluate} and the validation compute it for all examples.
 *
 * `fit` lets the event loop run several times per second, so a page stays responsive and can abort `signal`. Meanwhile
 * the model can be evaluated and saved; a second training run of the same model, optimizer or loader is refused.
 *
 * @returns The history: arrays with one entry per epoch, `loss`, `accuracy`, `valLoss`, `valAccuracy` and `seconds`. With a
 *   `loss` and no `metrics`, `accuracy` and `valAccuracy` are undefined unless the data is for classification.
 * @throws {NonFiniteLossError} The loss is NaN or infinite. The message names the epoch, the batch, and the first layer
 *   whose output is not finite. The parameters are those before this batch.
 * @throws {ShapeError} The data does not fit the model, or the loss is not a single value.
 * @throws {ValueError} A label is out of range, no label counts, an option is unknown or out of its range, a metric
 *   returns no number or has the name of another column, the optimizer holds no parameter of the model, or the last
 *   batch has one example and the model uses batch normalization.
 * @throws {BusyError} Another call is training the model, or uses the optimizer or the loader.
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
 *   optimizer: new SGD(model.parameters(), { lr: 0.5 }),
 *   epochs: 20,
 * });
 * console.log(history.valAccuracy.at(-1)); // 1
 * ```
 */
export async function fit<
  L extends Loss | undefined,
  Name extends string = DefaultMetric<L>,
  V extends BatchSource = never,
>(model: Layer, options: FitOptions<Name, V, L>): Promise<History<Columns<Name, V>>> {
  expectLayer('fit', model);
  expectOptions('fit', options, optionNames);
  const { train, validation, optimizer, epochs, initialEpoch = 0, onBatch, onEpoch, signal } = options;
  expectInteger('fit', 'epochs', epochs, 0);
  expectInteger('fit', 'initialEpoch', initialEpoch, 0);
  expectSignal('fit', signal);
  for (const [name, fn] of Object.entries({ onBatch, onEpoch }))
    if (fn !== undefined) expectFunction('fit', name, fn);
  if (!(train instanceof DataLoader)) expectDataset('fit', train, 'train');
  const validationLoader = validation === undefined ? null : loaderOf('fit', validation, 'validation');
  const step = new TrainingStep('fit', model, options);
  const rateAt = rates(options.schedule);
  const { earlyStopping, fallback = false } = options;
  expectBoolean('fit', 'fallback', fallback);
  const history = emptyHistory(options);
  const known = Object.keys(history);
  const stopper = earlyStopping === undefined ? null : new Stopper('fit', model, earlyStopping, known);
  const isComplete = options.metrics !== undefined || options.loss === undefined;
  if (isComplete) stopper?.expectColumn('fit', known);

  const finish = reserve('fit', { model, optimizer, ...(train instanceof DataLoader && { loader: train }) });
  try {
    const loader =
      train instanceof DataLoader
        ? train
        : new DataLoader(train, { batchSize: TRAINING_BATCH, shuffle: true });
    const attempt = fallback ? await fallingBack(model, optimizer) : withoutFallback;
    if (initialEpoch < epochs) {
      expectLastBatch(model, loader, step);
      if (validationLoader !== null) expectValidation(model, loader, validationLoader);
      if (stopper?.watches(known) === false)
        stopper.expectColumn('fit', await withDefaultMetrics(known, loader, step));
    }
    for (let epoch = initialEpoch + 1; epoch <= epochs; epoch++) {
      signal?.throwIfAborted(); // before the loader starts another epoch
      const start = performance.now();
      const beforeBatch = (batch: number): void => {
        const rate = rateAt(epoch - 1, (epoch - 1) * loader.length + batch - 1);
        if (rate !== undefined) optimizer.lr = rate;
      };
      const trained = await trainEpoch(loader, step, { ...options, epoch, beforeBatch, attempt });
      const validated =
        validationLoader === null
          ? {}
          : await attempt(() => meansOver(model, validationLoader, step.measures, signal));
      const results = {
        ...trained,
        ...Object.fromEntries(
          Object.entries(validated).map(([name, value]) => [validationColumn(name), value]),
        ),
        seconds: (performance.now() - start) / 1000,
      };
      append(history, results);
      const wanted = await onEpoch?.({ epoch, epochs, results });
      const isOver = stopper?.endsAfter('fit', results) ?? false;
      if (isOver || wanted === false) break;
    }
    if (history.loss.length > 0) await warnIfNotFinite('fit', model);
    stopper?.restore();
    return history as History<Columns<Name, V>>;
  } finally {
    finish();
  }
}

interface EpochOptions extends FitOptions {
  readonly epoch: number;
  /** Called before each batch, which counts from 1. */
  readonly beforeBatch: (batch: number) => void;
  readonly attempt: Attempt;
}

/** Trains for one epoch. Returns the means of the loss and the metrics. */
async function trainEpoch(loader: DataLoader, step: TrainingStep, options: EpochOptions): Promise<Results> {
  const { epoch, epochs, onBatch, beforeBatch, signal, attempt } = options;
  const means = new RunningMeans();
  let batch = 0;
  for await (const examples of loader.passing()) {
    await breathe();
    signal?.throwIfAborted();
    batch++;
    beforeBatch(batch);
    const at = { epoch, batch };
    const measured = await attempt(() => step.run(examples, at));
    means.add(measured);
    await onBatch?.({
      epoch,
      epochs,
      batch,
      batches: loader.length,
      examples: examples.shape[0],
      loss: measured.loss.value,
      means: means.means,
    });
  }
  if (!means.isEmpty) return means.means;
  throw new ValueError('fit', 'no label counts: all are ignored or have weight 0', 'check the labels');
}

/** The columns of the history where the first batch tells whether there is an accuracy. */
async function withDefaultMetrics(
  known: readonly string[],
  loader: DataLoader,
  step: TrainingStep,
): Promise<readonly string[]> {
  for await (const batch of loader.peek()) {
    const names = Object.keys(step.rehearse(batch));
    return [...known, ...names, ...(known.includes('valLoss') ? names.map(validationColumn) : [])];
  }
  return known;
}

/** The columns that are known before training, without entries. */
function emptyHistory({ metrics, loss, validation }: FitOptions): Record<string, number[]> {
  const names = metrics ? Object.keys(metrics) : loss ? [] : ['accuracy'];
  const columns = ['loss', ...names];
  const all = validation === undefined ? columns : [...columns, ...columns.map(validationColumn)];
  return Object.fromEntries([...all, 'seconds'].map((name) => [name, []]));
}

/** The learning rate of a step: a function of the number of epochs and of steps before it. Undefined: unchanged. */
function rates(schedule: FitSchedule | undefined): (epoch: number, step: number) => number | undefined {
  if (schedule === undefined) return () => undefined;
  if (typeof schedule === 'function') return rates({ by: 'step', rate: schedule });
  if (Object.prototype.toString.call(schedule) !== '[object Object]') {
    const hint =
      "pass a function of the step, such as stepDecay(0.1, { every: 100 }), or { by: 'epoch', rate }";
    throw refused('fit', 'schedule', schedule, hint);
  }
  expectOptions('fit: schedule', schedule, ['by', 'rate']);
  const { by, rate } = schedule;
  expectOneOf('fit', 'schedule.by', by, ['step', 'epoch']);
  expectFunction('fit', 'schedule.rate', rate);
  return (epoch, step) =>
    expectNumber('fit', 'the rate of the schedule', rate(by === 'epoch' ? epoch : step), { from: 0 });
}

/**
 * Checks that the model takes examples of the validation data, if they have another shape than those of the training
 * data. Otherwise training would fail after an epoch.
 */
function expectValidation(model: Layer, train: DataLoader, { dataset }: DataLoader): void {
  if (sameShape(train.dataset.shape, dataset.shape)) return;
  const [batch] = new DataLoader(take(dataset, 1), { batchSize: 1 });
  inEvaluation(model.modules(), () => noGrad(() => inSequence([model], inputOf(model, batch))));
}

/**
 * Checks that the last batch of an epoch is not a single example which batch normalization cannot train on. Otherwise an
 * epoch would fail at its end.
 */
function expectLastBatch(model: Layer, loader: DataLoader, step: TrainingStep): void {
  const { dataset, batchSize, dropLast } = loader;
  const examples = dataset.x.length / exampleSize(dataset);
  if (dropLast || examples % batchSize !== 1 % batchSize) return;
  if (!model.modules().some((layer) => layer instanceof BatchNorm1d)) return;
  const [batch] = new DataLoader(take(dataset, 1), { batchSize: 1 });
  try {
    step.rehearse(batch);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const problem = `the last of ${examples} examples is a batch of its own, in batches of ${batchSize}: ${error.op}: ${error.problem}`;
    throw new ValueError('fit', problem, 'use dropLast: true or another batchSize in the DataLoader');
  }
}
