import { sizeOf } from '../../kernels/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';

/**
 * Flattens all axes after the first: [batch, d₁, d₂, …] → [batch, d₁·d₂·…].
 * @example
 * ```ts
 * import { Flatten, zeros } from 'gammabeta';
 *
 * console.log(new Flatten().forward(zeros([32, 28, 28])).shape); // [ 32, 784 ]
 * ```
 */
export class Flatten extends Layer {
  static {
    complete.add(this);
  }

  override forward(x: Tensor): Tensor {
    const [batch = 1, ...example] = this.input(x).extents;
    return x.reshape([batch, sizeOf(example)]);
  }

  override toString(): string {
    return 'Flatten';
  }
}
