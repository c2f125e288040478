/** Runs a kernel on numbers, on a device. */
import type { Kernel, Params, Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { DeviceUnderTest } from '../laws/kernel-laws.ts';

/** Numbers with a shape; a plain list is a vector. */
export type Input = readonly number[] | { readonly shape: Shape; readonly data: readonly number[] };

export type Compute = (kernel: Kernel, inputs: readonly Input[], params?: Params) => Promise<number[]>;

export function computeOn({ device, dtype }: DeviceUnderTest): Compute {
  return async (kernel, inputs, params = {}) => {
    const shapes = inputs.map((input): Shape => ('shape' in input ? input.shape : [input.length]));
    const storages = inputs.map((input) => device.upload('shape' in input ? input.data : input, dtype));
    const shape = kernel.shape(shapes, params);
    const y = await device.read(device.run(kernel, storages, shapes, shape, params, false));
    if (y.length !== sizeOf(shape)) throw new Error(`${kernel.name}: ${y.length} values in ${shape.join()}`);
    return Array.from(y);
  };
}
