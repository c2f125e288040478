/**
 * Initializers: functions that make the initial weight of a layer from its shape [in, out]. fanIn is `in`, fanOut is
 * `out`. `manualSeed` seeds the random numbers.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape } from '../../kernels/shape.ts';
import { drawn } from '../tensor/fill.ts';
import type { TensorOptions } from '../tensor/tensor-types.ts';
import { expectShape } from '../tensor/indexing.ts';
import type { Stream } from '../tensor/random.ts';
import { ShapeError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Makes a tensor of the given shape. `zeros` and `ones` are initializers too. */
export type Initializer = (shape: Shape, options?: TensorOptions) => Tensor;

/**
 * Truncated normal with standard deviation √(2/fanIn), for layers with ReLU: Keras' `HeNormal` (He et al. 2015).
 * @throws {ShapeError} The shape is not [in, out].
 * @example
 * ```ts
 * import { Dense, heNormal } from 'gammabeta';
 *
 * console.log(new Dense(784, 300, { init: heNormal }).weight.shape); // [ 784, 300 ]
 * ```
 */
export const heNormal: Initializer = (shape, options) =>
  truncatedNormal('heNormal', shape, ([fanIn]) => 2 / fanIn, options);

/**
 * Uniform over ±√(6/fanIn), for layers with ReLU: Keras' `HeUniform` (He et al. 2015).
 * @throws {ShapeError} The shape is not [in, out].
 * @example
 * ```ts
 * import { heUniform } from 'gammabeta';
 *
 * console.log(heUniform([6, 100]).abs().max().item() <= 1); // true
 * ```
 */
export const heUniform: Initializer = (shape, options) =>
  symmetricUniform('heUniform', shape, ([fanIn]) => 6 / fanIn, options);

/**
 * Truncated normal with standard deviation √(2/(fanIn + fanOut)): Keras' `GlorotNormal` (Glorot & Bengio 2010).
 * @throws {ShapeError} The shape is not [in, out].
 * @example
 * ```ts
 * import { glorotNormal } from 'gammabeta';
 *
 * console.log(glorotNormal([100, 10]).shape); // [ 100, 10 ]
 * ```
 */
export const glorotNormal: Initializer = (shape, options) =>
  truncatedNormal('glorotNormal', shape, ([fanIn, fanOut]) => 2 / (fanIn + fanOut), options);

/**
 * Uniform over ±√(6/(fanIn + fanOut)): Keras' `GlorotUniform`, the default of its `Dense` (Glorot & Bengio 2010).
 * @throws {ShapeError} The shape is not [in, out].
 * @example
 * ```ts
 * import { glorotUniform } from 'gammabeta';
 *
 * console.log(glorotUniform([20, 4]).abs().max().item() <= 0.5); // true
 * ```
 */
export const glorotUniform: Initializer = (shape, options) =>
  symmetricUniform('glorotUniform', shape, ([fanIn, fanOut]) => 6 / (fanIn + fanOut), options);

/**
 * Uniform over ±1/√fanIn: the default of PyTorch's `Linear` (`kaiming_uniform_` with a = √5).
 * @throws {ShapeError} The shape is not [in, out].
 * @example
 * ```ts
 * import { kaimingUniform } from 'gammabeta';
 *
 * console.log(kaimingUniform([4, 10]).abs().max().item() <= 0.5); // true
 * ```
 */
export const kaimingUniform: Initializer = (shape, options) =>
  symmetricUniform('kaimingUniform', shape, ([fanIn]) => 1 / fanIn, options);

type Fans = readonly [fanIn: number, fanOut: number];

/** fanIn and fanOut of a weight of the given shape. */
function fansOf(op: string, shape: Shape): Fans {
  const [fanIn, fanOut] = expectShape(op, shape);
  if (shape.length === 2 && fanIn > 0) return [fanIn, fanOut];
  throw new ShapeError(
    op,
    `no fan-in and fan-out: ${formatShape(shape)}`,
    'a weight is [in, out], with in ≥ 1',
  );
}

/** The standard deviation of a standard normal distribution truncated to ±2. Dividing by it gives the requested one. */
const CUT_DEVIATION = 0.87962566103423978;

/** Values from a normal distribution truncated to ±2 of its standard deviations, with the given variance. */
function truncatedNormal(
  op: string,
  shape: Shape,
  variance: (fans: Fans) => number,
  options?: TensorOptions,
): Tensor {
  const deviation = Math.sqrt(variance(fansOf(op, shape))) / CUT_DEVIATION;
  return drawn(op, shape, (stream) => deviation * cutNormal(stream), options);
}

/** Values uniform over ±√square(fans). */
function symmetricUniform(
  op: string,
  shape: Shape,
  square: (fans: Fans) => number,
  options?: TensorOptions,
): Tensor {
  const limit = Math.sqrt(square(fansOf(op, shape)));
  return drawn(op, shape, (stream) => limit * (2 * stream.uniform() - 1), options);
}

/** A standard normal value, drawn again until |z| ≤ 2, as in Keras' initializers. */
export function cutNormal(stream: Stream): number {
  for (;;) {
    const z = stream.normal();
    if (Math.abs(z) <= 2) return z;
  }
}
