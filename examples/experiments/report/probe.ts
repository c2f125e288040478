/** Measures the outputs and gradients of each layer of a network. */
import {
  type Batch,
  crossEntropy,
  Dense,
  Dropout,
  type Layer,
  type Sequential,
  tensor,
  type Tensor,
} from '../../../src/index.ts';
import { kindOf, type LayerKind } from './places.ts';

/** The measurements of one layer for one batch. */
export interface LayerProbe {
  readonly kind: LayerKind;
  readonly outputs: Float32Array;
  /** The gradients of the loss with respect to the outputs. */
  readonly outputGradients: Float32Array;
  /** The gradients of the loss with respect to the weight of a dense layer; null for other layers. */
  readonly weightGradients: Float32Array | null;
}

/**
 * Runs a batch of at least two examples forward and backward through the layers, one by one. As in training, batch
 * normalization uses the statistics of the batch; dropout is off, because it would draw random numbers. The mode, the
 * gradients and the running statistics of the model are restored.
 */
export async function probe(model: Sequential, batch: Batch): Promise<LayerProbe[]> {
  const modes = model.modules().map((layer) => [layer, layer.training] as const);
  const gradients = model.parameters().map((parameter) => [parameter, parameter.grad] as const);
  const statistics = model.bufferDict();
  try {
    model.train();
    for (const layer of model.modules()) if (layer instanceof Dropout) layer.eval();
    for (const parameter of model.parameters()) parameter.grad = null;
    return await Promise.all(passThrough(model, batch).map(read));
  } finally {
    model.loadStateDict(statistics, { strict: false });
    for (const [parameter, gradient] of gradients) parameter.grad = gradient;
    for (const [layer, training] of modes) layer.training = training;
  }
}

/** A layer and its output, detached from the layers before and after it. */
interface Step {
  readonly layer: Layer;
  readonly y: Tensor;
  /** The values of `y` as a leaf, which stores its gradient. */
  readonly leaf: Tensor;
}

function passThrough(model: Sequential, { x, shape, labels }: Batch): Step[] {
  const steps: Step[] = [];
  let input = tensor(x, { shape });
  for (const layer of model.layers) {
    const y = layer.forward(input);
    const leaf = y.detach();
    leaf.requiresGrad = true;
    steps.push({ layer, y, leaf });
    input = leaf;
  }
  crossEntropy(input, labels).backward();
  for (const { y, leaf } of steps.toReversed()) {
    if (y.requiresGrad && leaf.grad !== null) y.backward(leaf.grad);
  }
  return steps;
}

async function read({ layer, leaf }: Step): Promise<LayerProbe> {
  const weight = layer instanceof Dense ? layer.weight.grad : null;
  return {
    kind: kindOf(layer),
    outputs: await floats(leaf),
    outputGradients: leaf.grad === null ? new Float32Array(leaf.size) : await floats(leaf.grad),
    weightGradients: weight === null ? null : await floats(weight),
  };
}

async function floats(values: Tensor): Promise<Float32Array> {
  return Float32Array.from(await values.data());
}
