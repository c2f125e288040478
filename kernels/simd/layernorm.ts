/**
 * The SIMD forms of `../fused/layernorm.ts`: layer normalization, row by row. x is [m, C]; mean and rstd are float64, all
 * other arrays float32.
 *
 * As in `batchnorm-moments.ts`, the statistics take one pass over x − s in float32, in sums that are added in float64. The
 * second pass comes a few rows later, when they are still in the L1 cache. README.md gives the reasons.
 */
import { minus, NEAR } from './batchnorm-moments';
import { scratch } from './instance';
import {
  at,
  at64,
  bytes,
  FLOAT,
  halves,
  high,
  low,
  madd,
  narrow,
  put,
  take,
  total,
  VECTOR,
  zero,
} from './vector';

/** Bytes of values that are summed in float32 before the sum is added to a double: 32 blocks. */
const RUN: usize = 2048;
/** Bytes of the vectors that are taken at a time. */
const BLOCK: usize = 4 * VECTOR;
/** Rows between the two passes of the forward pass: enough for the division and the root of a row. */
const AHEAD = 3;
/** Rows that the backward pass takes at a time. */
const GROUP = 8;
/** Rows whose gradients are summed in float32; the sums of such blocks are added in float64. */
const ROWS = 32;
/**
 * xhat = (x − s)·k + o with k = rstd, where the shift s is the mean in float32, and o = (s − mean)·k corrects its rounding.
 * A correction up to this size is left out: half of the distance from 1 to the next number in float32, 2⁻²⁴ … 2⁻²³.
 */
const ROUNDING: f64 = 2 ** -25;

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * mean = (1/n) Σ x; rstd = 1/√((1/n) Σ (x − mean)² + ε); y = γ·(x − mean)·rstd + β, for each group of each row. A row of C
 * columns has `groups` groups of n = C/groups columns, and mean and rstd have one value per group.
 */
export function layernormForward(
  y: usize,
  mean: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  m: i32,
  C: i32,
  groups: i32,
  eps: f64,
): void {
  const n = C / groups;
  const part = 1 / <f64>n;
  const all = m * groups;
  for (let r = 0; r < min(AHEAD, all); r++) {
    sumRow(at(x, r * n), n, 0);
    store<f64>(at64(rstd, r), 1 / sqrt(statistics(at64(mean, r), at(x, r * n), n, part) + eps));
  }
  for (let r = 0; r < all; r++) {
    const first = bytes((r % groups) * n);
    const mu = load<f64>(at64(mean, r));
    const k = load<f64>(at64(rstd, r));
    const next = r + AHEAD;
    const row = at(x, next * n);
    if (next < all) {
      scaleAndSum<v128>(at(y, r * n), at(x, r * n), gamma + first, beta + first, n, mu, k, row);
      store<f64>(at64(rstd, next), 1 / sqrt(statistics(at64(mean, next), row, n, part) + eps));
    } else scaleAndSum<void>(at(y, r * n), at(x, r * n), gamma + first, beta + first, n, mu, k, 0);
  }
}

function offsetOf(mean: f64, rstd: f64): f64 {
  return (<f64>(<f32>mean) - mean) * rstd;
}

/** y = γ·xhat + β of a row; with N = v128, also the sums of the row `next`, as `sumRow` without a shift. */
function scaleAndSum<N>(
  y: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  n: i32,
  mean: f64,
  rstd: f64,
  next: usize,
): void {
  const o = offsetOf(mean, rstd);
  if (abs(o) > ROUNDING) scaleAndSumWith<v128, N>(y, x, gamma, beta, n, mean, rstd, o, next);
  else scaleAndSumWith<void, N>(y, x, gamma, beta, n, mean, rstd, o, next);
}

