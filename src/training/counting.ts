import { type Report, reports } from '../layers/counted.ts';

/** The result of a function, and what the losses and metrics of the library in it have reported. */
export interface Counting<T> {
  readonly result: T;
  /** What the means divide by, if all divide by the same; `'sum'` if the result is a reported sum; otherwise null. */
  readonly count: number | 'sum' | null;
  /** Whether the result is a reported loss, as it is. */
  readonly isReported: boolean;
}

/** Calls `fn`. */
export function counting<T>(fn: () => T): Counting<T> {
  const outer = reports.list;
  const own: Report[] = (reports.list = []);
  try {
    const result = fn();
    const report = own.find(([loss]) => loss !== null && loss === result);
    if (report !== undefined) return { result, count: report[1], isReported: true };
    const [n, ...others] = new Set(own.map((each) => each[1]));
    const isCount = typeof n === 'number' && others.length === 0;
    return { result, count: isCount ? n : null, isReported: false };
  } finally {
    reports.list = outer;
  }
}
