/**
 * How the losses of batches combine to that of a dataset. Means combine to Σ nᵦ·meanᵦ / Σ nᵦ over the batches b, where
 * nᵦ is what the mean of a batch divides by; sums add up. nᵦ is not always proportional to the number of rows, because
 * labels may be ignored and classes have weights. So losses and metrics report their n to `fit` and `evaluate`.
 */

/** A loss, or a metric (null), that was computed, and what its mean divides by. */
export type Report = readonly [loss: object | null, n: number | 'sum'];

/** The reports to the caller that wants them; otherwise null. */
export const reports: { list: Report[] | null } = { list: null };

/**
 * Reports that a loss, or a metric (null), is a mean that divides by n, or a sum. Call it before the first `await`.
 *
 * @returns The loss.
 */
export function counted<T extends object | null>(loss: T, n: number | 'sum'): T {
  reports.list?.push([loss, n]);
  return loss;
}
