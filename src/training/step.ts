/** One training step: forward pass, loss, backward pass, and the optimizer's update. */
import { formatShape } from '../../kernels/shape.ts';
import { checkDataset } from '../data/dataset.ts';
import type { Batch } from '../data/loader.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import type { Layer } from '../layers/layer.ts';
import type { StateDict } from '../layers/state-dict.ts';
import { clipGradNorm as clip } from '../optim/clip-grad-norm.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { LearningRate } from '../optim/optimizer-options.ts';
import {
  DeviceError,
  expectNumber,
  expectOptions,
  GraphError,
  ShapeError,
  shown,
  ValueError,
} from '../tensor/errors.ts';
import { expectShape } from '../tensor/indexing.ts';
import { composite } from '../tensor/op.ts';
import { streams } from '../tensor/random.ts';
import { type ForwardPass, forwardPass, inputOf, type Loss, measure, Measures } from './batches.ts';
import { expectOptimizer, reserve } from './exclusive.ts';
import { type Measured, type Results, valuesOf } from './history.ts';
import { type DefaultMetric, defaultMetrics, type Metrics } from './metrics.ts';
import { TrainingMode } from './mode.ts';
import { firstNonFinite, NonFiniteLossError } from './safety/non-finite.ts';
import { beginBatch, endBatch, restoreBuffers } from './snapshot.ts';

export interface TrainStepOptions<
  Name extends string = string,
  L extends Loss | undefined = Loss | undefined,
> {
  readonly optimizer: Optimizer<LearningRate>;
  /** The loss of the batch, usually a mean. Default {@link crossEntropy}. */
  readonly loss?: L;
  /** The metrics, by name. Default `{ accuracy }` for class labels; `{}` for no metrics. */
  readonly metrics?: Metrics<Name>;
  /** The largest norm of the gradients, > 0: see {@link clipGradNorm}. Default: gradients are not clipped. */
  readonly clipGradNorm?: number;
}

/**
 * Trains a model on one batch, exactly as `fit` does: the forward pass, the loss and the backward pass, then
 * `optimizer.step()`. Use it to drive training yourself, for example to pause it.
 *
 * @param batch A batch of a {@link DataLoader}, or `{ x, shape, labels }`.
 * @returns The loss and the metrics of the batch, from before the step. With a `loss` and no `metrics`, `accuracy` is
 *   undefined unless the data is for classification.
 * @throws {NonFiniteLossError} The loss is NaN or infinite. The parameters are unchanged.
 * @throws {ShapeError} The data does not fit the model, or the loss is not a single value.
 * @throws {ValueError} A label is out of range, or an option is unknown or out of its range.
 * @throws {BusyError} Another call is training the model, or uses the optimizer.
 * @example
 * ```ts
 * import { DataLoader, Dense, SGD, trainStep } from 'gammabeta';
 *
 * const data = { x: new Float32Array([1, 0, 0, 1]), shape: [2], labels: new Uint8Array([0, 1]) };
 * const model = new Dense(2, 2);
 * const optimizer = new SGD(model.parameters(), { lr: 0.5 });
 * for (const batch of new DataLoader(data, { batchSize: 2 })) {
 *   const { loss, accuracy } = await trainStep(model, batch, { optimizer });
 *   console.log(loss > 0, accuracy >= 0); // true true
 * }
 * ```
 */
export async function trainStep<L extends Loss | undefined, Name extends string = DefaultMetric<L>>(
  model: Layer,
  batch: Batch,
  options: TrainStepOptions<Name, L>,
): Promise<Results<Name>> {
  expectLayer('trainStep', model);
  expectOptions('trainStep', options, ['optimizer', 'loss', 'metrics', 'clipGradNorm']);
  expectBatch('trainStep', batch);
  const step = new TrainingStep('trainStep', model, options);
  const finish = reserve('trainStep', { model, optimizer: options.optimizer });
  try {
    return valuesOf(await step.run(batch));
  } finally {
    finish();
  }
}

/** The step of one training run, with its options checked. */
export class TrainingStep {
  readonly measures: Measures;
  private readonly op: string;
  private readonly model: Layer;
  private readonly mode: TrainingMode;
  private readonly optimizer: Optimizer<LearningRate>;
  private readonly clipGradNorm: number | undefined;
  /** Whether a loss has depended on the parameters of the optimizer. */
  private isTraining = false;

