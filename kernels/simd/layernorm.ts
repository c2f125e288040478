/**
 * The SIMD forms of `../fused/layernorm.ts`: layer normalization, row by row. x is [m, C]; mean and rstd are float64, all
 * other arrays float32.
 *
 * As in `batchnorm-moments.ts`, the statistics take one pass over x − s in float32, in sums that are added in float64. A few
 * rows are taken at a time: they stay in the L1 cache, so the second pass reads no memory, and the statistics of a row are
 * computed while the next one is summed. README.md gives the reasons.
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
/** Rows that are taken at a time. */
const GROUP = 8;
/** Rows whose gradients are summed in float32; the sums of such blocks are added in float64. */
const ROWS = 32;

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/** mean = (1/C) Σ x; rstd = 1/√((1/C) Σ (x − mean)² + ε); y = γ·(x − mean)·rstd + β, for each row. */
export function layernormForward(
  y: usize,
  mean: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  m: i32,
  C: i32,
  eps: f64,
): void {
  const part = 1 / <f64>C;
  for (let i = 0; i < m; i += GROUP) {
    const end = min(i + GROUP, m);
    for (let r = i; r < end; r++) {
      const variance = statistics(at64(mean, r), at(x, r * C), C, part);
      store<f64>(at64(rstd, r), 1 / sqrt(variance + eps));
    }
    for (let r = i; r < end; r++) {
      const mu = load<f64>(at64(mean, r));
      scaleAndShift(at(y, r * C), at(x, r * C), gamma, beta, C, mu, load<f64>(at64(rstd, r)));
    }
  }
}

/** y = γ·xhat + β of a row, with xhat = (x − s)·k + o: see `prepare`. */
function scaleAndShift(y: usize, x: usize, gamma: usize, beta: usize, C: i32, mean: f64, rstd: f64): void {
  const shift = <f32>mean;
  const s = f32x4.splat(shift);
  const k = f32x4.splat(<f32>rstd);
  const o = f32x4.splat(<f32>((<f64>shift - mean) * rstd));
  const blocks = bytes(C) & -BLOCK;
  let j: usize = 0;
  for (; j < blocks; j += BLOCK) {
    const x0 = madd(f32x4.sub(v128.load(x + j), s), k, o);
    const x1 = madd(f32x4.sub(v128.load(x + j, VECTOR), s), k, o);
    const x2 = madd(f32x4.sub(v128.load(x + j, 2 * VECTOR), s), k, o);
    const x3 = madd(f32x4.sub(v128.load(x + j, 3 * VECTOR), s), k, o);
    v128.store(y + j, madd(x0, v128.load(gamma + j), v128.load(beta + j)));
    v128.store(y + j, madd(x1, v128.load(gamma + j, VECTOR), v128.load(beta + j, VECTOR)), VECTOR);
    v128.store(
      y + j,
      madd(x2, v128.load(gamma + j, 2 * VECTOR), v128.load(beta + j, 2 * VECTOR)),
      2 * VECTOR,
    );
    v128.store(
      y + j,
      madd(x3, v128.load(gamma + j, 3 * VECTOR), v128.load(beta + j, 3 * VECTOR)),
      3 * VECTOR,
    );
  }
  for (let c = <i32>(j >> 2); c < C; c += 4) {
    const xhat = madd(f32x4.sub(take(at(x, c), FLOAT, C - c, 0), s), k, o);
    put(at(y, c), FLOAT, C - c, madd(xhat, v128.load(at(gamma, c)), v128.load(at(beta, c))));
  }
}

// ── statistics of a row ────────────────────────────────────────────────────────────────────────────────

/** Σ (x − s) and Σ (x − s)² of a row, from `sumRow`; in the backward pass, Σ g·γ and Σ g·γ·(x − s). */
let sum: f64 = 0;
let square: f64 = 0;

/**
 * Stores the mean of a row, and returns its variance. `part` is 1/C. The shift s is 0; if the mean is far from 0, the first
 * value of the row, which is exact for a row of equal values; if the mean is far from that, too, the mean.
 */
