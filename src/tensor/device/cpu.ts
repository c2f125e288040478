/**
 * The reference device: every kernel's plain loops, over typed arrays that the garbage collector owns.
 * It is the definition of truth for the other devices, and the only one with float64.
 */
import type { FloatArray } from '../../../kernels/kernel.ts';
import { sizeOf } from '../../../kernels/shape.ts';
import { type Device, type DType, Storage } from './device.ts';
import { DeviceError } from '../errors.ts';

class CpuStorage extends Storage {
  readonly dtype: DType;
  readonly values: FloatArray;

  constructor(dtype: DType, values: FloatArray) {
    super();
    this.dtype = dtype;
    this.values = values;
  }

  get size(): number {
    return this.values.length;
  }
}

export const cpu: Device = {
  name: 'cpu',
  dtypes: ['float32', 'float64'],
  adapter: 'JavaScript',

  upload(values, dtype) {
    return new CpuStorage(dtype, dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values));
  },

  run(kernel, inputs, shapes, shape, params, inPlace) {
    const arrays = inputs.map(valuesOf);
    const dtype = kernel.statistic ? 'float64' : inputs[0].dtype;
    const output = inPlace ? inputs[0] : allocate(dtype, sizeOf(shape));
    kernel.reference(valuesOf(output), arrays, kernel.sizes(shapes, params), params);
    if (inPlace) output.version++;
    return output;
  },

  read: (storage) => Promise.resolve(valuesOf(storage).slice()),
  readSync: (storage) => valuesOf(storage).slice(),
  free: () => undefined, // the garbage collector's work
};

function allocate(dtype: DType, size: number): Storage {
  return new CpuStorage(dtype, dtype === 'float32' ? new Float32Array(size) : new Float64Array(size));
}

function valuesOf(storage: Storage): FloatArray {
  if (storage instanceof CpuStorage) return storage.values;
  throw new DeviceError(
    'cpu',
    'memory of another device',
    'read the tensor, and make a new one on this device',
  );
}
