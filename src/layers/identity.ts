import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';

/**
 * y = x: a placeholder for another layer, as PyTorch's `Identity`.
 * @example
 * ```ts
 * import { Dropout, Identity, Layer } from 'gammabeta';
 *
 * const regularize = false;
 * const layer: Layer = regularize ? new Dropout(0.5) : new Identity();
 * console.log(String(layer)); // Identity
 * ```
 */
export class Identity extends Layer {
  static {
    complete.add(this);
  }

  override forward(x: Tensor): Tensor {
    return this.input(x);
  }

  override toString(): string {
    return 'Identity';
  }
}
