/**
 * The modes of layers during training and evaluation. `fit` and `evaluate` wait between batches, and other code runs
 * meanwhile. So they set the modes only while they compute, and restore them before they wait.
 */
import type { Layer } from '../layers/layer.ts';

/** Runs a synchronous computation with all layers of the model in evaluation mode. */
export function inEvaluation<T>(model: Layer, compute: () => T): T {
  return inMode(model.modules(), () => false, compute);
}

/** Runs the synchronous computations of a training run with the layers of a model in training mode. */
export class TrainingMode {
  private readonly model: Layer;
  /** The layers that the user has put in evaluation mode, inside a model in training mode. They stay in it. */
  private evaluating = new Set<Layer>();

  constructor(model: Layer) {
    this.model = model;
  }

  run<T>(compute: () => T): T {
    const layers = this.model.modules();
    if (this.model.training) this.evaluating = new Set(layers.filter((layer) => !layer.training));
    return inMode(layers, (layer) => layer.frozen === null && !this.evaluating.has(layer), compute);
  }
}

function inMode<T>(layers: readonly Layer[], isTraining: (layer: Layer) => boolean, compute: () => T): T {
  const before = layers.map(({ training }) => training);
  for (const layer of layers) layer.training = isTraining(layer);
  try {
    return compute();
  } finally {
    layers.forEach((layer, k) => (layer.training = before[k]));
  }
}
