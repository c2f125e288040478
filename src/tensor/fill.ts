/**
 * Functions that make tensors filled with one value or with random numbers, and the options of all functions that make
 * tensors.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { currentDevice, deviceFor } from './device/current.ts';
import type { Device } from './device/device.ts';
import { DTypeError, expectBoolean, expectOptions, refused, shown } from './errors.ts';
import { expectShape } from './indexing.ts';
import { track } from './op.ts';
import { type Stream, streams } from './random.ts';
import { Tensor } from './tensor.ts';
import type { TensorOptions } from './tensor-types.ts';

/** The options with their defaults. */
type Place = Required<TensorOptions> & { readonly device: Device };

export const optionNames: readonly (keyof TensorOptions)[] = ['dtype', 'requiresGrad', 'device'];

/**
 * A tensor filled with zeros. It can be used as an initializer: `new Dense(2, 3, { init: zeros })`.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} An option is unknown.
 * @example
 * ```ts
 * import { zeros } from 'gammabeta';
 *
 * console.log(zeros([2, 2]).toArray()); // [ [ 0, 0 ], [ 0, 0 ] ]
 * ```
 */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/**
 * A tensor filled with ones. It can be used as an initializer.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} An option is unknown.
 * @example
 * ```ts
 * import { ones } from 'gammabeta';
 *
 * console.log(ones([3]).toArray()); // [ 1, 1, 1 ]
 * ```
 */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}

/**
 * A tensor filled with one value.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} The value is not a number, or an option is unknown.
 * @example
 * ```ts
 * import { full } from 'gammabeta';
 *
 * console.log(full([2], 0.5).toArray()); // [ 0.5, 0.5 ]
 * ```
 */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  if (typeof value !== 'number') throw refused('full', 'value', value, 'a number is expected');
  return filled('full', shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  const size = sizeOf(expectShape(op, shape));
  expectOptions(op, options, optionNames);
  const values = options.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size);
  return fromValues(op, value === 0 ? values : values.fill(value), shape, options);
}

/** Draws one number. */
type Draw = (stream: Stream) => number;

/**
 * A tensor whose elements are drawn one by one from the initialization stream. `op` is the function for error messages.
 */
export function drawn(op: string, shape: Shape, draw: Draw, options: TensorOptions = {}): Tensor {
  const values = new Float64Array(sizeOf(expectShape(op, shape)));
  expectOptions(op, options, optionNames);
  placeOf(op, options); // checks the options before anything is drawn
  for (let i = 0; i < values.length; i++) values[i] = draw(streams.initialization);
  return fromValues(op, values, shape, options);
}

/**
 * A tensor with a copy of the values, on the device and of the element type given in the options. `op` is the function
 * that was called, for error messages.
 *
 * @throws {DTypeError} The device does not support the element type.
 * @throws {DeviceError} The device given by name is not open.
 */
export function fromValues(
  op: string,
  values: ArrayLike<number>,
  shape: Shape,
  options: TensorOptions,
): Tensor {
  const { dtype, requiresGrad, device } = placeOf(op, options);
  const x = track(Tensor.leaf(device.upload(values, dtype), [...shape], device));
  x.requiresGrad = requiresGrad;
  return x;
}

/**
 * The options with their defaults.
 *
 * @throws {DTypeError} The device does not support the element type.
 * @throws {DeviceError} The device given by name is not open.
 */
export function placeOf(op: string, options: TensorOptions): Place {
  const { dtype = 'float32', requiresGrad = false } = options;
  const device = options.device === undefined ? currentDevice() : deviceFor(op, options.device);
  expectBoolean(op, 'requiresGrad', requiresGrad);
  if (device.dtypes.includes(dtype)) return { dtype, requiresGrad, device };
  const hint = dtype === 'float64' ? "{ device: 'cpu' } has float64" : `use ${device.dtypes.join(' or ')}`;
  const isName: boolean = typeof dtype === 'string'; // callers from JavaScript may pass anything
  const problem = isName ? `the device '${device.name}' has no ${dtype}` : `dtype is ${shown(dtype)}`;
  throw new DTypeError(op, problem, hint);
}
