/**
 * How the losses of batches combine to that of a dataset. Means combine to Σ nᵦ·meanᵦ / Σ nᵦ over the batches b, where
 * nᵦ is what the mean of a batch divides by; sums add up. nᵦ is not always proportional to the number of rows, because
 * labels may be ignored and classes have weights. So the losses of the library report their n with `counted`, metrics
 * with `count`, and `fit` and `evaluate` receive the reports from `counting`.
 */

/** A loss or a metric that was computed: what its mean divides by, or `'sum'`. */
interface Report {
  /** The tensor of the loss; null for a metric. */
  readonly loss: object | null;
  readonly n: number | 'sum';
}

/** The reports to the running call of `counting`; null if there is none. */
let reports: Report[] | null = null;

/** Reports that a mean divides by n. Call it before the first `await`. */
export function count(n: number): void {
  reports?.push({ loss: null, n });
}

/** Reports that a loss is a mean that divides by n, or a sum. Returns the loss. */
export function counted<T extends object>(loss: T, n: number | 'sum'): T {
  reports?.push({ loss, n });
  return loss;
}

/** The result of a function, and what was reported while it ran. */
export interface Counting<T> {
  readonly result: T;
  /** What the means divide by, if all divide by the same; `'sum'` if the result is a reported sum; otherwise null. */
  readonly count: number | 'sum' | null;
  /** Whether the result is a reported loss, as it is. */
  readonly isReported: boolean;
}

/** Calls `fn`. */
export function counting<T>(fn: () => T): Counting<T> {
  const outer = reports;
  const own: Report[] = (reports = []);
  try {
    const result = fn();
    const report = own.find(({ loss }) => loss !== null && loss === result);
    if (report !== undefined) return { result, count: report.n, isReported: true };
    const [n, ...others] = new Set(own.map((each) => each.n));
    const isCount = typeof n === 'number' && others.length === 0;
    return { result, count: isCount ? n : null, isReported: false };
  } finally {
    reports = outer;
  }
}