function statistics(mean: usize, x: usize, C: i32, part: f64): f64 {
  let s: f32 = 0;
  sumRow<void>(x, C, s);
  if (isFar(part)) {
    s = load<f32>(x);
    sumRow<v128>(x, C, s);
    if (isFar(part)) {
      s = <f32>(<f64>s + sum * part);
      sumRow<v128>(x, C, s);
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
function sumRow<S>(x: usize, C: i32, shift: f32): void {
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
      const d0 = minus<S>(v128.load(x + j), s);
      const d1 = minus<S>(v128.load(x + j, VECTOR), s);
      const d2 = minus<S>(v128.load(x + j, 2 * VECTOR), s);
      const d3 = minus<S>(v128.load(x + j, 3 * VECTOR), s);
      runSum = f32x4.add(runSum, f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)));
      const square01 = madd(d0, d0, f32x4.mul(d1, d1));
      const square23 = madd(d2, d2, f32x4.mul(d3, d3));
      runSquare = f32x4.add(runSquare, f32x4.add(square01, square23));
    }
    sums = f64x2.add(sums, halves(runSum));
    squares = f64x2.add(squares, halves(runSquare));
  }
  for (let c = <i32>(j >> 2); c < C; c += 4) {
    const d = minus<S>(take(at(x, c), FLOAT, C - c, shift), s);
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
): void {
  layernormRows(0, sums, g, x, mean, rstd, 0, m, C);
  layernormTotals(dgamma, dbeta, sums, m, C);
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
): void {
  layernormRows(dx, sums, g, x, mean, rstd, gamma, m, C);
  layernormTotals(dgamma, dbeta, sums, m, C);
}

/**
 * dx = rstd·(g·γ − sum/C − xhat·dot/C), as k·g·γ + b·xhat + a with k = rstd, b = −k·dot/C and a = −k·sum/C; and for each
 * block of `ROWS` rows, Σ g·xhat and Σ g. If the pointer `gamma` is 0, it computes these sums only.
 *
 * @param sums Two rows of (C + 3) & −4 floats for each block.
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
): void {
  const row = bytes(C);
  const size = bytes(2 * ((C + 3) & -4));
  for (let i = 0; i < m; i += GROUP) {
    if (i > 0 && i % ROWS == 0) sums += size;
    if (i % ROWS == 0) memory.fill(sums, 0, size);
    const rows = min(GROUP, m - i);
    for (let r = 0; r < rows; r++) {
      const to = <usize>r * row;
      prepare(r, g + to, x + to, gamma, C, load<f64>(at64(mean, i + r)), load<f64>(at64(rstd, i + r)));
    }
    if (gamma == 0) addRows(sums, g, x, C, rows);
    else combine(dx, g, x, gamma, sums, C, rows);
    dx += row * rows;
    g += row * rows;
    x += row * rows;
  }
}

/** dgamma = Σ g·xhat and dbeta = Σ g, from the sums of all blocks. */
export function layernormTotals(dgamma: usize, dbeta: usize, sums: usize, m: i32, C: i32): void {
  const padded = (C + 3) & -4;
  addBlocks(dgamma, sums, m, padded);
  addBlocks(dbeta, at(sums, padded), m, padded);
}

function addBlocks(y: usize, sums: usize, m: i32, padded: i32): void {
  for (let j = 0; j < padded; j += 4) {
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let block = at(sums, j);
    for (let i = 0; i < m; i += ROWS) {
      const v = v128.load(block);
      sum0 = f64x2.add(sum0, low(v));
      sum1 = f64x2.add(sum1, high(v));
      block += 2 * bytes(padded);
    }
    v128.store(at(y, j), narrow(sum0, sum1));
  }
}

/** The coefficients of a group of rows, from `prepare`: s, k, o, a and b, each as four floats. */
const coefficients: usize = scratch + memory.data(GROUP * 5 * 16, 64);
const SIZE: usize = 5 * VECTOR;

/**
 * Computes the coefficients of row r of a group: without γ, those of xhat = (x − s)·k + o only. The shift s is the mean in
 * float32, k = rstd, and o corrects the rounding of the mean.
 */
