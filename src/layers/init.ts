/**
 * Initializers: functions from a shape to a tensor. A weight is [in, out]; its fan-in is `in`, its fan-out is
 * `out`. Random numbers come from the initialization stream of `manualSeed`.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape } from '../../kernels/shape.ts';
import { drawn } from '../tensor/draw.ts';
import type { TensorOptions } from '../tensor/fill.ts';
import type { Stream } from '../tensor/random.ts';
import { ShapeError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Makes a tensor of the given shape. `zeros` and `ones` are initializers too. */
export type Initializer = (shape: Shape, options?: TensorOptions) => Tensor;

/**
 * Truncated normal with deviation √(2/fanIn): Keras' `HeNormal` (He et al. 2015), for ReLU.
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
 * Uniform over ±√(6/fanIn): Keras' `HeUniform` (He et al. 2015), for ReLU.
 * @throws {ShapeError} The shape is not [in, out].
 */
export const heUniform: Initializer = (shape, options) =>
  symmetricUniform('heUniform', shape, ([fanIn]) => 6 / fanIn, options);

/**
 * Truncated normal with deviation √(2/(fanIn + fanOut)): Keras' `GlorotNormal` (Glorot & Bengio 2010).
 * @throws {ShapeError} The shape is not [in, out].
 */
export const glorotNormal: Initializer = (shape, options) =>
  truncatedNormal('glorotNormal', shape, ([fanIn, fanOut]) => 2 / (fanIn + fanOut), options);

/**
 * Uniform over ±√(6/(fanIn + fanOut)): Keras' default, `GlorotUniform` (Glorot & Bengio 2010).
 * @throws {ShapeError} The shape is not [in, out].
 */
export const glorotUniform: Initializer = (shape, options) =>
  symmetricUniform('glorotUniform', shape, ([fanIn, fanOut]) => 6 / (fanIn + fanOut), options);

/**
 * Uniform over ±1/√fanIn: PyTorch's default for `Linear` (`kaiming_uniform_` with a = √5).
 * @throws {ShapeError} The shape is not [in, out].
 */
export const kaimingUniform: Initializer = (shape, options) =>
  symmetricUniform('kaimingUniform', shape, ([fanIn]) => 1 / fanIn, options);

type Fans = readonly [fanIn: number, fanOut: number];

function fansOf(op: string, shape: Shape): Fans {
  if (shape.length === 2 && shape[0] > 0) return [shape[0], shape[1]];
  throw new ShapeError(
    op,
    `no fan-in and fan-out: ${formatShape(shape)}`,
    'a weight is [in, out], with in ≥ 1',
  );
}

/** The deviation of a standard normal truncated to ±2. Dividing by it gives the requested deviation. */
const CUT_DEVIATION = 0.87962566103423978;

function truncatedNormal(
  op: string,
  shape: Shape,
  variance: (fans: Fans) => number,
  options?: TensorOptions,
): Tensor {
  const deviation = Math.sqrt(variance(fansOf(op, shape))) / CUT_DEVIATION;
  return drawn(op, shape, (stream) => deviation * cutNormal(stream), options);
}

function symmetricUniform(
  op: string,
  shape: Shape,
  square: (fans: Fans) => number,
  options?: TensorOptions,
): Tensor {
  const limit = Math.sqrt(square(fansOf(op, shape)));
  return drawn(op, shape, (stream) => limit * (2 * stream.uniform() - 1), options);
}

/** Normal with mean 0 and deviation 1, redrawn until |z| ≤ 2, as in Keras' initializers. */
export function cutNormal(stream: Stream): number {
  for (;;) {
    const z = stream.normal();
    if (Math.abs(z) <= 2) return z;
  }
}
