/**
 * The reference device: the plain loops of every kernel, over typed arrays that the garbage collector owns.
 * It is the definition of truth for the other devices, and the only one with float64.
 */
import type { FloatArray } from '../../../kernels/kernel.ts';
import { sizeOf } from '../../../kernels/shape.ts';
import type { Device, DType, Storage } from './device.ts';
import { DeviceError } from '../errors.ts';

class CpuStorage implements Storage {
  version = 0;
  readonly dtype: DType;
  readonly values: FloatArray;

  constructor(dtype: DType, values: number | ArrayLike<number>) {
    const length = typeof values === 'number' ? values : values.length;
    this.dtype = dtype;
    this.values = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
    if (typeof values !== 'number') this.values.set(values);
  }

  get size(): number {
    return this.values.length;
  }
}

export const cpu: Device = {
  name: 'cpu',
  dtypes: ['float32', 'float64'],
  adapter: 'JavaScript',

  upload: (values, dtype) => new CpuStorage(dtype, values),

  run(kernel, inputs, shapes, shape, params, inPlace) {
    const dtype = kernel.statistic ? 'float64' : inputs[0].dtype;
    const output = inPlace ? inputs[0] : new CpuStorage(dtype, sizeOf(shape));
    kernel.reference(valuesOf(output), inputs.map(valuesOf), kernel.sizes(shapes, params), params);
    if (inPlace) output.version++;
    return output;
  },

  read: (storage) => Promise.resolve(valuesOf(storage).slice()),
  readSync: (storage) => valuesOf(storage).slice(),
  free: () => undefined, // the garbage collector frees memory
};

function valuesOf(storage: Storage): FloatArray {
  if (storage instanceof CpuStorage) return storage.values;
  const hint = 'read the tensor, and make a new one on this device';
  throw new DeviceError('cpu', 'memory of another device', hint);
}
