/**
 * The SIMD forms of `../fused/layernorm.ts`: layer normalization, row by row. x is [m, C]; mean and rstd are float64, all
 * other arrays float32. A row fits into the L1 cache, so its second pass reads no memory.
 *
 * As in `batchnorm-moments.ts`, the statistics take one pass over x − s in float32, with sums of up to `RUN` values per
 * column of a vector, which are added in float64. Here s is the first value of the row, or, where the mean is more than
 * one deviation from it, the mean.
 */
import {
  at,
  at64,
  bytes,
  FLOAT,
  floats,
  halves,
  high,
  low,
  madd,
  put,
  take,
  total,
  VECTOR,
  zero,
} from './vector';

/** Bytes of values that are summed in float32, four at a time, before the sums are added to doubles. */
const RUN: usize = 512;
/** Rows whose gradients are summed in float32 before the sums are added to doubles. */
const ROWS = 32;

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
  for (let i = 0; i < m; i++) {
    statistics(at64(mean, i), at64(rstd, i), x, C, eps);
    prepare(load<f64>(at64(mean, i)), load<f64>(at64(rstd, i)));
    const s = f32x4.splat(shift);
    const k = f32x4.splat(scale);
    const o = f32x4.splat(offset);
    const row = bytes(C);
    const whole = row & -VECTOR; // the whole vectors of a row; a loop with a call would keep its vectors in memory
    for (let j: usize = 0; j < whole; j += VECTOR) {
      const xhat = madd(f32x4.sub(v128.load(x + j), s), k, o);
      v128.store(y + j, madd(xhat, v128.load(gamma + j), v128.load(beta + j)));
    }
    if (whole < row) {
      const xhat = madd(f32x4.sub(take(x + whole, FLOAT, C & 3, 0), s), k, o);
      put(y + whole, FLOAT, C & 3, madd(xhat, v128.load(gamma + whole), v128.load(beta + whole)));
    }
    x += row;
    y += row;
  }
}

// ── statistics of a row ────────────────────────────────────────────────────────────────────────────────

/** Σ (x − s) and Σ (x − s)² of a row, from `sumRow`. */
let sum: f64 = 0;
let square: f64 = 0;

/** The mean of a row and 1/√(variance + ε). */
function statistics(mean: usize, rstd: usize, x: usize, C: i32, eps: f64): void {
  let s = load<f32>(x);
  sumRow(x, C, s);
  if ((sum * sum) / C > square - (sum * sum) / C) {
    s = <f32>(<f64>s + sum / C); // the mean is more than one deviation away
    sumRow(x, C, s);
  }
  const rest = sum / C;
  let mu = <f64>s + rest;
  let variance = max(square / C - rest * rest, 0);
  if (!(variance < Infinity)) {
    mu = wideMean(x, C); // float32 squares may have overflowed
    variance = wideVariance(x, C, mu);
  }
  store<f64>(mean, mu);
  store<f64>(rstd, 1 / sqrt(variance + eps));
}