/** The same: with O = v128, xhat has an offset; with O = void it has none. */
function scaleAndSumWith<O, N>(
  y: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  n: i32,
  mean: f64,
  rstd: f64,
  offset: f64,
  next: usize,
): void {
  const s = f32x4.splat(<f32>mean);
  const k = f32x4.splat(<f32>rstd);
  const o = f32x4.splat(<f32>offset);
  const blocks = bytes(n) & -BLOCK;
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let j: usize = 0;
  while (j < blocks) {
    const end = min(j + RUN, blocks);
    let runSum = zero();
    let runSquare = zero();
    for (; j < end; j += BLOCK) {
      if (isVector<N>()) {
        const d0 = v128.load(next + j);
        const d1 = v128.load(next + j, VECTOR);
        const d2 = v128.load(next + j, 2 * VECTOR);
        const d3 = v128.load(next + j, 3 * VECTOR);
        runSum = f32x4.add(runSum, f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)));
        const square01 = madd(d0, d0, f32x4.mul(d1, d1));
        const square23 = madd(d2, d2, f32x4.mul(d3, d3));
        runSquare = f32x4.add(runSquare, f32x4.add(square01, square23));
      }
      const x0 = xhatOf<O>(f32x4.sub(v128.load(x + j), s), k, o);
      v128.store(y + j, madd(x0, v128.load(gamma + j), v128.load(beta + j)));
      const x1 = xhatOf<O>(f32x4.sub(v128.load(x + j, VECTOR), s), k, o);
      v128.store(y + j, madd(x1, v128.load(gamma + j, VECTOR), v128.load(beta + j, VECTOR)), VECTOR);
      const x2 = xhatOf<O>(f32x4.sub(v128.load(x + j, 2 * VECTOR), s), k, o);
      const y2 = madd(x2, v128.load(gamma + j, 2 * VECTOR), v128.load(beta + j, 2 * VECTOR));
      v128.store(y + j, y2, 2 * VECTOR);
      const x3 = xhatOf<O>(f32x4.sub(v128.load(x + j, 3 * VECTOR), s), k, o);
      const y3 = madd(x3, v128.load(gamma + j, 3 * VECTOR), v128.load(beta + j, 3 * VECTOR));
      v128.store(y + j, y3, 3 * VECTOR);
    }
    sums = f64x2.add(sums, halves(runSum));
    squares = f64x2.add(squares, halves(runSquare));
  }
  for (let c = <i32>(j >> 2); c < n; c += 4) {
    const rest = n - c;
    const xhat = xhatOf<O>(f32x4.sub(take(at(x, c), FLOAT, rest, 0), s), k, o);
    put(at(y, c), FLOAT, rest, madd(xhat, v128.load(at(gamma, c)), v128.load(at(beta, c))));
    if (isVector<N>()) {
      const d = take(at(next, c), FLOAT, rest, 0);
      sums = f64x2.add(sums, halves(d));
      squares = f64x2.add(squares, halves(f32x4.mul(d, d)));
    }
  }
  if (isVector<N>()) {
    sum = total(sums);
    square = total(squares);
  }
}

/** d·k + o with O = v128, d·k with O = void. */
function xhatOf<O>(d: v128, k: v128, o: v128): v128 {
  return isVector<O>() ? madd(d, k, o) : f32x4.mul(d, k);
}

// ── statistics of a row ────────────────────────────────────────────────────────────────────────────────

/** Σ (x − s) and Σ (x − s)² of a row, from `sumRow`; in the backward pass, Σ g·γ and Σ g·γ·(x − s). */
let sum: f64 = 0;
let square: f64 = 0;

/**
 * Stores the mean of a row whose `sum` and `square` are known for a shift of 0, and returns its variance. `part` is 1/C. If
 * the mean is far from 0, the row is summed again with its first value as shift, which is exact for a row of equal values;
 * if the mean is far from that, too, with the mean.
 */
function statistics(mean: usize, x: usize, C: i32, part: f64): f64 {
  let s: f32 = 0;
  if (isFar(part)) {
    s = load<f32>(x);
    sumRow(x, C, s);
    if (isFar(part)) {
      s = <f32>(<f64>s + sum * part);
      sumRow(x, C, s);
    }
  }
  const rest = sum * part;
  let mu = <f64>s + rest;
  let variance = max(square * part - rest * rest, 0);
  if (!(variance < Infinity)) {
    mu = wideMean(x, C); // float32 squares may have overflowed
    variance = wideVariance(x, C, mu);
  }
  store<f64>(mean, mu);
  return variance;
}

/** Whether the mean is more than `NEAR` deviations from the shift. */
function isFar(part: f64): bool {
  const rest = sum * part;
  return rest * rest > NEAR * NEAR * (square * part - rest * rest);
}

/** Each block is summed as a tree, so that an addition to the sums waits for one other addition per block. */
function sumRow(x: usize, C: i32, shift: f32): void {
  const s = f32x4.splat(shift);
  const blocks = bytes(C) & -BLOCK;
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let j: usize = 0;
  while (j < blocks) {
    const end = min(j + RUN, blocks);
    let runSum = zero();
    let runSquare = zero();
    for (; j < end; j += BLOCK) {
      const d0 = f32x4.sub(v128.load(x + j), s);
      const d1 = f32x4.sub(v128.load(x + j, VECTOR), s);
      const d2 = f32x4.sub(v128.load(x + j, 2 * VECTOR), s);
      const d3 = f32x4.sub(v128.load(x + j, 3 * VECTOR), s);
      runSum = f32x4.add(runSum, f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)));
      const square01 = madd(d0, d0, f32x4.mul(d1, d1));
      const square23 = madd(d2, d2, f32x4.mul(d3, d3));
      runSquare = f32x4.add(runSquare, f32x4.add(square01, square23));
    }
    sums = f64x2.add(sums, halves(runSum));
    squares = f64x2.add(squares, halves(runSquare));
  }
  for (let c = <i32>(j >> 2); c < C; c += 4) {
    const d = f32x4.sub(take(at(x, c), FLOAT, C - c, shift), s);
    sums = f64x2.add(sums, halves(d));
    squares = f64x2.add(squares, halves(f32x4.mul(d, d)));
  }
  sum = total(sums);
  square = total(squares);
}

