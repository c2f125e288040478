/** A network as a sequence of layers. */
import { composite } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { fuse } from './fuse.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';

/**
 * Applies layers one after the other: y = fₙ(… f₂(f₁(x))), like PyTorch's `Sequential`. State-dict keys begin with the
 * index of the layer. The layers may also be given as an array.
 *
 * @throws {ValueError} An argument is not a layer, or the x of `forward` is not a tensor.
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

  constructor(...layers: Layer[] | [layers: readonly Layer[]]) {
    super();
    const all = ([] as Layer[]).concat(...layers);
    this.layers = Object.freeze(Array.from(all, (layer, i) => this.addLayer(String(i), layer)));
  }

  override forward(x: Tensor): Tensor {
    return inSequence(this.layers, this.input(x));
  }

  override toString(): string {
    return `Sequential(${this.layers.join(', ')})`;
  }
}

complete.add(Sequential);

/** Applies layers one after the other. `fuse` turns them into steps; for speed, one step may compute several layers. */
export const inSequence: (layers: readonly Layer[], x: Tensor) => Tensor = composite((layers, x) => {
  let y = x;
  for (const step of fuse(layers, Sequential)) y = step(y); // without `fuse`, each step is y = layer.forward(y)
  return y;
});
