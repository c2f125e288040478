/** What the cases of kernels are made of. */
import fc from 'fast-check';
import type * as kernels from '../../../kernels/index.ts';
import type { Kernel, Params, Shape } from '../../../kernels/kernel.ts';
import { seededStream } from '../../../src/tensor/random.ts';
import type { At, KernelCase, Values } from '../../laws/kernel-laws.ts';

/** A case for every kernel there is: one that is missing does not compile. */
export type KernelCases = Readonly<Record<keyof typeof kernels, KernelCase>>;

/** Where values are drawn from: uniform over [low, high), then moved by `offset`. */
export interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly offset?: number;
  /** Equal to the values of the first row, in every row. */
  readonly constantColumns?: boolean;
  /** Rounded down. */
  readonly integer?: boolean;
  /** The share of values that are 0 instead. */
  readonly zeros?: number;
}

/** Values of a seed. fast-check prints a failing call by what they were drawn from. */
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

/** A shape of a rank: n on that axis, and little on the others where n is large. */
export function shapesWith(n: number, rank: number, axis: number): fc.Arbitrary<number[]> {
  const others = fc.constantFrom(...(n > 100 ? [1, 2, 3] : [1, 2, 3, 4, 5, 7, 8, 9]));
  return fc.array(others, { minLength: rank, maxLength: rank }).map((shape) => shape.with(axis, n));
}

/** Inputs that all have one shape, of rank 1 to 3. */
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

/** A kernel that computes each element from those at the same place. */
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

/** Lists of shapes that are refused whatever the parameters, which are 0 here. */
export function misfits(...lists: readonly (readonly Shape[])[]): NonNullable<KernelCase['misfits']> {
  return lists.map((shapes) => ({
    shapes,
    params: { axis: 0, smoothing: 0, extent: 4, eps: 1e-5, alpha: 0.1 },
  }));
}

/** Σ term(k) over k = 0 … n − 1. */
export function sum(n: number, term: (k: number) => number): number {
  let total = 0;
  for (let k = 0; k < n; k++) total += term(k);
  return total;
}

/** The values along an axis, at the place of an index. */
export function along(x: At, index: readonly number[], axis: number, n: number): number[] {
  return Array.from({ length: n }, (_, k) => x(...index.with(axis, k)));
}
