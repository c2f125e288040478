/** Functions that make tensors of random values. They draw from the initialization stream, which `manualSeed` seeds. */
import type { Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { expectNumber, expectOptions } from './errors.ts';
import { fromValues, optionNames, placeOf, type TensorOptions } from './fill.ts';
import { expectShape } from './indexing.ts';
import { type Stream, streams } from './random.ts';
import type { Tensor } from './tensor.ts';

/**
 * Random values from a normal distribution with mean 0 and standard deviation 1. {@link manualSeed} sets the seed.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} An option is unknown.
 * @example
 * ```ts
 * import { manualSeed, randn } from 'gammabeta';
 *
 * manualSeed(1);
 * const x = randn([10000]);
 * console.log(Math.abs(x.mean().item()) < 0.03); // true
 * ```
 */
export function randn(shape: Shape, options: TensorOptions = {}): Tensor {
  return drawn('randn', shape, (stream) => stream.normal(), options);
}

/**
 * Random values, uniform over [low, high). {@link manualSeed} sets the seed. As in NumPy, `high` itself can occur
 * because of rounding to float32.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} A bound is not finite, low > high, or an option is unknown.
 * @example
 * ```ts
 * import { uniform } from 'gammabeta';
 *
 * const x = uniform([1000], -1, 1);
 * console.log(x.abs().max().item() <= 1); // true
 * ```
 */
export function uniform(shape: Shape, low = 0, high = 1, options: TensorOptions = {}): Tensor {
  expectNumber('uniform', 'low', low);
  expectNumber('uniform', 'high', high, { from: low });
  return drawn('uniform', shape, (stream) => low + (high - low) * stream.uniform(), options);
}

/**
 * A tensor whose elements are drawn one by one from the initialization stream. `op` is the function for error messages.
 */
export function drawn(
  op: string,
  shape: Shape,
  draw: (stream: Stream) => number,
  options: TensorOptions = {},
): Tensor {
  const values = new Float64Array(sizeOf(expectShape(op, shape)));
  expectOptions(op, options, optionNames);
  placeOf(op, options); // checks the options before anything is drawn
  for (let i = 0; i < values.length; i++) values[i] = draw(streams.initialization);
  return fromValues(op, values, shape, options);
}
