import { formatShape } from '../../kernels/shape.ts';
import { drawn, uniform } from '../tensor/draw.ts';
import { zeros } from '../tensor/fill.ts';
import type { DType } from '../tensor/device/device.ts';
import { expectInteger, expectOptions, ShapeError } from '../tensor/errors.ts';
import { dense } from '../tensor/ops.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Initializer } from './init.ts';
import { Layer } from './layer.ts';

export interface DenseOptions {
  /** Whether to add b. Leave it out in front of a BatchNorm, which takes any constant away again. */
  readonly bias?: boolean;
  /** For the weight. */
  readonly init?: Initializer;
  readonly dtype?: DType;
}

/**
 * The fully connected layer: y = x·W + b. x [batch, in], W [in, out], b [out] → [batch, out].
 *
 * Without `init`, weight and bias are uniform over ±1/√in, as in PyTorch's `Linear`; with one, the bias
 * begins at zero, as in Keras. Unlike PyTorch's, the weight is [in, out].
 *
 * @throws {ValueError} A feature count is not an integer ≥ 1, or an option is unknown.
 * @throws {ShapeError} From `forward`: x is not [batch, in].
 * @example
 * ```ts
 * import { Dense, glorotUniform, ones } from 'gammabeta';
 *
 * const dense = new Dense(3, 2, { init: glorotUniform });
 * console.log(dense.forward(ones([5, 3])).shape); // [ 5, 2 ]
 * console.log(dense.bias?.toArray()); // [ 0, 0 ]
 * ```
 */
export class Dense extends Layer {
  /** W, [in, out]. */
  readonly weight: Tensor;
  /** b, [out]; null with `bias: false`. */
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: DenseOptions = {}) {
    super();
    expectOptions('Dense', options, ['bias', 'init', 'dtype']);
    expectInteger('Dense', 'inFeatures', inFeatures, 1);
    expectInteger('Dense', 'outFeatures', outFeatures, 1);
    const { bias = true, init, dtype = 'float32' } = options;
    const trainable = { dtype, requiresGrad: true };
    const limit = 1 / Math.sqrt(inFeatures);
    const kaimingUniform: Initializer = (shape) =>
      drawn('kaimingUniform', shape, (stream) => limit * (2 * stream.uniform() - 1), trainable);
    this.weight = this.addParameter('weight', (init ?? kaimingUniform)([inFeatures, outFeatures], trainable));
    const initialBias = () =>
      init === undefined ? uniform([outFeatures], -limit, limit, trainable) : zeros([outFeatures], trainable);
    this.bias = bias ? this.addParameter('bias', initialBias()) : null;
  }

  override forward(x: Tensor): Tensor {
    this.expectInput(x);
    return this.bias === null ? x.matmul(this.weight) : dense(x, this.weight, this.bias);
  }

  /** @internal Throws {@link ShapeError} unless x is [batch, in]. */
  expectInput(x: Tensor): void {
    const [inFeatures] = this.weight.shape;
    if (x.shape.length === 2 && x.shape[1] === inFeatures) return;
    throw new ShapeError(
      this.op,
      `expected x [batch, ${inFeatures}]: ${formatShape(x.shape)}`,
      x.shape.length === 2 ? `this layer takes ${inFeatures} features` : 'put Flatten() in front, or reshape',
    );
  }

  override toString(): string {
    const [inFeatures, outFeatures] = this.weight.shape;
    return `Dense(${inFeatures} → ${outFeatures})`;
  }
}
