import { expectNumber } from '../tensor/errors.ts';
import { tensor } from '../tensor/create.ts';
import { streams } from '../tensor/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';

/**
 * Dropout (Srivastava et al. 2014). In training, each element of y is 0 with probability p and x/(1−p) otherwise, so
 * the expected value of y is x. In evaluation, y = x. {@link manualSeed} seeds the random numbers.
 *
 * @throws {ValueError} p is not in [0, 1).
 * @example
 * ```ts
 * import { Dropout, ones } from 'gammabeta';
 *
 * const dropout = new Dropout(0.5);
 * console.log(dropout.eval().forward(ones([3])).toArray()); // [ 1, 1, 1 ]
 * ```
 */
export class Dropout extends Layer {
  static {
    complete.add(this);
  }

  /** @internal */
  override readonly hasModes = true;
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = expectNumber('Dropout', 'p', p, { from: 0, below: 1 });
  }

  override forward(x: Tensor): Tensor {
    const { size, shape, dtype, home: device } = this.input(x);
    if (!this.training || this.p === 0) return x;
    const kept = 1 / (1 - this.p);
    const mask = Float64Array.from({ length: size }, () => (streams.dropout.uniform() < this.p ? 0 : kept));
    return x.mul(tensor(mask, { shape, dtype, device }));
  }

  override toString(): string {
    return `Dropout(${this.p})`;
  }
}
