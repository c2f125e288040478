/** Building blocks of the cases of kernels. */
import fc from 'fast-check';
import type * as kernels from '../../../kernels/index.ts';
import type { Kernel, Params, Shape } from '../../../kernels/kernel.ts';
import { seededStream } from '../../../src/tensor/seed.ts';
import type { At, KernelCase, Values } from '../../laws/kernel-laws.ts';

/** A case for every kernel. A missing one does not compile. */
export type KernelCases = Readonly<Record<keyof typeof kernels, KernelCase>>;

/** The distribution of random values: uniform over [low, high), plus `offset`. */
export interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly offset?: number;
  /** Every row repeats the first one. */
  readonly constantColumns?: boolean;
  /** Values are rounded down. */
  readonly integer?: boolean;
  /** The share of values that are replaced by 0. */
  readonly zeros?: number;
}

/** Random values from a seed. fast-check prints the seed and the range of a failing call. */
export function drawn(shape: Shape, seed: number, range: Range = {}): Values {
  const { low = -2, high = 2, offset = 0, constantColumns = false, integer = false, zeros = 0 } = range;
  const stream = seededStream(seed);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = new Float64Array(size);
  const period = constantColumns ? (shape.at(-1) ?? 1) : size;
  for (let i = 0; i < size; i++) {
    const value = low + (high - low) * stream.uniform();
    data[i] = i < period ? offset + (integer ? Math.floor(value) : value) : data[i - period];
    if (zeros > 0 && i < period && stream.uniform() < zeros) data[i] = 0;
  }
  const name = `[${shape.join(', ')}] of seed ${seed} in ${JSON.stringify(range)}`;
  return Object.assign({ shape, data }, { [fc.toStringMethod]: () => name });
}

export const seeds: fc.Arbitrary<number> = fc.nat();

/** A shape with extent n on the given axis, and small extents on the others if n is large. */
export function shapesWith(n: number, rank: number, axis: number): fc.Arbitrary<number[]> {
  const others = fc.constantFrom(...(n > 100 ? [1, 2, 3] : [1, 2, 3, 4, 5, 7, 8, 9]));
  return fc.array(others, { minLength: rank, maxLength: rank }).map((shape) => shape.with(axis, n));
}

/** Inputs that all have the same shape, of rank 1 to 3. */
export function sameShape(
  count: number,
  range: Range = {},
  params: fc.Arbitrary<Params> = fc.constant({}),
): KernelCase['calls'] {
  return (n, turn) =>
    fc
      .tuple(
        fc.integer({ min: 1, max: 3 }).chain((rank) => shapesWith(n, rank, turn % rank)),
        seeds,
        params,
      )
      .map(([shape, seed, chosen]) => ({
        inputs: Array.from({ length: count }, (_, k) => drawn(shape, seed + k, range)),
        params: chosen,
      }));
}

/** The case of an elementwise kernel. */
export function elementwise(
  kernel: Kernel,
  formula: (values: readonly number[], params: Params) => number,
  range: Range = {},
  params?: fc.Arbitrary<Params>,
  magnitude?: (values: readonly number[], params: Params) => number,
): KernelCase {
  const count = kernel.inputs.length;
  return {
    kernel,
    calls: sameShape(count, range, params),
    at: (index, inputs, call) =>
      formula(
        inputs.map((input) => input(...index)),
        call.params,
      ),
    ...(magnitude && {
      magnitude: (index, inputs, call) =>
        magnitude(
          inputs.map((input) => input(...index)),
          call.params,
        ),
    }),
    misfits: count === 1 ? [] : misfits([[2, 3], ...Array<Shape>(count - 1).fill([3, 2])]),
  };
}

/** Lists of shapes that the shape rule refuses, whatever the parameters are. */
export function misfits(...lists: readonly (readonly Shape[])[]): NonNullable<KernelCase['misfits']> {
  return lists.map((shapes) => ({
    shapes,
    params: { axis: 0, smoothing: 0, extent: 4, eps: 1e-5, alpha: 0.1, groups: 1 },
  }));
}

/** Σ term(k) over k = 0 … n − 1. */
export function sum(n: number, term: (k: number) => number): number {
  let total = 0;
  for (let k = 0; k < n; k++) total += term(k);
  return total;
}

/** The values along an axis through an index. */
export function along(x: At, index: readonly number[], axis: number, n: number): number[] {
  return Array.from({ length: n }, (_, k) => x(...index.with(axis, k)));
}