function wideMean(x: usize, C: i32): f64 {
  const first = <f64>load<f32>(x);
  let sum: f64 = 0;
  for (let c = 0; c < C; c++) sum += <f64>load<f32>(at(x, c)) - first;
  return first + sum / C;
}

function wideVariance(x: usize, C: i32, mean: f64): f64 {
  let square: f64 = 0;
  for (let c = 0; c < C; c++) {
    const d = <f64>load<f32>(at(x, c)) - mean;
    square += d * d;
  }
  return square / C;
}

// ── backward ───────────────────────────────────────────────────────────────────────────────────────────

/** dgamma = Σ g·xhat and dbeta = Σ g over the rows, with xhat = (x − mean)·rstd. `sums` is that of `layernormRows`. */
export function layernormSums(
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  sums: usize,
  m: i32,
  C: i32,
  groups: i32,
): void {
  layernormRows(0, sums, g, x, mean, rstd, 0, m, C, groups);
  layernormTotals(dgamma, dbeta, sums, m, C, groups);
}

/** dgamma, dbeta and dx: see `layernormRows`. */
export function layernormBackward(
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  sums: usize,
  m: i32,
  C: i32,
  groups: i32,
): void {
  layernormRows(dx, sums, g, x, mean, rstd, gamma, m, C, groups);
  layernormTotals(dgamma, dbeta, sums, m, C, groups);
}

/**
 * dx = rstd·(g·γ − sum/n − xhat·dot/n), as k·g·γ + b·xhat + a with k = rstd, b = −k·dot/n and a = −k·sum/n; and for each
 * block of `ROWS` rows, Σ g·xhat and Σ g. If the pointer `gamma` is 0, it computes these sums only. The last block comes
 * first: its rows are those that other kernels have left in the cache.
 *
 * @param sums For each block, and each group of n columns, two rows of (n + 3) & −4 floats.
 */
export function layernormRows(
  dx: usize,
  sums: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  m: i32,
  C: i32,
  groups: i32,
): void {
  const n = C / groups;
  const row = bytes(C);
  const size = bytes(2 * ((n + 3) & -4));
  for (let last = (m + ROWS - 1) & -ROWS; last > 0; last -= ROWS) {
    const first = last - ROWS;
    const block = sums + size * <usize>(groups * (first / ROWS));
    memory.fill(block, 0, size * <usize>groups);
    for (let i = first; i < min(last, m); i += GROUP) {
      const rows = min(GROUP, m - i);
      for (let group = 0; group < groups; group++) {
        const from = <usize>i * row + bytes(group * n);
        const statistic = at64(0, i * groups + group);
        rowsOfGroup(
          dx + from,
          block + size * <usize>group,
          g + from,
          x + from,
          mean + statistic,
          rstd + statistic,
          gamma == 0 ? 0 : gamma + bytes(group * n),
          rows,
          n,
          groups,
          row,
        );
      }
    }
  }
}

/** The part of `layernormRows` for one group of columns in `rows` rows, which are `row` bytes apart. */
function rowsOfGroup(
  dx: usize,
  sums: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  rows: i32,
  n: i32,
  groups: i32,
  row: usize,
): void {
  for (let r = 0; r < rows; r++) {
    const from = <usize>r * row;
    const statistic = at64(0, r * groups);
    prepare(r, g + from, x + from, gamma, n, load<f64>(mean + statistic), load<f64>(rstd + statistic));
  }
  if (gamma == 0) addRows(sums, g, x, n, rows, row);
  else combine(dx, g, x, gamma, sums, n, rows, row);
  for (let r = 0; r < rows; r++) {
    const statistic = at64(0, r * groups);
    const o = offsetOf(load<f64>(mean + statistic), load<f64>(rstd + statistic));
    if (abs(o) > ROUNDING) addOffset(sums, g + <usize>r * row, n, o);
  }
}

