/** Compares the results of two contenders. */
import type { NamedTensor } from './contenders/tensor-file.js';
import type { Prepared } from './workloads.ts';

/** The relative tolerance of a loss. */
const LOSS_TOLERANCE = 1e-3;

/** The tolerance for weights that hardly change, relative to their norm. */
const ROUNDING = 1e-6;

type Values = Float32Array | Uint8Array;

/** The losses of a training step, and tensors by name. */
export interface Results {
  readonly losses?: readonly number[] | null;
  readonly tensors: Readonly<Record<string, NamedTensor>>;
}

/** Describes the first difference that exceeds the tolerance; null if there is none. */
export function disagreement(
  found: Results,
  expected: Results,
  { inputs }: Prepared,
  tolerance: number,
): string | null {
  const losses = lossesDiffer(found.losses ?? [], expected.losses ?? []);
  if (losses !== null) return losses;
  const results: Readonly<Record<string, NamedTensor | undefined>> = found.tensors;
  const before: typeof results = inputs;
  for (const [name, { data: right }] of Object.entries(expected.tensors)) {
    const data = results[name]?.data;
    if (data?.length !== right.length) return `${name} has ${data?.length ?? 0} values, not ${right.length}`;
    const initial = before[`state:${name}`]?.data;
    const difference =
      initial === undefined
        ? valuesDiffer(data, right, tolerance)
        : changesDiffer(data, right, initial, tolerance);
    if (difference !== null) return `${name}${difference}`;
  }
  return null;
}

function lossesDiffer(found: readonly number[], expected: readonly number[]): string | null {
  const step = expected.findIndex(
    (loss, i) => !(Math.abs(found[i] - loss) <= LOSS_TOLERANCE * Math.abs(loss)),
  );
  return step < 0 ? null : `the loss of step ${step + 1} is ${found[step]}, not ${expected[step]}`;
}

/** |foundᵢ − expectedᵢ| ≤ tolerance·max |expected| */
function valuesDiffer(found: Values, expected: Values, tolerance: number): string | null {
  let largest = 0;
  for (const value of expected) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < expected.length; i++) {
    const close = Math.abs(found[i] - expected[i]) <= tolerance * largest; // false for NaN
    if (!close) return `[${i}] is ${found[i]}, not ${expected[i]}`;
  }
  return null;
}

/**
 * ‖found − expected‖ ≤ tolerance·‖expected − before‖, relative to the change, because training changes the weights only
 * little. Norms are compared instead of elements, because rounding moves some values across the kink of ReLU.
 */
function changesDiffer(found: Values, expected: Values, before: Values, tolerance: number): string | null {
  const change = norm(expected, before);
  const difference = norm(found, expected);
  if (difference <= tolerance * change + ROUNDING * norm(expected)) return null;
  const [off, of] = [difference, change].map((value) => value.toPrecision(3));
  return ` changed by ${of}, with an error of ${off} (norms)`;
}

/** √Σ (aᵢ − bᵢ)² */
function norm(a: Values, b?: Values): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
