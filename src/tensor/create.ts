/** Functions that make tensors from given values, from ranges of numbers and from random numbers. */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { expectInteger, expectNumber, expectOptions, ShapeError, ValueError } from './errors.ts';
import { drawn, fromValues, optionNames } from './fill.ts';
import type { TensorOptions } from './tensor-types.ts';
import { expectShape } from './indexing.ts';
import { numbersOf, shapeOf, type TensorData } from './nested.ts';
import type { Tensor } from './tensor.ts';

/**
 * Makes a tensor from a copy of the given values.
 *
 * @param data A number, nested arrays of numbers, a typed array, or an array of typed arrays.
 * @param options.shape The shape. By default, it is the shape of the nested arrays, or [length] for a typed array.
 * @throws {ShapeError} The nesting is ragged, or the size of the shape differs from the number of values.
 * @throws {ValueError} The data contains a value that is not a number, or an option is unknown.
 * @throws {DTypeError} The device does not have that element type.
 * @throws {DeviceError} The device given by name is not open.
 * @example
 * ```ts
 * import { tensor } from 'gammabeta';
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * console.log(x.shape); // [ 2, 3 ]
 * console.log(tensor(new Uint8Array([0, 128, 255]), { shape: [3, 1] }).toArray()); // [ [ 0 ], [ 128 ], [ 255 ] ]
 * ```
 */
export function tensor(data: TensorData, options: TensorOptions & { readonly shape?: Shape } = {}): Tensor {
  expectOptions('tensor', options, ['shape', ...optionNames]);
  const values = numbersOf('tensor', data);
  const shape = options.shape === undefined ? shapeOf(data) : expectShape('tensor', options.shape);
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(
      'tensor',
      `${values.length} values for shape ${formatShape(shape)}, which holds ${sizeOf(shape)}`,
      'the product of the extents must be the number of values',
    );
  }
  return fromValues('tensor', values, shape, options);
}

/**
 * The n × n identity matrix: 1 on the diagonal, 0 elsewhere.
 * @throws {ValueError} n is not an integer ≥ 0, or an option is unknown.
 * @example
 * ```ts
 * import { eye } from 'gammabeta';
 *
 * console.log(eye(2).toArray()); // [ [ 1, 0 ], [ 0, 1 ] ]
 * ```
 */
export function eye(n: number, options: TensorOptions = {}): Tensor {
  expectOptions('eye', options, optionNames);
  const shape = expectShape('eye', [expectInteger('eye', 'n', n, 0), n]);
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  return fromValues('eye', values, shape, options);
}

/**
 * The values start, start + step, … up to, but not including, stop, as in NumPy. `arange(n)` is 0, 1, …, n−1.
 * @throws {ValueError} start, stop or step is not finite, step is 0, or an option is unknown.
 * @example
 * ```ts
 * import { arange } from 'gammabeta';
 *
 * console.log(arange(4).toArray()); // [ 0, 1, 2, 3 ]
 * console.log(arange(1, 2, 0.25).toArray()); // [ 1, 1.25, 1.5, 1.75 ]
 * ```
 */
export function arange(start: number, stop?: number, step = 1, options: TensorOptions = {}): Tensor {
  expectOptions('arange', options, optionNames);
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  expectNumber('arange', 'start', from);
  expectNumber('arange', 'stop', to);
  expectNumber('arange', 'step', step);
  if (step === 0) throw new ValueError('arange', 'step is 0', 'use a positive or negative step');
  const shape = expectShape('arange', [Math.max(0, Math.ceil((to - from) / step))]);
  const values = new Float64Array(sizeOf(shape)).map((_, i) => from + i * step);
  return fromValues('arange', values, shape, options);
}

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
