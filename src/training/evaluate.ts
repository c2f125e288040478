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
  /** The mean loss of a batch. Default {@link crossEntropy}. */
  readonly loss?: Loss;
  /** The metrics, by name. Default `{ accuracy }`. */
  readonly metrics?: Metrics;
  /** Stops between two batches. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Computes the loss and the metrics over a dataset, in evaluation mode and without gradients. It does not change the
 * model, the modes of its layers, or the epoch of a loader.
 *
 * @param data A dataset, which is evaluated in batches of 256, or a loader.
 * @returns The means over all examples: `{ loss, accuracy }`, or the loss and the given metrics.
 * @throws {ShapeError} The data does not fit the model, or the loss is not a single value.
 * @throws {ValueError} A label is out of range, an option is unknown, or a metric has the name of another column.
 * @throws The signal's reason, if it was aborted.
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
      loader.epoch = epoch; // evaluating on the training data must not change the order of training
    }
    return means.means;
  });
}

/** The loss and the metrics of one batch. */
const evaluateBatch: (model: Layer, batch: Batch, loss: Loss, metrics: Metrics) => Promise<Results> =
  composite(async (model, batch, loss, metrics) => {
    const { output, error } = noGrad(() => forwardPass('evaluate', model, batch, loss));
    const [[value], measured] = await Promise.all([error.data(), measure(metrics, output, batch.labels)]);
    return { loss: value, ...measured };
  });