/** dgamma = Σ g·xhat and dbeta = Σ g, from the sums of all blocks. */
export function layernormTotals(dgamma: usize, dbeta: usize, sums: usize, m: i32, C: i32, groups: i32): void {
  const n = C / groups;
  const padded = (n + 3) & -4;
  const size = bytes(2 * padded * groups);
  for (let group = 0; group < groups; group++) {
    const from = bytes(group * n);
    addBlocks(dgamma + from, sums, m, n, size);
    addBlocks(dbeta + from, at(sums, padded), m, n, size);
    sums += bytes(2 * padded);
  }
}

/** Adds n sums of each block, in float64. Blocks are `size` bytes apart. */
function addBlocks(y: usize, sums: usize, m: i32, n: i32, size: usize): void {
  for (let j = 0; j < n; j += 4) {
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let block = at(sums, j);
    for (let i = 0; i < m; i += ROWS) {
      const v = v128.load(block);
      sum0 = f64x2.add(sum0, low(v));
      sum1 = f64x2.add(sum1, high(v));
      block += size;
    }
    put(at(y, j), FLOAT, n - j, narrow(sum0, sum1));
  }
}

/** The coefficients of a group of rows, from `prepare`: s, k, a and b, each as four floats. */
const coefficients: usize = scratch + memory.data(GROUP * 4 * 16, 64);
const SIZE: usize = 4 * VECTOR;

/** Computes the coefficients of row r of a group: without γ, those of xhat only. */
function prepare(r: i32, g: usize, x: usize, gamma: usize, n: i32, mean: f64, rstd: f64): void {
  const to = coefficients + <usize>r * SIZE;
  const shift = <f32>mean;
  v128.store(to, f32x4.splat(shift));
  v128.store(to, f32x4.splat(<f32>rstd), VECTOR);
  if (gamma == 0) return;
  const isNear = abs(mean) * rstd <= NEAR;
  if (isNear) sumProducts<void>(g, x, gamma, n, 0);
  else sumProducts<v128>(g, x, gamma, n, shift);
  const dot = rstd * (square + ((isNear ? 0 : <f64>shift) - mean) * sum);
  const b = (-rstd / n) * dot;
  const a = (-rstd / n) * sum + b * offsetOf(mean, rstd);
  v128.store(to, f32x4.splat(<f32>a), 2 * VECTOR);
  v128.store(to, f32x4.splat(<f32>b), 3 * VECTOR);
}

/** sum = Σ g·γ and square = Σ g·γ·(x − s) of a row, where the shift s is 0 if the mean is near 0. */
function sumProducts<S>(g: usize, x: usize, gamma: usize, C: i32, shift: f32): void {
  const s = f32x4.splat(shift);
  const blocks = bytes(C) & -BLOCK;
  let sums = f64x2.splat(0);
  let dots = f64x2.splat(0);
  let j: usize = 0;
  while (j < blocks) {
    const end = min(j + RUN, blocks);
    let runSum = zero();
    let runDot = zero();
    for (; j < end; j += BLOCK) {
      const t0 = f32x4.mul(v128.load(g + j), v128.load(gamma + j));
      const t1 = f32x4.mul(v128.load(g + j, VECTOR), v128.load(gamma + j, VECTOR));
      const t2 = f32x4.mul(v128.load(g + j, 2 * VECTOR), v128.load(gamma + j, 2 * VECTOR));
      const t3 = f32x4.mul(v128.load(g + j, 3 * VECTOR), v128.load(gamma + j, 3 * VECTOR));
      const d0 = minus<S>(v128.load(x + j), s);
      const d1 = minus<S>(v128.load(x + j, VECTOR), s);
      const d2 = minus<S>(v128.load(x + j, 2 * VECTOR), s);
      const d3 = minus<S>(v128.load(x + j, 3 * VECTOR), s);
      runSum = f32x4.add(runSum, f32x4.add(f32x4.add(t0, t1), f32x4.add(t2, t3)));
      const dot01 = madd(t0, d0, f32x4.mul(t1, d1));
      const dot23 = madd(t2, d2, f32x4.mul(t3, d3));
      runDot = f32x4.add(runDot, f32x4.add(dot01, dot23));
    }
    sums = f64x2.add(sums, halves(runSum));
    dots = f64x2.add(dots, halves(runDot));
  }
  for (let c = <i32>(j >> 2); c < C; c += 4) {
    const rest = C - c;
    const t = f32x4.mul(take(at(g, c), FLOAT, rest, 0), take(at(gamma, c), FLOAT, rest, 0)); // 0 times what follows could be NaN
    sums = f64x2.add(sums, halves(t));
    dots = f64x2.add(dots, halves(f32x4.mul(t, minus<S>(take(at(x, c), FLOAT, rest, shift), s))));
  }
  sum = total(sums);
  square = total(dots);
}

