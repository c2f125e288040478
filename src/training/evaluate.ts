import type { Batch, DataLoader } from '../data/loader.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { expectOptions, ValueError } from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import { noGrad } from '../tensor/tape.ts';
import {
  type BatchSource,
  expectSignal,
  forwardPass,
  loaderOf,
  type Loss,
  measure,
  Measures,
} from './batches.ts';
import { breathe } from './breathe.ts';
import { type Measured, type Results, RunningMeans } from './history.ts';
import type { DefaultMetric, Metrics } from './metrics.ts';
import { inEvaluation } from './mode.ts';
import { type Compute, snapshot } from './snapshot.ts';
import { WholeLoss } from './whole-loss.ts';

export interface EvaluateOptions<
  Name extends string = string,
  L extends Loss | undefined = Loss | undefined,
> {
  /** The loss of a batch. Default {@link crossEntropy}. */
  readonly loss?: L;
  /** The metrics, by name. Default `{ accuracy }` for class labels and outputs [batch, classes ≥ 2]; otherwise none. */
  readonly metrics?: Metrics<Name>;
  /** Stops between two batches. The promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Computes the loss and the metrics over a dataset, in evaluation mode and without gradients. It uses the model as it
 * is at the time of the call, also if training goes on meanwhile. It does not change the model, the modes of its
 * layers, or the epoch of a loader.
 *
 * The loss is that of all examples in one batch, so it does not depend on the batch size, up to rounding. The losses of
 * the library are computed batch by batch: means are weighted by what counts (examples, labels that are not ignored, or
 * class weights), and with `reduction: 'sum'` the sums add up. A loss function that computes something else, such as the
 * sum of two losses, is called for each batch and then once for all examples, whose outputs are kept in memory.
 *
 * The metrics are means over all that counts, weighted by what {@link accuracy} or a loss of the library in them
 * divides by, and otherwise by the number of examples.
 *
 * @param data A dataset, which is evaluated in batches of 256, or a loader.
 * @returns `{ loss, accuracy }`, or the loss and the given metrics. With a `loss` and no `metrics`, `accuracy` is undefined
 *   unless the data is for classification.
 * @throws {ShapeError} The data does not fit the model, or the loss is not a single value.
 * @throws {ValueError} A label is out of range, an option is unknown, no label counts, a metric returns no number or has
 *   the name of another column.
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
export async function evaluate<L extends Loss | undefined, Name extends string = DefaultMetric<L>>(
  model: Layer,
  data: BatchSource,
  options: EvaluateOptions<Name, L> = {},
): Promise<Results<Name>> {
  expectLayer('evaluate', model);
  expectOptions('evaluate', options, ['loss', 'metrics', 'signal']);
  expectSignal('evaluate', options.signal);
  const measures = new Measures('evaluate', options);
  const loader = loaderOf('evaluate', data);
  return meansOver(model, loader, measures, options.signal);
}

/** The means over the batches of a loader, for the model as it is now. */
export async function meansOver(
  model: Layer,
  loader: DataLoader,
  measures: Measures,
  signal: AbortSignal | undefined,
): Promise<Results> {
  const means = new RunningMeans();
  const whole = new WholeLoss();
  const { compute, end } = snapshot('evaluate', model);
  const layers = model.modules();
  const evaluating: Compute = (run) => compute(() => inEvaluation(layers, run));
  try {
    for await (const batch of loader.peek()) {
      await breathe();
      signal?.throwIfAborted();
      means.add(await evaluating(() => evaluateBatch(model, batch, measures, whole)));
    }
    const results = means.means;
    const loss = await whole.value(measures.loss, results.loss, evaluating);
    if (!means.isEmpty) return { ...results, loss };
  } finally {
    end();
  }
  throw new ValueError('evaluate', 'no label counts: all are ignored or have weight 0', 'check the labels');
}

/** The loss and the metrics of one batch. */
const evaluateBatch: (model: Layer, batch: Batch, measures: Measures, whole: WholeLoss) => Promise<Measured> =
  composite(async (model, batch, measures, whole) => {
    const pass = noGrad(() => forwardPass('evaluate', model, batch, measures.loss));
    const { output, error, count, isReported } = pass;
    const metrics = measures.for(output, batch);
    const [[value], measured, values] = await Promise.all([
      error.data(),
      measure('evaluate', metrics, output, batch),
      isReported ? null : output.data(),
    ]);
    if (values !== null) whole.add(output, values, batch);
    return { loss: { value, count }, ...measured };
  });
