import type { Tensor } from '../tensor/tensor.ts';
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
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }

  override toString(): string {
    return `Sequential(${this.layers.join(', ')})`;
  }
}
