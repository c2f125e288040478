import type { NumericArray } from '../../kernels/kernel.ts';

export type { NumericArray };

const zeros: Record<NumericArray[typeof Symbol.toStringTag], (length: number) => NumericArray> = {
  Int8Array: (length) => new Int8Array(length),
  Uint8Array: (length) => new Uint8Array(length),
  Uint8ClampedArray: (length) => new Uint8ClampedArray(length),
  Int16Array: (length) => new Int16Array(length),
  Uint16Array: (length) => new Uint16Array(length),
  Int32Array: (length) => new Int32Array(length),
  Uint32Array: (length) => new Uint32Array(length),
  Float32Array: (length) => new Float32Array(length),
  Float64Array: (length) => new Float64Array(length),
};

/** The name of a value's kind, `Uint8Array` or `Array`, also for a Buffer and for arrays of another realm. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Whether a value is a {@link NumericArray}. */
export function isNumericArray(value: unknown): value is NumericArray {
  return Object.hasOwn(zeros, kindOf(value));
}

/**
 * A new array of zeros of the same kind. Not `array.slice(…)`: that of a Buffer is a view, and writing to it
 * would write to the original.
 */
export function zerosLike(array: NumericArray, length: number): NumericArray {
  return zeros[array[Symbol.toStringTag]](length);
}
