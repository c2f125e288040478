/** Runs a kernel's reference on values, in either element type. */
import type { FloatArray, Kernel, Params, Shape } from '../../kernels/kernel.ts';

/** Numbers with a shape; a plain list is a vector. */
export type Input = readonly number[] | { readonly shape: Shape; readonly data: readonly number[] };

export function compute(
  kernel: Kernel,
  inputs: readonly Input[],
  { params = {}, dtype = 'float64' }: { params?: Params; dtype?: 'float32' | 'float64' } = {},
): number[] {
  const make = (values: ArrayLike<number>): FloatArray =>
    dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
  const shapes = inputs.map((input): Shape => ('shape' in input ? input.shape : [input.length]));
  const arrays = inputs.map((input) => make('shape' in input ? input.data : input));
  const size = kernel.shape(shapes, params).reduce((product, extent) => product * extent, 1);
  const y = make(new Float64Array(size));
  kernel.reference(y, arrays, kernel.sizes(shapes, params), params);
  return Array.from(y);
}