  constructor(op: string, model: Layer, { optimizer, loss, metrics, clipGradNorm }: TrainStepOptions) {
    expectOptimizer(op, optimizer);
    if (clipGradNorm !== undefined) expectNumber(op, 'clipGradNorm', clipGradNorm, { above: 0 });
    this.op = op;
    this.model = model;
    this.mode = new TrainingMode(model);
    this.optimizer = optimizer;
    this.clipGradNorm = clipGradNorm;
    this.measures = new Measures(op, { loss, metrics });
  }

  /** Trains on one batch. If an error is thrown, parameters, running statistics and the dropout stream are unchanged. */
  async run(batch: Batch, at?: { readonly epoch: number; readonly batch: number }): Promise<Measured> {
    const { op, model, mode, optimizer, measures } = this;
    const dropout = streams.dropout.state;
    const { output, error, count, undo } = mode.run(() => startBatch(op, model, batch, measures.loss));
    try {
      const [value] = await error.data();
      if (!Number.isFinite(value)) {
        const culprit = await mode.run(() => firstNonFinite(model, inputOf(model, batch), dropout));
        throw new NonFiniteLossError(op, value, culprit, at);
      }
      const metrics = measures.for(output, batch);
      const measured = await mode.run(() => measure(op, metrics, output, batch));
      const results = { loss: { value, count }, ...measured };
      optimizer.zeroGrad();
      error.backward();
      if (!this.isTraining) this.expectGradients();
      if (this.clipGradNorm !== undefined) clip(optimizer.parameters, this.clipGradNorm);
      optimizer.step();
      return results;
    } catch (reason) {
      undo();
      throw reason;
    } finally {
      endBatch(model);
    }
  }

  /** Otherwise the step would change nothing. */
  private expectGradients(): void {
    this.isTraining = this.optimizer.parameters.some(({ grad }) => grad !== null);
    if (this.isTraining) return;
    const problem = 'the loss does not depend on the parameters of the optimizer';
    throw new GraphError(this.op, problem, 'compute it from the output of the model');
  }

  /**
   * Runs a forward pass on a batch, without training. Throws if the model cannot train on such a batch.
   * @returns The default metrics for the batch.
   */
  rehearse(batch: Batch): Metrics {
    return this.mode.run(() => {
      const { output, undo } = startBatch(this.op, this.model, batch, (y) => y.sum());
      undo();
      endBatch(this.model);
      return defaultMetrics(output, batch);
    });
  }
}

/**
 * The forward pass of a batch. It updates the running statistics before the loss checks the labels, so the result has a
 * function `undo` that restores them and the dropout stream.
 */
const startBatch: (
  op: string,
  model: Layer,
  batch: Batch,
  loss: Loss,
) => ForwardPass & { readonly buffers: StateDict; readonly undo: () => void } = composite(
  (op, model, batch, loss) => {
    const buffers = beginBatch(op, model);
    const dropout = streams.dropout.state;
    let after = dropout;
    const undo = (): void => {
      try {
        restoreBuffers(model, buffers);
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error; // a lost GPU, or memory freed by a backward pass in the loss
      }
      // Other code may have drawn from the stream since.
      if (String(streams.dropout.state) === String(after)) streams.dropout.state = dropout;
    };
    try {
      const pass = forwardPass(op, model, batch, loss);
      after = streams.dropout.state;
      return { ...pass, buffers, undo };
    } catch (reason) {
      after = streams.dropout.state;
      undo();
      endBatch(model);
      throw reason;
    }
  },
);

/** Checks that a batch is `{ x, shape, labels }` with arrays that fit each other. */
function expectBatch(op: string, batch: Batch): void {
  const given: unknown = batch;
  if (typeof given !== 'object' || given === null) {
    const hint = 'pass a batch of a DataLoader, or { x, shape, labels }';
    throw new ValueError(op, `the batch is ${shown(given)}`, hint);
  }
  const [rows, ...example] = expectShape(op, batch.shape);
  const count = checkDataset(op, { ...batch, shape: example });
  if (rows === count) return;
  throw new ShapeError(
    op,
    `${count} examples for shape ${formatShape(batch.shape)}`,
    'shape is that of all examples',
  );
}
