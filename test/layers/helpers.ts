/** Helpers for the tests of layers and optimizers. */
import { expect } from 'vitest';
import { type GammaBetaError, type Layer, Tensor } from '../../src/index.ts';
import type { GoldenArray } from '../golden-files.ts';
import { read, values } from '../tensors.ts';

/** The values of all parameters and buffers, by name. */
export function snapshot(layer: Layer): Record<string, number[]> {
  return Object.fromEntries(Object.entries(layer.stateDict()).map(([name, x]) => [name, values(x)]));
}

/** Expects |actual − expected| ≤ tolerance·(1 + |expected|) for every element, and equal shapes if both have one. */
export function expectClose(
  actual: Tensor | null | undefined,
  expected: Tensor | GoldenArray | readonly number[],
  tolerance: number,
): void {
  const wanted = expected instanceof Tensor ? values(expected) : expected;
  expectNear(values(actual), wanted, tolerance);
  if ('shape' in expected) expect(actual?.shape).toEqual(expected.shape);
}

/** {@link expectClose} for any device: awaits the values of `actual`. */
export async function expectToBecome(
  actual: Tensor | null | undefined,
  expected: GoldenArray | readonly number[],
  tolerance: number,
): Promise<void> {
  expectNear(await read(actual), expected, tolerance);
  if ('shape' in expected) expect(actual?.shape).toEqual(expected.shape);
}

function expectNear(
  found: readonly number[],
  expected: GoldenArray | readonly number[],
  tolerance: number,
): void {
  const wanted = 'data' in expected ? expected.data : expected;
  expect(found).toHaveLength(wanted.length);
  const beyond = found.flatMap((value, at) =>
    Math.abs(value - wanted[at]) <= tolerance * (1 + Math.abs(wanted[at]))
      ? []
      : [{ at, value, expected: wanted[at] }],
  );
  expect(beyond).toEqual([]);
}

/** The message that `action` throws, with an error of class `kind` and of the form `op: problem. Hint: hint`. */
export function refusal(
  action: () => unknown,
  kind: abstract new (...args: never[]) => GammaBetaError,
): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    expect(error.name).toBe(kind.name);
    expect(error.message).toMatch(/^.+: .+\. Hint: .+$/);
    return error.message;
  }
  throw new Error('nothing was thrown');
}

/** The rows of a matrix given by its columns. */
export function rows(columns: readonly (readonly number[])[]): number[][] {
  return columns[0].map((_, i) => columns.map((column) => column[i]));
}

/** The columns of a matrix [m, C]. */
export function columnsOf(x: Tensor | null | undefined): number[][] {
  const flat = values(x);
  const width = x?.shape[1] ?? 0;
  return Array.from({ length: width }, (_, c) => flat.filter((_, at) => at % width === c));
}

export function mean(column: readonly number[]): number {
  return column.reduce((sum, value) => sum + value, 0) / column.length;
}

/** (1/m) Σ (x − mean)². */
export function variance(column: readonly number[]): number {
  const centre = mean(column);
  return mean(column.map((value) => (value - centre) ** 2));
}

/** Σ aᵢ·bᵢ. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
