/** Building blocks of the cases of fusions. */
import type fc from 'fast-check';
import type { Composer, Fusion } from '../../../kernels/fused/fusion.ts';
import type * as fusions from '../../../kernels/fused/index.ts';
import { type Signature, signatures } from '../../../kernels/fused/signatures.ts';
import type { Params, Shape } from '../../../kernels/kernel.ts';
import { sizeOf } from '../../../kernels/shape.ts';
import { type OutputLike, resultsOf } from '../../../src/tensor/device/outputs.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';

/** A float64 array with a shape, on which the references of a fusion run. */
export interface Held extends OutputLike {
  readonly data: Float64Array;
}

/** A fusion, calls that it must compute, and the size of the terms of its results. */
export interface FusionCase {
  readonly fusion: Fusion;
  /** Calls in which one axis has the extent n. The turn, 0 to 2, chooses the axis. */
  readonly calls: (n: number, turn: number) => fc.Arbitrary<KernelCall>;
  /** The indices of the inputs that are float64. */
  readonly statistics?: readonly number[];
  /**
   * For each output, then for each input that is updated: the size of the terms of which each element is a sum, because
   * rounding in float32 is relative to them; null if that is the size of the element itself.
   */
  readonly magnitudes: (inputs: readonly Held[], params: Params) => readonly (Float64Array | null)[];
  /** Extents to skip: 0, if there is no result over no values. */
  readonly except?: readonly number[];
}

/** A case for every fusion. A missing one does not compile. */
export type FusionCases = Readonly<Record<keyof typeof fusions, FusionCase>>;

/** The indices of the inputs that a call updates. */
export function updatesOf({ fusion }: FusionCase, { inputs, params }: KernelCall): readonly number[] {
  const shapes = inputs.map(({ shape }) => shape);
  return resultsOf(fusion, shapes, params).updates;
}

/** The names of the inputs and outputs of a fusion, and its cost. */
export function signatureOf({ fusion }: FusionCase): Signature {
  const all: Readonly<Record<string, Signature>> = signatures;
  return all[fusion.name];
}

/** The names of the results of a call: of the outputs, then of the inputs that are updated. */
export function resultNames(fusionCase: FusionCase, call: KernelCall): readonly string[] {
  const { inputs, outputs } = signatureOf(fusionCase);
  return [...outputs, ...updatesOf(fusionCase, call).map((k) => inputs[k])];
}

export function held(shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))): Held {
  return { shape, data, statistic: false };
}

/** Runs the references on float64 arrays. */
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

/** Accumulates over the rows of [m, C], per column. */
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

/** A value per element of [m, C]. */
export function elementwise([m, C]: Shape, value: (i: number, c: number) => number): Float64Array {
  return Float64Array.from({ length: m * C }, (_, at) => value(Math.floor(at / C), at % C));
}
