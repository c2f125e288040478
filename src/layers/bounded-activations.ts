/** Activation functions with values from −1 to 1, as layers. All act element by element, except `Softmax`. */
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './layer.ts';

/**
 * y = 1 / (1 + e⁻ˣ), element by element.
 * @example
 * ```ts
 * import { Sigmoid, tensor } from 'gammabeta';
 *
 * console.log(new Sigmoid().forward(tensor([0])).toArray()); // [ 0.5 ]
 * ```
 */
export class Sigmoid extends Layer {
  override forward(x: Tensor): Tensor {
    return this.input(x).sigmoid();
  }

  override toString(): string {
    return 'Sigmoid';
  }
}

/**
 * y = tanh x, element by element.
 * @example
 * ```ts
 * import { Tanh, tensor } from 'gammabeta';
 *
 * console.log(new Tanh().forward(tensor([0])).toArray()); // [ 0 ]
 * ```
 */
export class Tanh extends Layer {
  override forward(x: Tensor): Tensor {
    return this.input(x).tanh();
  }

  override toString(): string {
    return 'Tanh';
  }
}

/**
 * y = exp(x) / Σ exp(x), with the sum over the last axis: probabilities from logits. Do not use it in front of
 * `crossEntropy`, which takes logits.
 * @example
 * ```ts
 * import { Softmax, tensor } from 'gammabeta';
 *
 * console.log(new Softmax().forward(tensor([[3, 3]])).toArray()); // [ [ 0.5, 0.5 ] ]
 * ```
 */
export class Softmax extends Layer {
  override forward(x: Tensor): Tensor {
    return this.input(x).softmax(-1);
  }

  override toString(): string {
    return 'Softmax';
  }
}
