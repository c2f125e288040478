/** Helpers to make and read tensors. */
import { deviceInfo, type DType, Tensor, tensor, type TensorData } from '../src/index.ts';

/** The widest element type of the current device: float64 on `cpu`, float32 on all others. */
export function widest(): DType {
  return deviceInfo().dtypes.at(-1) ?? 'float32';
}

/** A tensor of the {@link widest} element type. */
export function wide(data: TensorData): Tensor {
  return tensor(data, { dtype: widest() });
}

/** A tensor of the {@link widest} element type that requires a gradient. */
export function leaf(data: TensorData): Tensor {
  return tensor(data, { dtype: widest(), requiresGrad: true });
}

/** A float64 tensor. Only the `cpu` device has float64. */
export function f64(data: TensorData): Tensor {
  return tensor(data, { dtype: 'float64' });
}

/** All values in order, on any device. Throws if there is no tensor, for example if a gradient is missing. */
export async function read(x: Tensor | null | undefined): Promise<number[]> {
  if (x instanceof Tensor) return Array.from(await x.data());
  throw new Error(`a tensor was expected: ${String(x)}`);
}

/** {@link read}, synchronously: on all devices except `webgpu`. */
export function values(x: Tensor | null | undefined): number[] {
  if (x instanceof Tensor) return Array.from(x.dataSync());
  throw new Error(`a tensor was expected: ${String(x)}`);
}
