/** The middle of some measurements, and how far they spread. */
export interface Summary {
  readonly median: number;
  /** The first and the third quartile: half of the measurements lie between. */
  readonly quartiles: readonly [number, number];
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)] };
}

/** Linear between the order statistics, as NumPy's default. */
function quantile(sorted: readonly number[], q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** Each of a contender's measurements by ours of the same round, so that what slows both cancels. */
export function pairedRatios(values: readonly number[], ours: readonly number[]): number[] {
  return values.map((value, round) => value / ours[round]);
}
