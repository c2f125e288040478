/** Short ways to make and read tensors. */
import { Tensor, tensor, type TensorData } from '../src/index.ts';

/** A float64 tensor. */
export function f64(data: TensorData): Tensor {
  return tensor(data, { dtype: 'float64' });
}

/** A float64 tensor that wants a gradient. */
export function leaf(data: TensorData): Tensor {
  return tensor(data, { dtype: 'float64', requiresGrad: true });
}

/** All values in order; a tensor that is not there, such as a missing gradient, is a failure. */
export function values(x: Tensor | null | undefined): number[] {
  if (x instanceof Tensor) return Array.from(x.dataSync());
  throw new Error(`a tensor was expected: ${String(x)}`);
}
