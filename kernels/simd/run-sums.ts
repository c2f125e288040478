/**
 * Sums over the rows of a matrix. Kernels sum runs of rows in float32, and add the sums of the runs in float64, one after
 * the other. The sum of a run depends on no other rows. So several threads can sum runs of their rows, and one thread adds
 * them in order, with the same bits.
 */
import { scratch } from './instance';
import { at, at64, bytes, high, low, VECTOR } from './vector';

/** The number of floats for sums of runs. */
export const ROOM = 1 << 17;
export const runs: usize = scratch + memory.data(ROOM * 4, 64);

/** The address of `runs`. All threads write to that of the main thread. */
export function runSums(): usize {
  return runs;
}

/**
 * Adds the sums of `count` runs, `step` floats apart, to `columns` doubles. If `first`, the doubles begin as the first of
 * them.
 */
export function addRuns(sums: usize, runs: usize, step: i32, count: i32, columns: i32, first: bool): void {
  for (let j = 0; j < columns; j += 8) {
    let run = at(runs, j);
    const end = run + bytes(count * step);
    const sum = at64(sums, j);
    let s0: v128, s1: v128, s2: v128, s3: v128; // prettier-ignore
    if (first) {
      s0 = low(v128.load(run));
      s1 = high(v128.load(run));
      s2 = low(v128.load(run, VECTOR));
      s3 = high(v128.load(run, VECTOR));
      run += bytes(step);
    } else {
      s0 = v128.load(sum);
      s1 = v128.load(sum, VECTOR);
      s2 = v128.load(sum, 2 * VECTOR);
      s3 = v128.load(sum, 3 * VECTOR);
    }
    for (; run < end; run += bytes(step)) {
      const v0 = v128.load(run);
      const v1 = v128.load(run, VECTOR);
      s0 = f64x2.add(s0, low(v0));
      s1 = f64x2.add(s1, high(v0));
      s2 = f64x2.add(s2, low(v1));
      s3 = f64x2.add(s3, high(v1));
    }
    v128.store(sum, s0);
    v128.store(sum, s1, VECTOR);
    v128.store(sum, s2, 2 * VECTOR);
    v128.store(sum, s3, 3 * VECTOR);
  }
}
