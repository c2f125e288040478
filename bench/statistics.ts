/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = c·xᵏ */
export interface PowerLaw {
  readonly exponent: number;
  /** The part of the variance of log y that it explains: 1 where all points are on it. */
  readonly r2: number;
  /** The range of x that was fitted. */
  readonly from: number;
  readonly to: number;
}

/** Least squares on log y = log c + k·log x, over the upper half of the points: what is fixed matters less there. */
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
