import type { NumericArray } from '../../kernels/kernel.ts';
import type { Dataset } from './dataset.ts';

/** Fills `to` with the scaled values of one example: to[i] = (from[i] / divisor − mean[i]) / deviation[i]. */
export type Scaler = (from: NumericArray, to: Float32Array) => void;

/** The scaler of a dataset. It computes in float64; storing the result is the only rounding to float32. */
export function scalerOf({ x, divisor = 1, mean = 0, deviation = 1 }: Dataset): Scaler {
  // Fastest first: copy unscaled values, look bytes up in a table, divide.
  if (divisor === 1 && mean === 0 && deviation === 1) {
    return (from, to) => {
      to.set(from);
    };
  }
  if (typeof mean !== 'number' || typeof deviation !== 'number') {
    const [means, deviations] = [perValue(mean), perValue(deviation)];
    return (from, to) => {
      for (let i = 0; i < to.length; i++) to[i] = (from[i] / divisor - means(i)) / deviations(i);
    };
  }
  const scaled = (value: number): number => (value / divisor - mean) / deviation;
  if (!(x instanceof Uint8Array)) {
    return (from, to) => {
      for (let i = 0; i < to.length; i++) to[i] = scaled(from[i]);
    };
  }
  const ofByte = Float32Array.from({ length: 256 }, (_, byte) => scaled(byte));
  return (from, to) => {
    for (let i = 0; i < to.length; i++) to[i] = ofByte[from[i]];
  };
}

/** The number at index i, if there is one for each value of an example; otherwise the one number. */
export function perValue(numbers: number | readonly number[]): (i: number) => number {
  return typeof numbers === 'number' ? () => numbers : (i) => numbers[i];
}
