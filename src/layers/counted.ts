/**
 * The weight of a mean. The mean over a dataset is Σ nᵦ·meanᵦ / Σ nᵦ over its batches b, where nᵦ is what the mean of a
 * batch divides by. For most losses that is proportional to the number of rows; with ignored labels or class weights it
 * is not. So a loss or a metric reports its n with `count`, and `fit` and `evaluate` receive it from `counting`.
 */

/** The different numbers reported to the running call of `counting`; null if there is none. */
let reported: Set<number> | null = null;

/** Reports that a mean divides by n. Call it before the first `await`. */
export function count(n: number): void {
  reported?.add(n);
}

/** Calls `fn`. `count` is the number that it reported, or null if it reported none or different ones. */
export function counting<T>(fn: () => T): { readonly result: T; readonly count: number | null } {
  const outer = reported;
  const own = (reported = new Set());
  try {
    const result = fn();
    return { result, count: own.size === 1 ? [...own][0] : null };
  } finally {
    reported = outer;
  }
}
