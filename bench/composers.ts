/** Two ways to run the kernels of a fusion one by one: on float64 arrays, or on a device. */
import type { Composer } from '../kernels/fused/fusion.ts';
import type { Kernel, Params, Shape } from '../kernels/kernel.ts';
import { sizeOf } from '../kernels/shape.ts';
import type { Device, Storage } from '../src/tensor/device/device.ts';

interface Shaped {
  readonly shape: Shape;
}

interface Values extends Shaped {
  readonly data: Float64Array;
}

interface Stored extends Shaped {
  readonly storage: Storage;
}

/** One run of a kernel, with the output shape that its shape rule gives. */
interface Run<T> {
  readonly kernel: Kernel;
  readonly inputs: readonly T[];
  readonly shapes: readonly Shape[];
  readonly shape: Shape;
  readonly params: Params;
  readonly inPlace: boolean;
}

function composer<T extends Shaped>(compute: (run: Run<T>) => T): Composer<T> {
  const apply = (kernel: Kernel, inputs: readonly T[], params: Params = {}, inPlace: boolean): T => {
    const shapes = inputs.map(({ shape }) => shape);
    const shape = kernel.shape(shapes, params);
    return compute({ kernel, inputs, shapes, shape, params, inPlace });
  };
  return {
    run: (kernel, inputs, ...[params]) => apply(kernel, inputs, params, false),
    update: (kernel, inputs, ...[params]) => void apply(kernel, inputs, params, true),
  };
}

/** Runs the references in float64. */
export const onValues: Composer<Values> = composer(({ kernel, inputs, shapes, shape, params, inPlace }) => {
  const data = inPlace ? inputs[0].data : new Float64Array(sizeOf(shape));
  const arrays = inputs.map((input) => input.data);
  kernel.reference(data, arrays, kernel.sizes(shapes, params), params);
  return { shape, data };
});

/** Runs a device's kernels. */
export function onDevice(device: Device): Composer<Stored> {
  return composer(({ kernel, inputs, shapes, shape, params, inPlace }) => {
    const storages = inputs.map(({ storage }) => storage);
    return { shape, storage: device.run(kernel, storages, shapes, shape, params, inPlace) };
  });
}
