/** The fully connected layer. */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { copy } from '../tensor/assign.ts';
import { drawn, zeros } from '../tensor/fill.ts';
import type { DType } from '../tensor/device/device.ts';
import {
  expectBoolean,
  expectFunction,
  expectInteger,
  expectOptions,
  expectTensor,
  ShapeError,
} from '../tensor/errors.ts';
import { composite } from '../tensor/op.ts';
import { addBias } from '../tensor/ops.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Initializer } from './init.ts';
import { Layer } from './layer.ts';
import type { DenseOptions } from './layer-options.ts';

/**
 * The fully connected layer: y = x·W + b. x [batch, in], W [in, out], b [out] → [batch, out].
 *
 * Without `init`, weight and bias are initialized uniformly over ±1/√in, as in PyTorch's `Linear`. With `init`, the
 * bias is initialized with zeros, as in Keras' `Dense`. The weight is [in, out], as in Keras; PyTorch's is [out, in].
 *
 * @throws {ValueError} inFeatures or outFeatures is not an integer ≥ 1, an option is unknown or not of its type, or
 *   `init` returns no tensor. From `forward`: x is not a tensor.
 * @throws {ShapeError} `init` returns a tensor of another shape or dtype. From `forward`: x is not [batch, in].
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
    expectBoolean('Dense', 'bias', bias);
    if (init !== undefined) expectFunction('Dense', 'init', init);
    const trainable = { dtype, requiresGrad: true };
    const limit = 1 / Math.sqrt(inFeatures);
    const kaimingUniform: Initializer = (shape) =>
      drawn('kaimingUniform', shape, (stream) => limit * (2 * stream.uniform() - 1), trainable);
    const weight = initialized('Dense', init ?? kaimingUniform, [inFeatures, outFeatures], dtype);
    this.weight = this.addParameter('weight', weight);
    const uniform: Initializer = (shape) =>
      drawn('uniform', shape, (stream) => -limit + 2 * limit * stream.uniform(), trainable);
    const initialBias = init === undefined ? uniform : zeros;
    this.bias = bias ? this.addParameter('bias', initialBias([outFeatures], trainable)) : null;
  }

  override forward(x: Tensor): Tensor {
    this.expectInput(x);
    return this.bias === null ? x.matmul(this.weight) : affine(x, this.weight, this.bias);
  }

  /** @internal Throws {@link ShapeError} unless x is [batch, in]. */
  expectInput(x: Tensor): void {
    const { extents: shape } = this.input(x);
    const inFeatures = this.weight.extents[0];
    if (shape.length === 2 && shape[1] === inFeatures) return;
    const reshape = `x.reshape([-1, ${inFeatures}]) makes a batch${shape.length > 2 ? ', as does Flatten()' : ''}`;
    const canReshape = shape.length !== 2 && x.size % inFeatures === 0;
    const hint = canReshape ? reshape : `this layer takes ${inFeatures} features`;
    throw new ShapeError(this.op, `expected x [batch, ${inFeatures}]: ${formatShape(shape)}`, hint);
  }

  override toString(): string {
    const [inFeatures, outFeatures] = this.weight.shape;
    return `Dense(${inFeatures} → ${outFeatures})`;
  }
}

/** y = x·W + b. */
const affine = composite((x: Tensor, W: Tensor, b: Tensor): Tensor => addBias(x.matmul(W), b));

/** The initial weight: what `init` returns, or a trainable copy of it. */
export function initialized(op: string, init: Initializer, shape: Shape, dtype: DType): Tensor {
  const options = { dtype, requiresGrad: true };
  const made = expectTensor(op, 'the result of init', init(shape, options));
  if (!sameShape(made.shape, shape) || made.dtype !== dtype) {
    const found = `init returned a tensor ${formatShape(made.shape)}, ${made.dtype}`;
    const problem = `${found}, for a weight ${formatShape(shape)}, ${dtype}`;
    throw new ShapeError(op, problem, 'use the shape and the options that init is called with');
  }
  if (made.requiresGrad && made.node === null) return made;
  const trainable = copy(made);
  trainable.requiresGrad = true;
  return trainable;
}
