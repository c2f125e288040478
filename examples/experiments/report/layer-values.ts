/** Measures the outputs and gradients of each layer of a network. */
import {
  type Batch,
  crossEntropy,
  Dense,
  Dropout,
  type Layer,
  onBackward,
  onForward,
  type Sequential,
  tensor,
  type Tensor,
} from '../../../src/index.ts';
import { kindOf, type LayerKind } from './places.ts';

/** The measurements of one layer for one batch. */
export interface LayerValues {
  readonly kind: LayerKind;
  readonly outputs: Float32Array;
  /** The gradients of the loss with respect to the outputs. */
  readonly outputGradients: Float32Array;
  /** The gradients of the loss with respect to the weight of a dense layer; null for other layers. */
  readonly weightGradients: Float32Array | null;
}

/**
 * Runs a batch of at least two examples forward and backward through the network, with hooks on its layers. As in
 * training, batch normalization uses the statistics of the batch; dropout is off, because it would draw random numbers.
 * The mode, the gradients and the running statistics of the model are restored.
 */
export async function measureLayers(model: Sequential, { x, shape, labels }: Batch): Promise<LayerValues[]> {
  const modes = model.modules().map((layer) => [layer, layer.training] as const);
  const gradients = model.parameters().map((parameter) => [parameter, parameter.grad] as const);
  const statistics = model.bufferDict();
  const watched = model.layers.map(watchLayer);
  try {
    model.train();
    for (const layer of model.modules()) if (layer instanceof Dropout) layer.eval();
    for (const parameter of model.parameters()) parameter.grad = null;
    // The input requires a gradient so that layers without parameters at the start are in the backward pass too.
    const input = tensor(x, { shape, requiresGrad: true });
    crossEntropy(model.forward(input), labels).backward();
    return await Promise.all(watched.map(({ layer, seen }) => read(layer, seen)));
  } finally {
    for (const { remove } of watched) remove();
    model.loadStateDict(statistics, { strict: false });
    for (const [parameter, gradient] of gradients) parameter.grad = gradient;
    for (const [layer, training] of modes) layer.training = training;
  }
}

/** What the hooks of a layer have seen: its output, and the gradient of the loss with respect to it. */
interface Seen {
  y: Tensor | null;
  dy: Tensor | null;
}

interface Watched {
  readonly layer: Layer;
  readonly seen: Seen;
  readonly remove: () => void;
}

function watchLayer(layer: Layer): Watched {
  const seen: Seen = { y: null, dy: null };
  const removers = [
    onForward(layer, (_, y) => {
      seen.y = y.detach();
    }),
    onBackward(layer, (dy) => {
      seen.dy = dy;
    }),
  ];
  return {
    layer,
    seen,
    remove: () => {
      for (const remove of removers) remove();
    },
  };
}

async function read(layer: Layer, { y, dy }: Seen): Promise<LayerValues> {
  const weight = layer instanceof Dense ? layer.weight.grad : null;
  const outputs = y === null ? new Float32Array() : await floats(y);
  return {
    kind: kindOf(layer),
    outputs,
    outputGradients: dy === null ? new Float32Array(outputs.length) : await floats(dy),
    weightGradients: weight === null ? null : await floats(weight),
  };
}

async function floats(values: Tensor): Promise<Float32Array> {
  return Float32Array.from(await values.data());
}