/**
 * dx of a few rows, two vectors of columns at a time, whose Σ g·xhat and Σ g are added to those of the block. Here xhat
 * has no offset: a contains its part of dx, and `addOffset` adds its part of the sums.
 */
function combine(
  dx: usize,
  g: usize,
  x: usize,
  gamma: usize,
  sums: usize,
  n: i32,
  rows: i32,
  row: usize,
): void {
  const blocks = bytes(n) & -(2 * VECTOR);
  const toBeta = sums + bytes((n + 3) & -4);
  const end = coefficients + <usize>rows * SIZE;
  for (let j: usize = 0; j < blocks; j += 2 * VECTOR) {
    const gamma0 = v128.load(gamma + j);
    const gamma1 = v128.load(gamma + j, VECTOR);
    let dot0 = v128.load(sums + j);
    let dot1 = v128.load(sums + j, VECTOR);
    let sum0 = v128.load(toBeta + j);
    let sum1 = v128.load(toBeta + j, VECTOR);
    let pg = g + j;
    let px = x + j;
    let py = dx + j;
    for (let p = coefficients; p < end; p += SIZE) {
      const s = v128.load(p);
      const k = v128.load(p, VECTOR);
      const a = v128.load(p, 2 * VECTOR);
      const b = v128.load(p, 3 * VECTOR);
      const g0 = v128.load(pg);
      const x0 = f32x4.mul(f32x4.sub(v128.load(px), s), k);
      v128.store(py, madd(f32x4.mul(g0, k), gamma0, madd(x0, b, a)));
      dot0 = madd(g0, x0, dot0);
      sum0 = f32x4.add(g0, sum0);
      const g1 = v128.load(pg, VECTOR);
      const x1 = f32x4.mul(f32x4.sub(v128.load(px, VECTOR), s), k);
      v128.store(py, madd(f32x4.mul(g1, k), gamma1, madd(x1, b, a)), VECTOR);
      dot1 = madd(g1, x1, dot1);
      sum1 = f32x4.add(g1, sum1);
      pg += row;
      px += row;
      py += row;
    }
    v128.store(sums + j, dot0);
    v128.store(sums + j, dot1, VECTOR);
    v128.store(toBeta + j, sum0);
    v128.store(toBeta + j, sum1, VECTOR);
  }
  for (let c = <i32>(blocks >> 2); c < n; c += 4) {
    const gammaC = v128.load(at(gamma, c));
    let from = at(0, c);
    for (let p = coefficients; p < end; p += SIZE) {
      const gi = take(g + from, FLOAT, n - c, 0);
      const k = v128.load(p, VECTOR);
      const xhat = f32x4.mul(f32x4.sub(take(x + from, FLOAT, n - c, 0), v128.load(p)), k);
      const rest = madd(xhat, v128.load(p, 3 * VECTOR), v128.load(p, 2 * VECTOR));
      put(dx + from, FLOAT, n - c, madd(f32x4.mul(gi, k), gammaC, rest));
      addTo(at(sums, c), at(toBeta, c), gi, xhat);
      from += row;
    }
  }
}

/** Adds Σ g·xhat, without offsets, and Σ g of a few rows to those of the block. */
function addRows(sums: usize, g: usize, x: usize, n: i32, rows: i32, row: usize): void {
  const toBeta = sums + bytes((n + 3) & -4);
  const end = coefficients + <usize>rows * SIZE;
  for (let p = coefficients; p < end; p += SIZE) {
    for (let c = 0; c < n; c += 4) {
      const d = f32x4.sub(take(at(x, c), FLOAT, n - c, 0), v128.load(p));
      const xhat = f32x4.mul(d, v128.load(p, VECTOR));
      addTo(at(sums, c), at(toBeta, c), take(at(g, c), FLOAT, n - c, 0), xhat);
    }
    g += row;
    x += row;
  }
}

function addTo(toGamma: usize, toBeta: usize, g: v128, xhat: v128): void {
  v128.store(toGamma, madd(g, xhat, v128.load(toGamma)));
  v128.store(toBeta, f32x4.add(g, v128.load(toBeta)));
}

/** Adds g·o of a row to the sums of a block. */
function addOffset(sums: usize, g: usize, C: i32, offset: f64): void {
  const o = f32x4.splat(<f32>offset);
  for (let c = 0; c < C; c += 4) {
    v128.store(at(sums, c), madd(take(at(g, c), FLOAT, C - c, 0), o, v128.load(at(sums, c))));
  }
}
