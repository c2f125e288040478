/**
 * The reference device: runs the plain loops of every kernel, on typed arrays that the garbage collector frees. The
 * other devices are tested against it. Only this device supports float64.
 */
import type { FloatArray } from '../../../kernels/kernel.ts';
import { sizeOf } from '../../../kernels/shape.ts';
import type { Device, DType, Storage } from './device.ts';
import { DeviceError } from '../errors.ts';

type CpuStorage = Storage & { readonly values: FloatArray };

/** Memory for `size` elements, filled with zeros. */
function allocate(dtype: DType, size: number): CpuStorage {
  const values = dtype === 'float32' ? new Float32Array(size) : new Float64Array(size);
  return { dtype, size, version: 0, values };
}

export const cpu: Device = {
  name: 'cpu',
  dtypes: ['float32', 'float64'],
  adapter: 'JavaScript',

  upload(values, dtype) {
    const storage = allocate(dtype, values.length);
    storage.values.set(values);
    return storage;
  },

  run(kernel, inputs, shapes, shape, params, inPlace) {
    const dtype = kernel.statistic ? 'float64' : inputs[0].dtype;
    const output = inPlace ? inputs[0] : allocate(dtype, sizeOf(shape));
    kernel.reference(valuesOf(output), inputs.map(valuesOf), kernel.sizes(shapes, params), params);
    if (inPlace) output.version++;
    return output;
  },

  read: (storage) => Promise.resolve(valuesOf(storage).slice()),
  readSync: (storage) => valuesOf(storage).slice(),
  free: () => undefined, // the garbage collector frees memory
};

function valuesOf(storage: Storage): FloatArray {
  if ('values' in storage) return (storage as CpuStorage).values;
  const hint = 'read the values, and make a new tensor on this device';
  throw new DeviceError('cpu', 'memory of another device', hint);
}
