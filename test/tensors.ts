/** Short ways to make and read tensors. */
import { deviceInfo, type DType, Tensor, tensor, type TensorData } from '../src/index.ts';

/** The widest element type of the current device: float64 on the cpu, float32 on the others. */
export function widest(): DType {
  return deviceInfo().dtypes.at(-1) ?? 'float32';
}

/** A tensor of the {@link widest} type. */
export function wide(data: TensorData): Tensor {
  return tensor(data, { dtype: widest() });
}

/** One that wants a gradient. */
export function leaf(data: TensorData): Tensor {
  return tensor(data, { dtype: widest(), requiresGrad: true });
}

/** A float64 tensor, on the cpu, which alone has them. */
export function f64(data: TensorData): Tensor {
  return tensor(data, { dtype: 'float64' });
}

/** All values in order, on any device; a tensor that is not there, such as a missing gradient, is a failure. */
export async function read(x: Tensor | null | undefined): Promise<number[]> {
  if (x instanceof Tensor) return Array.from(await x.data());
  throw new Error(`a tensor was expected: ${String(x)}`);
}

/** The same at once, which webgpu cannot. */
export function values(x: Tensor | null | undefined): number[] {
  if (x instanceof Tensor) return Array.from(x.dataSync());
  throw new Error(`a tensor was expected: ${String(x)}`);
}
