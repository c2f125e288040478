/**
 * Products A·B for `matmul.ts` where A is mostly zeros, such as images of digits. Terms that are 0 are skipped:
 *
 *     y[i,:] = Σₚ a(i,p)·b[p,:]   over p with a(i,p) ≠ 0
 *
 * The sum is the same, since 0·b = 0 for finite b. Callers check that b is finite.
 */
import { scratch } from './instance';
import { at, bytes, FLOAT, madd, storePair, take, VECTOR, zero } from './vector';

/** The most terms of a sum: the capacity of a list. */
const MOST_TERMS = 4096;
/** The fewest columns of b. With fewer, finding zeros takes longer than multiplying by them. */
const FEWEST_COLUMNS = 32;

/** Lists of the terms of four sums. A term is the byte offset of its row of b, and a(i,p). */
const lists: usize = scratch + memory.data(4 * MOST_TERMS * 8, 64);
/** The end of each of the four lists. */
const ends: usize = scratch + memory.data(4 * 4, 16);
const TERM: usize = 8;

/** Whether A has so few nonzero elements that `sparseProduct` is faster. */
export function isSparse(a: usize, ai: i32, ap: i32, m: i32, k: i32, n: i32): bool {
  if (k > MOST_TERMS || n < FEWEST_COLUMNS) return false;
  return ap == 1 ? isMostlyZero(a, m, k, ai) : isMostlyZero(a, k, m, ap);
}

/** One row in `SAMPLE` is sampled, and at most `MOST_ROWS` of a matrix. */
const SAMPLE = 4;
const MOST_ROWS = 16;

/**
 * Whether at most two fifths of the sample, and of every prefix of it, are nonzero: a full matrix fails at its first
 * row.
 */
function isMostlyZero(a: usize, rows: i32, columns: i32, stride: i32): bool {
  let others = 0;
  let seen = 0;
  const step = max(SAMPLE, (rows + MOST_ROWS - 1) / MOST_ROWS);
  for (let i = 0; i < rows; i += step) {
    others += countOthers(at(a, i * stride), columns);
    seen += columns;
    if (5 * others > 2 * seen) return false;
  }
  return true;
}

/** The number of nonzero floats among n. */
function countOthers(x: usize, n: i32): i32 {
  let count = i32x4.splat(0); // −1 per nonzero float
  for (; n >= 4; n -= 4) {
    count = i32x4.add(count, f32x4.ne(v128.load(x), zero()));
    x += VECTOR;
  }
  if (n > 0) count = i32x4.add(count, f32x4.ne(take(x, FLOAT, n, 0), zero()));
  const pairs = i32x4.add(count, v128.shuffle<i32>(count, count, 2, 3, 0, 1));
  return -(i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1));
}

/** Whether n floats are finite: x − x is 0, unless x is ±∞ or NaN. */
export function areFinite(x: usize, n: i32): bool {
  let r0 = zero(), r1 = zero(), r2 = zero(), r3 = zero(); // prettier-ignore
  for (; n >= 16; n -= 16) {
    const v0 = v128.load(x);
    const v1 = v128.load(x, VECTOR);
    const v2 = v128.load(x, 2 * VECTOR);
    const v3 = v128.load(x, 3 * VECTOR);
    r0 = v128.or(r0, f32x4.sub(v0, v0));
    r1 = v128.or(r1, f32x4.sub(v1, v1));
    r2 = v128.or(r2, f32x4.sub(v2, v2));
    r3 = v128.or(r3, f32x4.sub(v3, v3));
    x += 4 * VECTOR;
  }
  for (; n > 0; n -= 4) {
    const v = take(x, FLOAT, n, 0);
    r0 = v128.or(r0, f32x4.sub(v, v));
    x += VECTOR;
  }
  return !v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3)));
}

/**
 * y = A·B, with a(i,p) at a[i·ai + p·ap]. One of the strides is 1. The rows of b are `bp` numbers apart, those of y `yi`.
 */
export function sparseProduct(
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  m: i32,
  k: i32,
  n: i32,
  yi: i32,
): void {
  if (ap == 1) {
    for (let i = 0; i < m; i++) sparseRow(at(y, i * yi), zeros, 0, at(a, i * ai), b, bp, k, n);
    return;
  }
  for (let i = 0; i < m; i += 4) {
    const rows = min(4, m - i);
    listColumns(at(a, i), ap, rows, k, bytes(bp));
    for (let r = 0; r < rows; r++) {
      const list = lists + <usize>(r * k) * TERM;
      combine(at(y, (i + r) * yi), zeros, 0, list, load<u32>(at(ends, r)), b, n);
    }
  }
}

/** Sums begin with these zeros, which never change, and stay where they are: a step of 0. */
export const zeros: usize = memory.data(8 * 16, 64);

/** y = `before` + a·B for one row a of k factors. `before` moves by `step` for each float of y. */
export function sparseRow(
  y: usize,
  before: usize,
  step: usize,
  a: usize,
  b: usize,
  bp: i32,
  k: i32,
  n: i32,
): void {
  combine(y, before, step, lists, listRow(a, k, bytes(bp)), b, n);
}

/** Lists the terms of one sum, whose k factors are adjacent in memory. Returns the end of the list. */
function listRow(a: usize, k: i32, row: usize): usize {
  let end = lists;
  let offset: usize = 0;
  for (; k >= 4; k -= 4) {
    end = appendFour(end, offset, row, v128.load(a));
    a += VECTOR;
    offset += 4 * row;
  }
  return k > 0 ? appendFour(end, offset, row, take(a, FLOAT, k, 0)) : end;
}

