/** What a fusion is composed with here: shapes alone, arrays in float64, or a device's memory. */
import type { Composer } from '../kernels/fused/fusion.ts';
import type { Kernel, Params, Shape } from '../kernels/kernel.ts';
import { sizeOf } from '../kernels/shape.ts';
import type { Device, Storage } from '../src/tensor/device/device.ts';
import type { OutputLike } from '../src/tensor/device/wasm/outputs.ts';

interface Shaped {
  readonly shape: Shape;
}

interface Values extends Shaped {
  readonly data: Float64Array;
}

interface Stored extends Shaped {
  readonly storage: Storage;
}

/** One run of a kernel; the shape rule has been applied. */
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

/** The shape rules and no more: what a device is told of a fusion's outputs. */
export const onShapes: Composer<OutputLike> = composer(({ kernel, shape }) => ({
  shape,
  statistic: kernel.statistic ?? false,
}));

/** The references, in float64. */
export const onValues: Composer<Values> = composer(({ kernel, inputs, shapes, shape, params, inPlace }) => {
  const data = inPlace ? inputs[0].data : new Float64Array(sizeOf(shape));
  const arrays = inputs.map((input) => input.data);
  kernel.reference(data, arrays, kernel.sizes(shapes, params), params);
  return { shape, data };
});

/** A device's kernels, one by one. */
export function onDevice(device: Device): Composer<Stored> {
  return composer(({ kernel, inputs, shapes, shape, params, inPlace }) => {
    const storages = inputs.map(({ storage }) => storage);
    return { shape, storage: device.run(kernel, storages, shapes, shape, params, inPlace) };
  });
}
