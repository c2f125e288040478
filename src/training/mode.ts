/**
 * The modes of layers during training and evaluation. `fit` and `evaluate` wait between batches, and other code runs
 * meanwhile. So they set the modes only while they compute, and restore them before they wait.
 */
import type { Layer } from '../layers/layer.ts';

/** Runs a synchronous computation with all these layers in evaluation mode. */
export function inEvaluation<T>(layers: readonly Layer[], compute: () => T): T {
  return inMode(layers, () => false, compute);
}

/** Runs the synchronous computations of a training run with the layers of a model in training mode. */
export class TrainingMode {
  private readonly model: Layer;
  private readonly layers: readonly Layer[];
  /** The layers that the user has put in evaluation mode, inside a model in training mode. They stay in it. */
  private evaluating = new Set<Layer>();

  constructor(model: Layer) {
    this.model = model;
    this.layers = model.modules();
  }

  run<T>(compute: () => T): T {
    if (this.model.training) this.evaluating = new Set(this.layers.filter((layer) => !layer.training));
    return inMode(this.layers, (layer) => layer.frozen === null && !this.evaluating.has(layer), compute);
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
