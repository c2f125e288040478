import type { Layer } from '../../layers/layer.ts';
import { Sequential } from '../../layers/sequential.ts';
import { GammaBetaError } from '../../tensor/errors.ts';
import { type StreamState, streams } from '../../tensor/random.ts';
import { noGrad } from '../../tensor/tape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The loss is NaN or infinite. The parameters are those before the batch that caused it. */
export class NonFiniteLossError extends GammaBetaError {
  override name = 'NonFiniteLossError';
  /** Counted from 1. */
  readonly epoch: number;
  /** Counted from 1. */
  readonly batch: number;

  constructor(loss: number, epoch: number, batch: number, culprit: string) {
    super(
      'fit',
      `the loss is ${loss} at epoch ${epoch}, batch ${batch}; ${culprit}`,
      'use a smaller learning rate or clipGradNorm, and look for NaN in the data',
    );
    this.epoch = epoch;
    this.batch = batch;
  }
}

/**
 * Runs the batch again, layer by layer, and returns a description of the first value that is not finite. Running
 * statistics and the dropout stream are restored afterwards.
 *
 * @param dropout The state of the dropout stream before the batch, so that the same elements are dropped.
 */
export async function firstNonFinite(model: Layer, x: Tensor, dropout: StreamState): Promise<string> {
  if (!(await isFinite(x))) return 'the batch itself is not finite';
  const parameters = await firstParameter(model);
  const state = model.stateDict();
  const after = streams.dropout.state;
  streams.dropout.state = dropout;
  try {
    let y = x;
    for (const [i, layer] of layersOf(model).entries()) {
      y = noGrad(() => layer.forward(y));
      if (!(await isFinite(y))) {
        return `the first layer whose output is not finite is layer ${i}, ${layer.toString()}${parameters}`;
      }
    }
  } finally {
    model.loadStateDict(state);
    streams.dropout.state = after;
  }
  return 'all layers have finite outputs, so the loss function is the cause';
}

async function firstParameter(model: Layer): Promise<string> {
  for (const [name, parameter] of model.namedParameters()) {
    if (!(await isFinite(parameter))) return ` (the parameter ${name} is not finite)`;
  }
  return '';
}

function layersOf(model: Layer): readonly Layer[] {
  return model instanceof Sequential ? model.layers : [model];
}

async function isFinite(x: Tensor): Promise<boolean> {
  return (await x.data()).every(Number.isFinite);
}
