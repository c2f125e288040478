/** Activation functions as layers: those of the networks in the experiments. `bounded-activations.ts` has more. */
import { expectNumber } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './layer.ts';

/**
 * y = max(0, x), element by element. The gradient at 0 is 0, as in PyTorch.
 * @example
 * ```ts
 * import { ReLU, tensor } from 'gammabeta';
 *
 * console.log(new ReLU().forward(tensor([-1, 2])).toArray()); // [ 0, 2 ]
 * ```
 */
export class ReLU extends Layer {
  override forward(x: Tensor): Tensor {
    return this.input(x).relu();
  }

  override toString(): string {
    return 'ReLU';
  }
}

/**
 * y = x for x > 0, and slope·x otherwise. The slope is 0.01 by default, as in PyTorch; Keras' default is 0.3.
 * @throws {ValueError} The slope is not a finite number.
 * @example
 * ```ts
 * import { LeakyReLU, tensor } from 'gammabeta';
 *
 * console.log(new LeakyReLU(0.5).forward(tensor([-1, 2])).toArray()); // [ -0.5, 2 ]
 * ```
 */
export class LeakyReLU extends Layer {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    this.slope = expectNumber('LeakyReLU', 'slope', slope);
  }

  override forward(x: Tensor): Tensor {
    return this.input(x).leakyRelu(this.slope);
  }

  override toString(): string {
    return `LeakyReLU(${this.slope})`;
  }
}
