import type { NumericArray } from '../../kernels/kernel.ts';

/** The kind of a value: 'Array', 'Float32Array', 'Null', …; 'Uint8Array' for a Buffer, and for arrays of other realms too. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Whether a value is a typed array of numbers: all except the two of BigInt. */
export function isNumericArray(value: unknown): value is NumericArray {
  return /^(?:(?:Int|Uint)(?:8|16|32)|Uint8Clamped|Float(?:32|64))Array$/.test(kindOf(value));
}

/** The rows with the given indices, of `size` values each, in a new array of the same kind. */
export function copyRows(array: NumericArray, rows: ArrayLike<number>, size: number): NumericArray {
  // Not `array.slice()`: that of a Buffer is a view of the Buffer's memory.
  const copy = new globalThis[array[Symbol.toStringTag]](rows.length * size);
  for (let r = 0; r < rows.length; r++) {
    for (let i = 0; i < size; i++) copy[r * size + i] = array[rows[r] * size + i];
  }
  return copy;
}
