import type { FloatArray } from '../../kernels/kernel.ts';
import type { Device } from './device/device.ts';
import { keep } from './op.ts';
import type { Tensor } from './tensor.ts';

/** Moves a tensor to another device, with these values: every holder of it finds it there. Its gradient is lost. */
export function move(x: Tensor, device: Device, values: FloatArray): void {
  x.grad = null;
  x.storage = device.upload(values, x.dtype);
  x.home = device;
  keep(x);
}
