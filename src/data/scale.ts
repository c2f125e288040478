import type { NumericArray } from '../../kernels/kernel.ts';
import type { Dataset } from './dataset.ts';

/**
 * Scales one example of `size` values: to[at + i] = (from[begin + i] / divisor − mean[i]) / deviation[i]. It takes places in
 * the arrays instead of views of them, which take time to make.
 */
export type Scaler = (from: NumericArray, begin: number, to: Float32Array, at: number, size: number) => void;

/** The scaler of a dataset. It computes in float64; storing the result is the only rounding to float32. */
export function scalerOf({ x, divisor = 1, mean = 0, deviation = 1 }: Dataset): Scaler {
  // Fastest first: copy unscaled values, look bytes up in a table, divide.
  if (divisor === 1 && mean === 0 && deviation === 1) {
    return (from, begin, to, at, size) => {
      to.set(from.subarray(begin, begin + size), at);
    };
  }
  if (typeof mean !== 'number' || typeof deviation !== 'number') {
    const [means, deviations] = [perValue(mean), perValue(deviation)];
    return (from, begin, to, at, size) => {
      for (let i = 0; i < size; i++) to[at + i] = (from[begin + i] / divisor - means(i)) / deviations(i);
    };
  }
  const scaled = (value: number): number => (value / divisor - mean) / deviation;
  if (!(x instanceof Uint8Array)) {
    return (from, begin, to, at, size) => {
      for (let i = 0; i < size; i++) to[at + i] = scaled(from[begin + i]);
    };
  }
  const ofByte = Float32Array.from({ length: 256 }, (_, byte) => scaled(byte));
  return (from, begin, to, at, size) => {
    for (let i = 0; i < size; i++) to[at + i] = ofByte[from[begin + i]];
  };
}

/** The number at index i, if there is one for each value of an example; otherwise the one number. */
export function perValue(numbers: number | readonly number[]): (i: number) => number {
  return typeof numbers === 'number' ? () => numbers : (i) => numbers[i];
}
