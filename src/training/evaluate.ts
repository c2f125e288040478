import type { Batch } from '../data/loader.ts';
import type { Layer } from '../layers/layer.ts';
import { expectOptions } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import { noGrad } from '../tensor/tape.ts';
import { type BatchSource, defaultLoss, forwardPass, loaderOf, type Loss, measure } from './batches.ts';
import { breathe } from './breathe.ts';
import { type Results, RunningMeans } from './history.ts';
import { accuracy, expectMetricNames, type Metrics } from './metrics.ts';
import { keepingMode } from './mode.ts';

export interface EvaluateOptions {
  /** `crossEntropy` by default. */
  readonly loss?: Loss;
  /** `{ accuracy }` by default. */
  readonly metrics?: Metrics;
  /** Stops between two batches; the promise is then rejected with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Computes loss and metrics over a whole dataset, in evaluation mode and without gradients. The model is unchanged and
 * returns to the mode it was in; a loader stays in its epoch.
 *
 * @param data A dataset, or a loader for batches of another size than 256.
 * @returns `{ loss, accuracy }`, or the loss and the given metrics: means over all examples.
 * @throws {ShapeError} The data does not fit the model. @throws {ValueError} A label is out of range,
 *   or a metric has the name of another column.
 * @example
 * ```ts
 * import { Dense, evaluate, Sequential, ones } from 'gammabeta';
 *
 * const model = new Sequential(new Dense(1, 2, { init: ones }));
 * const data = { x: new Float32Array([1, 2]), shape: [1], labels: new Uint8Array([0, 1]) };
 * const { loss, accuracy } = await evaluate(model, data);
 * console.log(loss.toFixed(4), accuracy); // 0.6931 0.5
 * ```
 */
export async function evaluate(
  model: Layer,
  data: BatchSource,
  options: EvaluateOptions = {},
): Promise<Results> {
  expectOptions('evaluate', options, ['loss', 'metrics', 'signal']);
  const { loss = defaultLoss, metrics = { accuracy }, signal } = options;
  expectMetricNames('evaluate', metrics);
  const loader = loaderOf(data);
  const { epoch } = loader;
  return keepingMode(model, async () => {
    model.eval();
    const means = new RunningMeans();
    try {
      for await (const batch of loader.passing()) {
        await breathe();
        signal?.throwIfAborted();
        means.add(await evaluateBatch(model, batch, loss, metrics), batch.labels.length);
      }
    } finally {
      loader.epoch = epoch; // measuring on the training data does not change the order of training
    }
    return means.means;
  });
}

/** Loss and metrics of one batch. */
const evaluateBatch: (model: Layer, batch: Batch, loss: Loss, metrics: Metrics) => Promise<Results> =
  composite(async (model, batch, loss, metrics) => {
    const { output, error } = noGrad(() => forwardPass('evaluate', model, batch, loss));
    const [[value], measured] = await Promise.all([error.data(), measure(metrics, output, batch.labels)]);
    return { loss: value, ...measured };
  });
