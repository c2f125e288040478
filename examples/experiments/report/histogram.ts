/** Histograms. */
import { quantileOf } from '../cli/quantile.ts';

/** The distribution of values. Each value is counted once: in a bin, as a zero, or outside. */
export interface Histogram {
  /** The number of values in each bin: at least its lower edge, less than its upper edge. */
  readonly counts: readonly number[];
  /** The number of values that are exactly 0, counted separately: dead units and blank pixels would hide the rest. */
  readonly zeros: number;
  /** The number of values outside the outer edges. */
  readonly outside: number;
  readonly total: number;
}

/** The edges of the bins, increasing. */
export type Edges = readonly number[];

export function histogram(values: ArrayLike<number>, edges: Edges): Histogram {
  const counts = new Array<number>(edges.length - 1).fill(0);
  let zeros = 0;
  let outside = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0) zeros++;
    else if (value >= edges[0] && value < edges[edges.length - 1]) counts[binOf(value, edges)]++;
    else outside++;
  }
  return { counts, zeros, outside, total: values.length };
}

/** The bin of a value, by binary search. */
function binOf(value: number, edges: Edges): number {
  let [low, high] = [0, edges.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value < edges[middle]) high = middle;
    else low = middle;
  }
  return low;
}

/** Edges of equal bins that contain all but 1 % of the values. */
export function linearEdges(sets: readonly Float32Array[], bins: number): Edges {
  const sample = sampleOf(sets, (value) => value);
  const [low, high] = rangeOf(sample, 0.005);
  return edgesBetween(low, high, bins);
}

/** Edges for absolute values: bins that are equal on a logarithmic axis, and contain all but 1 %. */
export function logEdges(sets: readonly Float32Array[], bins: number): Edges {
  const sample = sampleOf(sets, (value) => Math.log10(Math.abs(value)));
  const [low, high] = rangeOf(sample, 0.005);
  return edgesBetween(low, high, bins).map((edge) => 10 ** edge);
}

function rangeOf(sample: Float32Array, tail: number): [low: number, high: number] {
  if (sample.length === 0) return [-1, 1];
  const [low, high] = [quantileOf(sample, tail), quantileOf(sample, 1 - tail)];
  return low < high ? [low, high] : [low - 1, high + 1];
}

function edgesBetween(low: number, high: number, bins: number): number[] {
  return Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
}

/** The number of values of each set from which the range is estimated. */
const SAMPLE = 20_000;

/** A sample of the transformed values, at most 2 · SAMPLE of each set, without zeros, which are counted separately. */
function sampleOf(sets: readonly Float32Array[], transform: (value: number) => number): Float32Array {
  const sample = new Float32Array(sets.length * 2 * SAMPLE);
  let size = 0;
  for (const values of sets) {
    const step = Math.max(1, Math.floor(values.length / SAMPLE));
    for (let i = 0; i < values.length; i += step) {
      const value = values[i] === 0 ? NaN : transform(values[i]);
      if (Number.isFinite(value)) sample[size++] = value;
    }
  }
  return sample.subarray(0, size);
}
