/**
 * Products for two threads that divide the terms of the sums, and so the rows of W. Each thread reads the rows of W that it
 * updates, which are in its cache. The first thread writes the sums of its terms to `before`. The second one follows a few
 * rows behind, and adds its terms to them: in the same order as one thread, and so with the same bits.
 *
 * x and W begin at term p of all `terms`, and k terms follow: a share that begins at 0 is the first, and one that ends at
 * `terms` the last. On one thread, a share is both.
 */
import { activate } from './dense';
import { scratch } from './instance';
import { sumRow } from './matmul';
import { sparseRow, zeros } from './sparse';
import { at, FLOAT, zero } from './vector';

/** Rows of a sparse product, and columns of a single row, after which the second thread may follow. */
const ROWS = 4;
const COLUMNS = 32;

/** How far the first thread is. */
const progress: usize = scratch + memory.data(64, 64);

/** The address of the progress of this thread, which is 0 from now on. */
export function beginTerms(): usize {
  atomic.store<i32>(progress, 0);
  return progress;
}

/** y = activation(x·W + b), in the form SPARSE. x [m, terms], W [terms, n], b [n] → y [m, n]. */
export function sparseTerms(
  p: i32,
  x: usize,
  W: usize,
  b: usize,
  y: usize,
  before: usize,
  progress: usize,
  m: i32,
  k: i32,
  n: i32,
  terms: i32,
  slope: f64,
): void {
  const isLast = p + k == terms;
  const sums = isLast ? y : before;
  for (let i = 0; i < m; i += ROWS) {
    const end = min(i + ROWS, m);
    if (p > 0) {
      wait(progress, end);
      fetch(at(before, i * n), at(before, end * n));
    }
    for (let r = i; r < end; r++) {
      const xr = at(x, r * terms);
      if (p > 0) sparseRow(at(sums, r * n), at(before, r * n), FLOAT, xr, W, n, k, n);
      else sparseRow(at(sums, r * n), zeros, 0, xr, W, n, k, n);
    }
    if (isLast) activate(at(y, i * n), at(y, i * n), b, end - i, n, n, slope);
    else atomic.store<i32>(progress, end);
  }
}

/** y = x·W for one row, in the form SUMS. x [terms], W [terms, n] → y [n]. */
export function rowTerms(
  p: i32,
  x: usize,
  W: usize,
  y: usize,
  before: usize,
  progress: usize,
  k: i32,
  n: i32,
  terms: i32,
): void {
  const isLast = p + k == terms;
  const sums = isLast ? y : before;
  for (let j = 0; j < n; j += COLUMNS) {
    const end = min(j + COLUMNS, n);
    if (p > 0) {
      wait(progress, end);
      sumRow(at(sums, j), at(before, j), FLOAT, x, 1, at(W, j), n, k, end - j);
    } else sumRow(at(sums, j), zeros, 0, x, 1, at(W, j), n, k, end - j);
    if (!isLast) atomic.store<i32>(progress, end);
  }
}

/** Reads sums of the first thread all at once: one after the other, each would take as long as all of them. */
function fetch(from: usize, end: usize): void {
  let read = zero();
  for (let p = from; p < end; p += LINE) read = v128.or(read, v128.load(p));
  v128.store(sink, read); // otherwise the compiler would remove the loop
}

/** A cache line. */
const LINE: usize = 64;
const sink: usize = scratch + memory.data(16, 16);

/** Waits until the first thread has come to `end`. It computes its share at once, so this takes no longer than that. */
function wait(progress: usize, end: i32): void {
  while (atomic.load<i32>(progress) < end);
}
