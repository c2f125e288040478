/** The ways by which a tensor's memory is copied. */
import * as kernels from '../../kernels/update.ts';
import type { FloatArray } from '../../kernels/kernel.ts';
import { tensor } from './create.ts';
import type { Device } from './device/device.ts';
import { run, runInPlace } from './op.ts';
import type { Tensor } from './tensor.ts';

/** The same values in memory of their own. */
export function copy(x: Tensor): Tensor {
  return run(kernels.assign, [x, x]);
}

/** Overwrites a tensor in place, so that whoever holds it sees the new values. Shapes must be equal. */
export function assign(target: Tensor, source: Tensor): void {
  const { shape, dtype, home } = target;
  const atHome = source.dtype === dtype && source.home === home;
  runInPlace(kernels.assign, [
    target,
    atHome ? source : tensor(source.dataSync(), { shape, dtype, device: home }),
  ]);
}

/** Gives a tensor other memory, on another device, with these values: for whoever holds it, it is there now. */
export function move(x: Tensor, device: Device, values: FloatArray): void {
  x.replaceGradient(null);
  const { storage } = tensor(values, { shape: x.shape, dtype: x.dtype, device });
  storage.seen = x.storage.seen;
  x.home = device;
  x.storage = storage;
}
