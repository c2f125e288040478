/** What the cases of fusions are made of. */
import type fc from 'fast-check';
import type { Composer, Fusion } from '../../../kernels/fused/fusion.ts';
import type * as fusions from '../../../kernels/fused/index.ts';
import type { Params, Shape } from '../../../kernels/kernel.ts';
import { sizeOf } from '../../../kernels/shape.ts';
import type { OutputLike } from '../../../src/tensor/device/wasm/outputs.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';

/** A float64 array under a shape: what fusions are composed with to find what they should give. */
export interface Held extends OutputLike {
  readonly data: Float64Array;
}

/** A fusion, where it has to work, and how large the terms are that its results are sums of. */
export interface FusionCase {
  readonly fusion: Fusion;
  /** Calls in which one of the axes has the extent n: which one, that depends on the turn, 0 to 2. */
  readonly calls: (n: number, turn: number) => fc.Arbitrary<KernelCall>;
  /** The inputs that are kept in float64, by their index. */
  readonly statistics?: readonly number[];
  /**
   * For each output, and then for each input that is updated: how large the terms are that each element is a sum
   * of, since rounding in float32 is as large as they are; or null, for as large as the element is itself.
   */
  readonly magnitudes: (inputs: readonly Held[], params: Params) => readonly (Float64Array | null)[];
  /** Extents to leave out: 0, where of no values there is no result. */
  readonly except?: readonly number[];
}

/** A case for every fusion there is: one that is missing does not compile. */
export type FusionCases = Readonly<Record<keyof typeof fusions, FusionCase>>;

export function held(shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))): Held {
  return { shape, data, statistic: false };
}

/** The references, on float64 arrays. */
export const composer: Composer<Held> = {
  run: (kernel, inputs, ...[params]) => {
    const given = (params ?? {}) as never;
    const shapes = inputs.map(({ shape }) => shape);
    const y = { ...held(kernel.shape(shapes, given)), statistic: kernel.statistic ?? false };
    const arrays = inputs.map(({ data }) => data);
    kernel.reference(y.data, arrays, kernel.sizes(shapes, given), given);
    return y;
  },
  update: (kernel, inputs, ...[params]) => {
    const given = (params ?? {}) as never;
    const shapes = inputs.map(({ shape }) => shape);
    const arrays = inputs.map(({ data }) => data);
    kernel.reference(inputs[0].data, arrays, kernel.sizes(shapes, given), given);
  },
};

/** Σᵢ over the rows of [m, C], for each column. */
export function overRows(
  [m, C]: Shape,
  combine: (soFar: number, i: number, c: number) => number,
): Float64Array {
  return Float64Array.from({ length: C }, (_, c) => {
    let value = 0;
    for (let i = 0; i < m; i++) value = combine(value, i, c);
    return value;
  });
}

/** A value for each element of [m, C]. */
export function elementwise([m, C]: Shape, value: (i: number, c: number) => number): Float64Array {
  return Float64Array.from({ length: m * C }, (_, at) => value(Math.floor(at / C), at % C));
}