/** Appends the nonzero ones of four terms to a list. */
function appendFour(end: usize, offset: usize, row: usize, v: v128): usize {
  const lanes = othersOf(v);
  if (lanes == 0) return end;
  end = append(end, offset, f32x4.extract_lane(v, 0), lanes);
  end = append(end, offset + row, f32x4.extract_lane(v, 1), lanes >> 1);
  end = append(end, offset + 2 * row, f32x4.extract_lane(v, 2), lanes >> 2);
  return append(end, offset + 3 * row, f32x4.extract_lane(v, 3), lanes >> 3);
}

/** Lists the terms of up to four sums; for each term, the factors of the four sums are adjacent in memory. */
function listColumns(a: usize, ap: i32, sums: i32, k: i32, row: usize): void {
  let end0 = lists;
  let end1 = end0 + <usize>k * TERM;
  let end2 = end1 + <usize>k * TERM;
  let end3 = end2 + <usize>k * TERM;
  let offset: usize = 0;
  for (let p = 0; p < k; p++) {
    const v = sums == 4 ? v128.load(a) : take(a, FLOAT, sums, 0);
    const lanes = othersOf(v);
    if (lanes != 0) {
      end0 = append(end0, offset, f32x4.extract_lane(v, 0), lanes);
      end1 = append(end1, offset, f32x4.extract_lane(v, 1), lanes >> 1);
      end2 = append(end2, offset, f32x4.extract_lane(v, 2), lanes >> 2);
      end3 = append(end3, offset, f32x4.extract_lane(v, 3), lanes >> 3);
    }
    a += bytes(ap);
    offset += row;
  }
  store<u32>(ends, <u32>end0);
  store<u32>(ends, <u32>end1, 4);
  store<u32>(ends, <u32>end2, 8);
  store<u32>(ends, <u32>end3, 12);
}

/** A bit mask of the nonzero lanes. */
function othersOf(v: v128): i32 {
  return i32x4.bitmask(f32x4.ne(v, zero()));
}

/**
 * Writes a term, which is faster than a branch, and returns the end of the list: past the term only if the bit is 1.
 */
function append(end: usize, offset: usize, factor: f32, bit: i32): usize {
  store<u32>(end, <u32>offset);
  store<f32>(end, factor, 4);
  return end + <usize>(bit & 1) * TERM;
}

/** A row of y: `before`, and the sum of the listed rows of b, each times its factor. */
function combine(y: usize, before: usize, step: usize, list: usize, end: usize, b: usize, n: i32): void {
  for (; n >= 32; n -= 32) {
    combineWide(y, before, list, end, b);
    before += 32 * step;
    y += 8 * VECTOR;
    b += 8 * VECTOR;
  }
  for (; n > 0; n -= 16) {
    let s0 = v128.load(before);
    let s1 = v128.load(before, VECTOR);
    let s2 = v128.load(before, 2 * VECTOR);
    let s3 = v128.load(before, 3 * VECTOR);
    for (let term = list; term < end; term += TERM) {
      const row = b + load<u32>(term);
      const factor = v128.load32_splat(term, 4);
      s0 = madd(factor, v128.load(row), s0);
      s1 = madd(factor, v128.load(row, VECTOR), s1);
      s2 = madd(factor, v128.load(row, 2 * VECTOR), s2);
      s3 = madd(factor, v128.load(row, 3 * VECTOR), s3);
    }
    storePair(y, s0, s1, n);
    if (n > 8) storePair(y + 2 * VECTOR, s2, s3, n - 8);
    before += 16 * step;
    y += 4 * VECTOR;
    b += 4 * VECTOR;
  }
}

/** 32 columns at once: eight independent sums hide the latency of a multiply-add. */
function combineWide(y: usize, before: usize, list: usize, end: usize, b: usize): void {
  let s0 = v128.load(before);
  let s1 = v128.load(before, VECTOR);
  let s2 = v128.load(before, 2 * VECTOR);
  let s3 = v128.load(before, 3 * VECTOR);
  let s4 = v128.load(before, 4 * VECTOR);
  let s5 = v128.load(before, 5 * VECTOR);
  let s6 = v128.load(before, 6 * VECTOR);
  let s7 = v128.load(before, 7 * VECTOR);
  for (let term = list; term < end; term += TERM) {
    const row = b + load<u32>(term);
    const factor = v128.load32_splat(term, 4);
    s0 = madd(factor, v128.load(row), s0);
    s1 = madd(factor, v128.load(row, VECTOR), s1);
    s2 = madd(factor, v128.load(row, 2 * VECTOR), s2);
    s3 = madd(factor, v128.load(row, 3 * VECTOR), s3);
    s4 = madd(factor, v128.load(row, 4 * VECTOR), s4);
    s5 = madd(factor, v128.load(row, 5 * VECTOR), s5);
    s6 = madd(factor, v128.load(row, 6 * VECTOR), s6);
    s7 = madd(factor, v128.load(row, 7 * VECTOR), s7);
  }
  v128.store(y, s0);
  v128.store(y, s1, VECTOR);
  v128.store(y, s2, 2 * VECTOR);
  v128.store(y, s3, 3 * VECTOR);
  v128.store(y, s4, 4 * VECTOR);
  v128.store(y, s5, 5 * VECTOR);
  v128.store(y, s6, 6 * VECTOR);
  v128.store(y, s7, 7 * VECTOR);
}
