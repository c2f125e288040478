import type { NumericArray } from '../../kernels/kernel.ts';
import { DataError } from './data-error.ts';

/** What error messages call an entry along the first axis of the examples, and of the labels. */
export type EntryName = 'row' | 'label';

/** The place of a value: `label 3`, `row 3, column 1`, or, in rows of several axes, `row 3, column [0, 27]`. */
export function placeOf(name: EntryName, [entry, ...inside]: readonly number[]): string {
  if (inside.length === 0) return `${name} ${entry}`;
  return `${name} ${entry}, column ${inside.length === 1 ? inside[0] : `[${inside.join(', ')}]`}`;
}

/**
 * Checks that an array of entries of one shape has neither NaN nor an infinity.
 *
 * @throws {DataError} For the first such value, with its row and column.
 */
export function expectFinite(
  op: string,
  name: EntryName,
  array: NumericArray,
  shape: readonly number[],
): void {
  if (!(array instanceof Float32Array || array instanceof Float64Array)) return; // integers are finite
  const index = array.findIndex((value: number) => !Number.isFinite(value));
  if (index < 0) return;
  const inside: number[] = [];
  let rest = index;
  for (const extent of shape.toReversed()) {
    inside.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  throw new DataError(
    op,
    `${placeOf(name, [rest, ...inside])} is not a finite number: ${array[index]}`,
    MISSING,
  );
}

export const MISSING = 'fill in missing values, or leave out their rows; rows and columns are counted from 0';
