import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { fuse } from './fuse.ts';
import { Layer } from './layer.ts';

/**
 * Layers one after the other: y = fₙ(… f₂(f₁(x))). State-dict keys begin with the layer's index.
 *
 * @example
 * ```ts
 * import { BatchNorm1d, Dense, randn, ReLU, Sequential } from 'gammabeta';
 *
 * const model = new Sequential(new Dense(4, 8, { bias: false }), new BatchNorm1d(8), new ReLU(), new Dense(8, 3));
 * console.log(model.forward(randn([5, 4])).shape); // [ 5, 3 ]
 * console.log(Object.keys(model.stateDict()).slice(0, 3)); // [ '0.weight', '1.weight', '1.bias' ]
 * ```
 */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers.map((layer, i) => this.addLayer(String(i), layer));
  }

  override forward(x: Tensor): Tensor {
    return inSequence(this.layers, x);
  }

  override toString(): string {
    return `Sequential(${this.layers.join(', ')})`;
  }
}

/** Applies layers one after the other. */
export const inSequence: (layers: readonly Layer[], x: Tensor) => Tensor = composite((layers, x) => {
  let y = x;
  for (const step of fuse(flatten(layers))) y = step(y); // without fuse: y = layer.forward(y)
  return y;
});

/** The layers, with those of a `Sequential` in its place. */
function flatten(layers: readonly Layer[]): readonly Layer[] {
  if (!layers.some(isSequence)) return layers;
  return layers.flatMap((layer) => (isSequence(layer) ? flatten(layer.layers) : [layer]));
}

/** False for a subclass, and for an object whose `forward` was replaced: those run their own `forward`. */
function isSequence(layer: Layer): layer is Sequential {
  return layer.constructor === Sequential && !Object.hasOwn(layer, 'forward');
}