function sumRow(x: usize, C: i32, s: f32): void {
  const shift = f32x4.splat(s);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  const whole = bytes(C) & -VECTOR;
  for (let start: usize = 0; start < whole; start += RUN) {
    const end = min(start + RUN, whole);
    let sum4 = zero();
    let square4 = zero();
    for (let j = start; j < end; j += VECTOR) {
      const d = f32x4.sub(v128.load(x + j), shift);
      sum4 = f32x4.add(sum4, d);
      square4 = madd(d, d, square4);
    }
    sums = f64x2.add(sums, halves(sum4));
    squares = f64x2.add(squares, halves(square4));
  }
  if ((C & 3) > 0) {
    const d = f32x4.sub(take(x + whole, FLOAT, C & 3, s), shift);
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

/** The coefficients of xhat = (x − shift)·scale + offset, from `prepare`. The shift is the mean in float32. */
let shift: f32 = 0;
let scale: f32 = 0;
let offset: f32 = 0;

function prepare(mean: f64, rstd: f64): void {
  shift = <f32>mean;
  scale = <f32>rstd;
  offset = <f32>((<f64>shift - mean) * rstd);
}

// ── backward ───────────────────────────────────────────────────────────────────────────────────────────

/** dgamma = Σ g·xhat and dbeta = Σ g over the rows, with xhat = (x − mean)·rstd. */
export function layernormSums(
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  scratch: usize,
  m: i32,
  C: i32,
): void {
  layernormBackward(0, dgamma, dbeta, g, x, mean, rstd, 0, scratch, m, C);
}

/**
 * dgamma, dbeta and, unless the pointer dx is 0, dx = rstd·(g·γ − sum/C − xhat·dot/C), as k·g·γ + b·xhat + a with k = rstd,
 * b = −k·dot/C and a = −k·sum/C. `scratch` has 6·(C + 3) floats.
 */
export function layernormBackward(
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  scratch: usize,
  m: i32,
  C: i32,
): void {
  const padded = (C + 3) & -4;
  const sums = at(scratch, 2 * padded); // doubles; the floats of a few rows are before them
  memory.fill(scratch, 0, bytes(6 * padded));
  for (let i = 0; i < m; i++) {
    const mu = load<f64>(at64(mean, i));
    const r = load<f64>(at64(rstd, i));
    prepare(mu, r);
    if (dx != 0) sumProducts(g, x, gamma, C, mu, r);
    const a = f32x4.splat(<f32>((-r * sum) / C));
    const b = f32x4.splat(<f32>((-r * square) / C));
    const s = f32x4.splat(shift);
    const k = f32x4.splat(scale);
    const o = f32x4.splat(offset);
    const row = bytes(C);
    const whole = row & -VECTOR;
    const toBeta = at(scratch, padded);
    if (dx != 0) {
      for (let j: usize = 0; j < whole; j += VECTOR) {
        const xhat = madd(f32x4.sub(v128.load(x + j), s), k, o);
        const t = f32x4.mul(v128.load(g + j), v128.load(gamma + j));
        v128.store(dx + j, madd(t, k, madd(xhat, b, a)));
      }
      if (whole < row) {
        const xhat = madd(f32x4.sub(take(x + whole, FLOAT, C & 3, shift), s), k, o);
        const t = f32x4.mul(take(g + whole, FLOAT, C & 3, 0), v128.load(gamma + whole));
        put(dx + whole, FLOAT, C & 3, madd(t, k, madd(xhat, b, a)));
      }
      dx += row;
    }
    for (let j: usize = 0; j < whole; j += VECTOR) {
      const gi = v128.load(g + j);
      const xhat = madd(f32x4.sub(v128.load(x + j), s), k, o);
      v128.store(scratch + j, madd(gi, xhat, v128.load(scratch + j)));
      v128.store(toBeta + j, f32x4.add(gi, v128.load(toBeta + j)));
    }
    if (whole < row) {
      const gi = take(g + whole, FLOAT, C & 3, 0);
      const xhat = madd(f32x4.sub(take(x + whole, FLOAT, C & 3, shift), s), k, o);
      v128.store(scratch + whole, madd(gi, xhat, v128.load(scratch + whole)));
      v128.store(toBeta + whole, f32x4.add(gi, v128.load(toBeta + whole)));
    }
    g += row;
    x += row;
    if (i % ROWS == ROWS - 1 || i == m - 1) flush(sums, scratch, 2 * padded);
  }
  for (let j = 0; j < C; j += 4) {
    v128.store(at(dgamma, j), floats(at64(sums, j)));
    v128.store(at(dbeta, j), floats(at64(sums, padded + j)));
  }
}

/** sum = Σ g·γ and square = Σ g·γ·xhat of a row, after `prepare`. */
function sumProducts(g: usize, x: usize, gamma: usize, C: i32, mean: f64, rstd: f64): void {
  const s = f32x4.splat(shift);
  let sums = f64x2.splat(0);
  let dots = f64x2.splat(0);
  const whole = bytes(C) & -VECTOR;
  for (let start: usize = 0; start < whole; start += RUN) {
    const end = min(start + RUN, whole);
    let sum4 = zero();
    let dot4 = zero();
    for (let j = start; j < end; j += VECTOR) {
      const t = f32x4.mul(v128.load(g + j), v128.load(gamma + j));
      sum4 = f32x4.add(sum4, t);
      dot4 = madd(t, f32x4.sub(v128.load(x + j), s), dot4);
    }
    sums = f64x2.add(sums, halves(sum4));
    dots = f64x2.add(dots, halves(dot4));
  }
  if ((C & 3) > 0) {
    const t = f32x4.mul(take(g + whole, FLOAT, C & 3, 0), take(gamma + whole, FLOAT, C & 3, 0));
    sums = f64x2.add(sums, halves(t));
    dots = f64x2.add(dots, halves(f32x4.mul(t, f32x4.sub(take(x + whole, FLOAT, C & 3, shift), s))));
  }
  sum = total(sums);
  square = rstd * (total(dots) + (<f64>shift - mean) * sum);
}

/** Adds floats to doubles, and sets the floats to 0. `count` is a multiple of 4. */
function flush(sums: usize, values: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const v = v128.load(at(values, j));
    const sum = at64(sums, j);
    v128.store(sum, f64x2.add(v128.load(sum), low(v)));
    v128.store(sum, f64x2.add(v128.load(sum, VECTOR), high(v)), VECTOR);
    v128.store(at(values, j), zero());
  }
}
