/** Statistics of measured values. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The middle of the measured values, and their spread. */
export interface Summary {
  readonly median: number;
  /** The first and the third quartile: half of the values lie between them. */
  readonly quartiles: readonly [number, number];
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), quartiles: [quantile(values, 0.25), quantile(values, 0.75)] };
}

/** Linear interpolation between the sorted values, NumPy's default. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** Divides each value by the baseline of the same round, so that a slow moment of the machine cancels out. */
export function pairedRatios(values: readonly number[], baseline: readonly number[]): number[] {
  return values.map((value, round) => value / baseline[round]);
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = c·xᵏ */
export interface PowerLaw {
  /** k */
  readonly exponent: number;
  /** The share of the variance of log y that the law explains: 1 if all points lie on it. */
  readonly r2: number;
  /** The smallest and the largest x of the fit. */
  readonly from: number;
  readonly to: number;
}

/**
 * Fits log y = log c + k·log x by least squares, over the upper half of the points, where a fixed cost matters less.
 */
export function fitPowerLaw(points: readonly Point[]): PowerLaw {
  const upper = points.slice(Math.floor(points.length / 2));
  const [u, v] = [upper.map(({ x }) => Math.log(x)), upper.map(({ y }) => Math.log(y))];
  const [meanU, meanV] = [mean(u), mean(v)];
  const exponent =
    mean(u.map((value, i) => (value - meanU) * (v[i] - meanV))) /
    mean(u.map((value) => (value - meanU) ** 2));
  const residual = mean(v.map((value, i) => (value - meanV - exponent * (u[i] - meanU)) ** 2));
  const variance = mean(v.map((value) => (value - meanV) ** 2));
  const xs = upper.map(({ x }) => x);
  return { exponent, r2: 1 - residual / variance, from: Math.min(...xs), to: Math.max(...xs) };
}