function prepare(r: i32, g: usize, x: usize, gamma: usize, C: i32, mean: f64, rstd: f64): void {
  const to = coefficients + <usize>r * SIZE;
  const shift = <f32>mean;
  const rest = <f64>shift - mean;
  v128.store(to, f32x4.splat(shift));
  v128.store(to, f32x4.splat(<f32>rstd), VECTOR);
  v128.store(to, f32x4.splat(<f32>(rest * rstd)), 2 * VECTOR);
  if (gamma == 0) return;
  sumProducts(g, x, gamma, C, shift);
  const factor = -rstd / C;
  const dot = rstd * (square + rest * sum);
  v128.store(to, f32x4.splat(<f32>(factor * sum)), 3 * VECTOR);
  v128.store(to, f32x4.splat(<f32>(factor * dot)), 4 * VECTOR);
}

/** sum = Σ g·γ and square = Σ g·γ·(x − s) of a row. */
function sumProducts(g: usize, x: usize, gamma: usize, C: i32, shift: f32): void {
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
      const d0 = f32x4.sub(v128.load(x + j), s);
      const d1 = f32x4.sub(v128.load(x + j, VECTOR), s);
      const d2 = f32x4.sub(v128.load(x + j, 2 * VECTOR), s);
      const d3 = f32x4.sub(v128.load(x + j, 3 * VECTOR), s);
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
    dots = f64x2.add(dots, halves(f32x4.mul(t, f32x4.sub(take(at(x, c), FLOAT, rest, shift), s))));
  }
  sum = total(sums);
  square = total(dots);
}

/** dx of a group of rows, two vectors of columns at a time, whose Σ g·xhat and Σ g are added to those of the block. */
function combine(dx: usize, g: usize, x: usize, gamma: usize, sums: usize, C: i32, rows: i32): void {
  const row = bytes(C);
  const blocks = row & -(2 * VECTOR);
  const toBeta = sums + bytes((C + 3) & -4);
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
      const o = v128.load(p, 2 * VECTOR);
      const a = v128.load(p, 3 * VECTOR);
      const b = v128.load(p, 4 * VECTOR);
      const g0 = v128.load(pg);
      const x0 = madd(f32x4.sub(v128.load(px), s), k, o);
      v128.store(py, madd(f32x4.mul(g0, gamma0), k, madd(x0, b, a)));
      dot0 = madd(g0, x0, dot0);
      sum0 = f32x4.add(g0, sum0);
      const g1 = v128.load(pg, VECTOR);
      const x1 = madd(f32x4.sub(v128.load(px, VECTOR), s), k, o);
      v128.store(py, madd(f32x4.mul(g1, gamma1), k, madd(x1, b, a)), VECTOR);
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
  for (let c = <i32>(blocks >> 2); c < C; c += 4) {
    const gammaC = v128.load(at(gamma, c));
    let p = coefficients;
    for (let i = c; p < end; i += C) {
      const gi = take(at(g, i), FLOAT, C - c, 0);
      const xhat = xhatOf(p, take(at(x, i), FLOAT, C - c, 0));
      const rest = madd(xhat, v128.load(p, 4 * VECTOR), v128.load(p, 3 * VECTOR));
      put(at(dx, i), FLOAT, C - c, madd(f32x4.mul(gi, gammaC), v128.load(p, VECTOR), rest));
      addTo(at(sums, c), at(toBeta, c), gi, xhat);
      p += SIZE;
    }
  }
}

/** Adds Σ g·xhat and Σ g of a group of rows to those of the block. */
function addRows(sums: usize, g: usize, x: usize, C: i32, rows: i32): void {
  const toBeta = sums + bytes((C + 3) & -4);
  const end = coefficients + <usize>rows * SIZE;
  for (let p = coefficients; p < end; p += SIZE) {
    for (let c = 0; c < C; c += 4) {
      const xhat = xhatOf(p, take(at(x, c), FLOAT, C - c, 0));
      addTo(at(sums, c), at(toBeta, c), take(at(g, c), FLOAT, C - c, 0), xhat);
    }
    g += bytes(C);
    x += bytes(C);
  }
}

function xhatOf(p: usize, x: v128): v128 {
  return madd(f32x4.sub(x, v128.load(p)), v128.load(p, VECTOR), v128.load(p, 2 * VECTOR));
}

function addTo(toGamma: usize, toBeta: usize, g: v128, xhat: v128): void {
  v128.store(toGamma, madd(g, xhat, v128.load(toGamma)));
  v128.store(toBeta, f32x4.add(g, v128.load(toBeta)));
}
