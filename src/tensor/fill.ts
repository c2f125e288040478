/** Tensors with one value everywhere, and what all functions share that make tensors. */
import type { Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { currentDevice } from './device/current.ts';
import type { Device, DType } from './device/device.ts';
import { DTypeError, expectOptions } from './errors.ts';
import { expectShape } from './indexing.ts';
import { track } from './op.ts';
import { Tensor } from './tensor.ts';

export interface TensorOptions {
  /** `float32` by default; `float64` on the `cpu` device only. */
  readonly dtype?: DType;
  /** Whether `backward()` is to compute its gradient. */
  readonly requiresGrad?: boolean;
  /** Where it is made; the current device by default. */
  readonly device?: Device;
}

export const optionNames: readonly string[] = [
  'dtype',
  'requiresGrad',
  'device',
] satisfies (keyof TensorOptions)[];

/**
 * A tensor of zeros. Also an initializer, as in `new Dense(2, 3, { init: zeros })`.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
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
 * A tensor of ones. Also an initializer.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
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
 * A tensor with one value everywhere.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @example
 * ```ts
 * import { full } from 'gammabeta';
 *
 * console.log(full([2], 0.5).toArray()); // [ 0.5, 0.5 ]
 * ```
 */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return filled('full', shape, value, options);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  expectOptions(op, options, optionNames);
  const size = sizeOf(expectShape(op, shape));
  const values = options.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size);
  return fromValues(op, value === 0 ? values : values.fill(value), shape, options);
}

/** A tensor with a copy of these values, on the device and of the type that the options name. `op` is for messages. */
export function fromValues(
  op: string,
  values: ArrayLike<number>,
  shape: Shape,
  options: TensorOptions,
): Tensor {
  const { dtype = 'float32', requiresGrad = false, device = currentDevice() } = options;
  if (!device.dtypes.includes(dtype)) {
    throw new DTypeError(
      op,
      `the device '${device.name}' has no ${dtype}`,
      device.dtypes.includes('float64')
        ? `use ${device.dtypes.join(' or ')}`
        : "useDevice('cpu') has float64",
    );
  }
  return track(Tensor.leaf(device.upload(values, dtype), [...shape], device, requiresGrad));
}
