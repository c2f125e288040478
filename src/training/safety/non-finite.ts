import type { Layer } from '../../layers/layer.ts';
import { Sequential } from '../../layers/sequential.ts';
import { GammaBetaError } from '../../tensor/errors.ts';
import { type StreamState, streams } from '../../tensor/random.ts';
import { noGrad } from '../../tensor/tape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { restoreBuffers } from '../snapshot.ts';

/** The loss is NaN or infinite. The parameters are those before the batch that caused it. */
export class NonFiniteLossError extends GammaBetaError {
  override name = 'NonFiniteLossError';
  /** The epoch, counted from 1; null in `trainStep`. */
  readonly epoch: number | null;
  /** The batch of the epoch, counted from 1; null in `trainStep`. */
  readonly batch: number | null;

  constructor(
    op: string,
    loss: number,
    culprit: string,
    at: { readonly epoch: number; readonly batch: number } | null = null,
  ) {
    super(
      op,
      `the loss is ${loss}${at === null ? '' : ` at epoch ${at.epoch}, batch ${at.batch}`}; ${culprit}`,
      'use a smaller learning rate or clipGradNorm: 1, and look for NaN in the data',
    );
    this.epoch = at?.epoch ?? null;
    this.batch = at?.batch ?? null;
  }
}

/**
 * Runs the batch again, layer by layer, and returns a description of the first value that is not finite. It computes
 * everything, and restores the running statistics and the dropout stream, before it waits for the values.
 *
 * @param dropout The state of the dropout stream before the batch, so that the same elements are dropped.
 */
export async function firstNonFinite(model: Layer, x: Tensor, dropout: StreamState): Promise<string> {
  const layers = layersOf(model);
  const state = model.bufferDict();
  const after = streams.dropout.state;
  streams.dropout.state = dropout;
  const outputs: Tensor[] = [];
  try {
    for (const layer of layers) outputs.push(noGrad(() => layer.forward(outputs.at(-1) ?? x)));
  } finally {
    restoreBuffers(model, state);
    streams.dropout.state = after;
  }
  if (!(await isFinite(x))) return 'the batch itself is not finite';
  for (const [i, y] of outputs.entries()) {
    if (await isFinite(y)) continue;
    return `the first layer whose output is not finite is layer ${i}, ${layers[i].toString()}${await firstParameter(model)}`;
  }
  return 'all layers have finite outputs, so the loss function is the cause';
}

async function firstParameter(model: Layer): Promise<string> {
  for (const [name, parameter] of model.namedParameters()) {
    if (!(await isFinite(parameter))) return ` (the parameter ${name} is not finite)`;
  }
  return '';
}

/**
 * Warns if a trained parameter is not finite after the last step. Its gradient was not; in an earlier step, the loss of
 * the next batch would have shown it.
 */
export async function warnIfNotFinite(op: string, model: Layer): Promise<void> {
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const [zero] = await noGrad(() => parameter.detach().mul(0).sum()).data(); // NaN if a value is NaN or infinite
    if (zero === 0) continue;
    const problem = `the parameter ${name} is not finite after the last step: its gradient was not`;
    console.warn(
      `${op}: ${problem}. Hint: look for a logarithm, root or quotient at 0 in the model and the loss`,
    );
    return;
  }
}

function layersOf(model: Layer): readonly Layer[] {
  return model instanceof Sequential ? model.layers : [model];
}

async function isFinite(x: Tensor): Promise<boolean> {
  return (await x.data()).every(Number.isFinite);
}
