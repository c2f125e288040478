/** The types of options and operands of tensor functions, and of a tensor in JSON. */
import type { Shape } from '../../kernels/kernel.ts';
import type { Device, DeviceName, DType } from './device/device.ts';
import type { TensorData } from './nested.ts';
import type { Tensor } from './tensor.ts';

export interface TensorOptions {
  /** The element type. Default `float32`. Only the `cpu` device supports `float64`. */
  readonly dtype?: DType;
  /** Whether `backward()` computes its gradient. Default false. */
  readonly requiresGrad?: boolean;
  /**
   * The device that holds the tensor: `'cpu'`, `'wasm'`, or the name of a GPU that `useDevice` has opened. Default: the
   * current device.
   */
  readonly device?: DeviceName | Device;
}

export interface VarianceOptions {
  /** Whether to divide by n − 1 instead of n. Default false. */
  readonly unbiased?: boolean;
  /** Whether to keep the reduced axes, with extent 1. Default false. */
  readonly keepDims?: boolean;
}

/** A tensor, or what {@link tensor} takes. A number broadcasts like a tensor of shape []. */
export type Operand = Tensor | TensorData;

/** A tensor in JSON. `tensor(data, { shape, dtype })` makes it again. */
export interface TensorJson {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The values, in order. */
  readonly data: readonly number[];
}
