/** How values are distributed. */
import { quantile } from '../cli/quantile.ts';

/** How many of some values lie where. All of them are counted once. */
export interface Histogram {
  /** Between each two edges: from the first to below the second. */
  readonly counts: readonly number[];
  /** What is exactly 0 is counted apart: dead units and blank pixels would hide all else. */
  readonly zeros: number;
  /** Beside the outer edges. */
  readonly outside: number;
  readonly total: number;
}

/** Increasing numbers. */
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

/** The last bin that begins at or below the value, by halving. */
function binOf(value: number, edges: Edges): number {
  let [low, high] = [0, edges.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (value < edges[middle]) high = middle;
    else low = middle;
  }
  return low;
}

/** All but 1 % of the values lie between these edges. */
export function linearEdges(sets: readonly Float32Array[], bins: number): Edges {
  const sorted = sampleOf(sets, (value) => value);
  const [low, high] = rangeOf(sorted, 0.005);
  return edgesBetween(low, high, bins);
}

/** The same for sizes, by their logarithms. */
export function logEdges(sets: readonly Float32Array[], bins: number): Edges {
  const sorted = sampleOf(sets, (value) => Math.log10(Math.abs(value)));
  const [low, high] = rangeOf(sorted, 0.005);
  return edgesBetween(low, high, bins).map((edge) => 10 ** edge);
}

function rangeOf(sorted: Float32Array, tail: number): [low: number, high: number] {
  if (sorted.length === 0) return [-1, 1];
  const [low, high] = [quantile(sorted, tail), quantile(sorted, 1 - tail)];
  return low < high ? [low, high] : [low - 1, high + 1];
}

function edgesBetween(low: number, high: number, bins: number): number[] {
  return Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins);
}

/** So many of each set are enough to find the range. */
const SAMPLE = 20_000;

/** Zeros are left out: they have a place of their own. */
function sampleOf(sets: readonly Float32Array[], transform: (value: number) => number): Float32Array {
  const found: number[] = [];
  for (const values of sets) {
    const step = Math.max(1, Math.floor(values.length / SAMPLE));
    for (let i = 0; i < values.length; i += step) if (values[i] !== 0) found.push(transform(values[i]));
  }
  return Float32Array.from(found.filter(Number.isFinite)).sort();
}
