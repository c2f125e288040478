import { randn } from '../tensor/create.ts';
import { expectFunction, expectInteger, expectOptions, ValueError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { initialized } from './dense.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';
import type { EmbeddingOptions } from './layer-options.ts';

/**
 * A table with a learned vector for each index, as PyTorch's `Embedding`: y[i] = W[x[i]]. x holds integers from 0 to
 * count − 1, in any shape, which gets a new last axis: [batch, length] → [batch, length, features].
 *
 * The indices are read to check them, so this layer does not run on `webgpu`.
 *
 * @throws {ValueError} count or features is not an integer ≥ 1, an option is unknown or not of its type, or `init`
 *   returns no tensor. From `forward`: x is not a tensor, or an index is not an integer from 0 to count − 1.
 * @throws {ShapeError} `init` returns a tensor of another shape or dtype.
 * @throws {DeviceError} From `forward`: x is on `webgpu`, which cannot read synchronously.
 * @example
 * ```ts
 * import { Embedding, tensor } from 'gammabeta';
 *
 * const words = new Embedding(1000, 16);
 * console.log(words.forward(tensor([[4, 7, 999], [0, 0, 1]])).shape); // [ 2, 3, 16 ]
 * ```
 */
export class Embedding extends Layer {
  static {
    complete.add(this);
  }

  /** W, [count, features]. */
  readonly weight: Tensor;

  constructor(count: number, features: number, options: EmbeddingOptions = {}) {
    super();
    expectOptions('Embedding', options, ['init', 'dtype']);
    expectInteger('Embedding', 'count', count, 1);
    expectInteger('Embedding', 'features', features, 1);
    const { init = randn, dtype = 'float32' } = options;
    expectFunction('Embedding', 'init', init);
    const weight = initialized('Embedding', init, [count, features], dtype);
    this.weight = this.addParameter('weight', weight);
  }

  override forward(x: Tensor): Tensor {
    const [count, features] = this.weight.shape;
    const indices = this.input(x).dataSync();
    const wrong = indices.find((index: number) => !(Number.isInteger(index) && index >= 0 && index < count));
    if (wrong !== undefined) {
      throw new ValueError(this.op, `index ${wrong}`, `x holds integers from 0 to ${count - 1}`);
    }
    return this.weight.gather(indices).reshape([...x.extents, features]);
  }

  override toString(): string {
    const [count, features] = this.weight.shape;
    return `Embedding(${count} → ${features})`;
  }
}
