import { enclosed, exposed, handOver } from '../tensor/memory.ts';
import { LINEAR } from '../tensor/activation.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { LeakyReLU, ReLU } from './activation.ts';
import { BatchNorm1d } from './batchnorm1d.ts';
import { Dense } from './dense.ts';
import { isBuiltin, Layer } from './layer.ts';

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
  /** @internal See `isBuiltin`. */
  static readonly builtin = true;

  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers.map((layer, i) => this.addLayer(String(i), layer));
  }

  override forward(x: Tensor): Tensor {
    return enclosed(() => {
      let y = x;
      for (let i = 0; i < this.layers.length;) {
        const several = this.inOne(y, i);
        y = several === null ? through(this.layers[i], y) : several.y;
        i += several === null ? 1 : several.count;
      }
      return y;
    });
  }

  /** The layers from i on that one op computes, with fewer passes over memory: their result, and how many they are. */
  private inOne(x: Tensor, i: number): { readonly y: Tensor; readonly count: number } | null {
    const [first, second, third] = this.layers.slice(i, i + 3);
    if (!isBuiltin(first)) return null;
    if (first instanceof Dense && first.bias !== null) {
      const slope = slopeOf(second);
      return slope === null ? null : { y: first.activated(x, slope), count: 2 };
    }
    if (first instanceof BatchNorm1d && second instanceof Dense && isBuiltin(second)) {
      const slope = slopeOf(third);
      const y = first.intoDense(x, second, slope ?? LINEAR);
      return y === null ? null : { y, count: slope === null ? 2 : 3 };
    }
    return null;
  }

  override toString(): string {
    return `Sequential(${this.layers.join(', ')})`;
  }
}

/** A user's layer may keep what it sees and what it makes. */
function through(layer: Layer, x: Tensor): Tensor {
  if (isBuiltin(layer)) return layer.forward(x);
  handOver(x);
  return exposed(() => layer.forward(x));
}

/** The slope below 0 of an activation that a dense layer can take over; null for anything else. */
function slopeOf(layer: Layer | undefined): number | null {
  if (layer === undefined || !isBuiltin(layer)) return null;
  if (layer instanceof ReLU) return 0;
  return layer instanceof LeakyReLU && layer.slope > 0 ? layer.slope : null;
}
