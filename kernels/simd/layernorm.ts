/**
 * The SIMD forms of `../fused/layernorm.ts`: layer normalization, row by row. x is [m, C]; mean and rstd are float64, all
 * other arrays float32. A row fits into the L1 cache, so its second pass reads no memory.
 *
 * As in `batchnorm-moments.ts`, the statistics take one pass over x − s in float32, with sums of up to 32 values that are
 * added in float64. Sums have four vectors, so that an addition does not wait for the one before. The backward pass takes
 * two rows at a time: they share the loads of γ, and one load and one store of the sums dgamma and dbeta.
 */
import { minus, NEAR } from './batchnorm-moments';
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

/** Bytes of values that are summed in float32, sixteen at a time, before the sums are added to doubles. */
const RUN: usize = 2048;
/** Rows whose gradients are summed in float32 before the sums are added to doubles. */
const ROWS = 32;
/** Bytes of the vectors that are taken at a time. */
const BLOCK: usize = 4 * VECTOR;

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
  for (let i = 0; i < m; i++) {
    const variance = statistics(at64(mean, i), x, C);
    const mu = load<f64>(at64(mean, i));
    const r = 1 / sqrt(variance + eps);
    store<f64>(at64(rstd, i), r);
    prepare(mu, r);
    scaleAndShift(y, x, gamma, beta, C);
    x += bytes(C);
    y += bytes(C);
  }
}

/** y = γ·xhat + β of a row, after `prepare`. */
function scaleAndShift(y: usize, x: usize, gamma: usize, beta: usize, C: i32): void {
  const s = f32x4.splat(shift);
  const k = f32x4.splat(scale);
  const o = f32x4.splat(offset);
  const whole = bytes(C) & -VECTOR;
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
  for (; j < whole; j += VECTOR) {
    const xhat = madd(f32x4.sub(v128.load(x + j), s), k, o);
    v128.store(y + j, madd(xhat, v128.load(gamma + j), v128.load(beta + j)));
  }
  if ((C & 3) > 0) {
    const xhat = madd(f32x4.sub(take(x + j, FLOAT, C & 3, 0), s), k, o);
    put(y + j, FLOAT, C & 3, madd(xhat, v128.load(gamma + j), v128.load(beta + j)));
  }
}

// ── statistics of a row ────────────────────────────────────────────────────────────────────────────────

/** Σ (x − s) and Σ (x − s)² of a row, from `sumRow`; in the backward pass, Σ g·γ and Σ g·γ·xhat. */
let sum: f64 = 0;
let square: f64 = 0;

/**
 * Stores the mean of a row, and returns its variance. The shift s is 0; if the mean is far from 0, the first value of the
 * row, which is exact for a row of equal values; if the mean is far from that, too, the mean.
 */
function statistics(mean: usize, x: usize, C: i32): f64 {
  let s: f32 = 0;
  sumRow<void>(x, C, s);
  if (isFar(C)) {
    s = load<f32>(x);
    sumRow<v128>(x, C, s);
    if (isFar(C)) {
      s = <f32>(<f64>s + sum / C);
      sumRow<v128>(x, C, s);
    }
  }
  const rest = sum / C;
  let mu = <f64>s + rest;
  let variance = max(square / C - rest * rest, 0);
  if (!(variance < Infinity)) {
    mu = wideMean(x, C); // float32 squares may have overflowed
    variance = wideVariance(x, C, mu);
  }
  store<f64>(mean, mu);
  return variance;
}

/** Whether the mean is more than `NEAR` deviations from the shift. */
function isFar(C: i32): bool {
  const rest2 = (sum / C) * (sum / C);
  return rest2 > NEAR * NEAR * (square / C - rest2);
}

function sumRow<S>(x: usize, C: i32, s: f32): void {
  const shift = f32x4.splat(s);
  const whole = bytes(C) & -VECTOR;
  const blocks = bytes(C) & -BLOCK;
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let j: usize = 0;
  while (j < blocks) {
    const end = min(j + RUN, blocks);
    let sum0 = zero();
    let sum1 = zero();
    let sum2 = zero();
    let sum3 = zero();
    let square0 = zero();
    let square1 = zero();
    let square2 = zero();
    let square3 = zero();
    for (; j < end; j += BLOCK) {
      let d = minus<S>(v128.load(x + j), shift);
      sum0 = f32x4.add(sum0, d);
      square0 = madd(d, d, square0);
      d = minus<S>(v128.load(x + j, VECTOR), shift);
      sum1 = f32x4.add(sum1, d);
      square1 = madd(d, d, square1);
      d = minus<S>(v128.load(x + j, 2 * VECTOR), shift);
      sum2 = f32x4.add(sum2, d);
      square2 = madd(d, d, square2);
      d = minus<S>(v128.load(x + j, 3 * VECTOR), shift);
      sum3 = f32x4.add(sum3, d);
      square3 = madd(d, d, square3);
    }
    sums = f64x2.add(sums, ofFour(sum0, sum1, sum2, sum3));
    squares = f64x2.add(squares, ofFour(square0, square1, square2, square3));
  }
  for (; j < bytes(C); j += VECTOR) {
    const d = minus<S>(j < whole ? v128.load(x + j) : take(x + j, FLOAT, C & 3, s), shift);
    sums = f64x2.add(sums, halves(d));
    squares = f64x2.add(squares, halves(f32x4.mul(d, d)));
  }
  sum = total(sums);
  square = total(squares);
}

/** The sum of sixteen floats, as two doubles. */
function ofFour(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  return halves(f32x4.add(f32x4.add(v0, v1), f32x4.add(v2, v3)));
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
  for (let i = 0; i < m; i += 2) {
    const isPair = i + 1 < m;
    ofRow(first, g, x, gamma, C, load<f64>(at64(mean, i)), load<f64>(at64(rstd, i)));
    if (isPair)
      ofRow(
        second,
        g + bytes(C),
        x + bytes(C),
        gamma,
        C,
        load<f64>(at64(mean, i + 1)),
        load<f64>(at64(rstd, i + 1)),
      );
    if (gamma == 0) {
      addRow(first, scratch, g, x, C);
      if (isPair) addRow(second, scratch, g + bytes(C), x + bytes(C), C);
    } else if (isPair) combine<v128>(dx, g, x, gamma, scratch, C);
    else combine<void>(dx, g, x, gamma, scratch, C);
    if (gamma != 0) dx += bytes(2 * C);
    g += bytes(2 * C);
    x += bytes(2 * C);
    if (i % ROWS == ROWS - 2 || i + 2 >= m) flush(sums, scratch, 2 * padded);
  }
  for (let j = 0; j < C; j += 4) {
    v128.store(at(dgamma, j), floats(at64(sums, j)));
    v128.store(at(dbeta, j), floats(at64(sums, padded + j)));
  }
}

/** The coefficients of two rows, from `ofRow`: xhat = (x − s)·k + o and dx = k·g·γ + b·xhat + a. Each is four floats. */
const first: usize = memory.data(5 * 16, 16);
const second: usize = memory.data(5 * 16, 16);

/** Computes the coefficients of a row: without γ, those of xhat only. */
function ofRow(row: usize, g: usize, x: usize, gamma: usize, C: i32, mean: f64, rstd: f64): void {
  prepare(mean, rstd);
  v128.store(row, f32x4.splat(shift));
  v128.store(row, f32x4.splat(scale), VECTOR);
  v128.store(row, f32x4.splat(offset), 2 * VECTOR);
  if (gamma == 0) return;
  sumProducts(g, x, gamma, C, mean, rstd);
  v128.store(row, f32x4.splat(<f32>((-rstd * square) / C)), 3 * VECTOR);
  v128.store(row, f32x4.splat(<f32>((-rstd * sum) / C)), 4 * VECTOR);
}

/** dx of one row, or with R = v128 of two; Σ g·xhat and Σ g of the rows are added to two vectors in memory. */
function combine<R>(dx: usize, g: usize, x: usize, gamma: usize, toGamma: usize, C: i32): void {
  const s0 = v128.load(first);
  const k0 = v128.load(first, VECTOR);
  const o0 = v128.load(first, 2 * VECTOR);
  const b0 = v128.load(first, 3 * VECTOR);
  const a0 = v128.load(first, 4 * VECTOR);
  const s1 = v128.load(second);
  const k1 = v128.load(second, VECTOR);
  const o1 = v128.load(second, 2 * VECTOR);
  const b1 = v128.load(second, 3 * VECTOR);
  const a1 = v128.load(second, 4 * VECTOR);
  const row = bytes(C);
  const whole = row & -VECTOR;
  const toBeta = toGamma + bytes((C + 3) & -4);
  let j: usize = 0;
  for (; j < whole; j += VECTOR) {
    const gammaJ = v128.load(gamma + j);
    const g0 = v128.load(g + j);
    const x0 = madd(f32x4.sub(v128.load(x + j), s0), k0, o0);
    v128.store(dx + j, madd(f32x4.mul(g0, gammaJ), k0, madd(x0, b0, a0)));
    let dot = madd(g0, x0, v128.load(toGamma + j));
    let sum = f32x4.add(g0, v128.load(toBeta + j));
    if (isVector<R>()) {
      const g1 = v128.load(g + row + j);
      const x1 = madd(f32x4.sub(v128.load(x + row + j), s1), k1, o1);
      v128.store(dx + row + j, madd(f32x4.mul(g1, gammaJ), k1, madd(x1, b1, a1)));
      dot = madd(g1, x1, dot);
      sum = f32x4.add(g1, sum);
    }
    v128.store(toGamma + j, dot);
    v128.store(toBeta + j, sum);
  }
  const rest = C & 3;
  if (rest > 0) {
    const gammaJ = v128.load(gamma + j);
    const g0 = take(g + j, FLOAT, rest, 0);
    const x0 = madd(f32x4.sub(take(x + j, FLOAT, rest, 0), s0), k0, o0);
    put(dx + j, FLOAT, rest, madd(f32x4.mul(g0, gammaJ), k0, madd(x0, b0, a0)));
    addTo(toGamma + j, toBeta + j, g0, x0);
    if (isVector<R>()) {
      const g1 = take(g + row + j, FLOAT, rest, 0);
      const x1 = madd(f32x4.sub(take(x + row + j, FLOAT, rest, 0), s1), k1, o1);
      put(dx + row + j, FLOAT, rest, madd(f32x4.mul(g1, gammaJ), k1, madd(x1, b1, a1)));
      addTo(toGamma + j, toBeta + j, g1, x1);
    }
  }
}

/** Adds g·xhat and g of a row to two vectors in memory. */
function addRow(coefficients: usize, toGamma: usize, g: usize, x: usize, C: i32): void {
  const s = v128.load(coefficients);
  const k = v128.load(coefficients, VECTOR);
  const o = v128.load(coefficients, 2 * VECTOR);
  const whole = bytes(C) & -VECTOR;
  const toBeta = toGamma + bytes((C + 3) & -4);
  for (let j: usize = 0; j < bytes(C); j += VECTOR) {
    const gi = j < whole ? v128.load(g + j) : take(g + j, FLOAT, C & 3, 0);
    const xi = j < whole ? v128.load(x + j) : take(x + j, FLOAT, C & 3, 0);
    addTo(toGamma + j, toBeta + j, gi, madd(f32x4.sub(xi, s), k, o));
  }
}

function addTo(toGamma: usize, toBeta: usize, g: v128, xhat: v128): void {
  v128.store(toGamma, madd(g, xhat, v128.load(toGamma)));
  v128.store(toBeta, f32x4.add(g, v128.load(toBeta)));
}

/** sum = Σ g·γ and square = Σ g·γ·xhat of a row, after `prepare`. */
function sumProducts(g: usize, x: usize, gamma: usize, C: i32, mean: f64, rstd: f64): void {
  const s = f32x4.splat(shift);
  const whole = bytes(C) & -VECTOR;
  const blocks = bytes(C) & -BLOCK;
  let sums = f64x2.splat(0);
  let dots = f64x2.splat(0);
  let j: usize = 0;
  while (j < blocks) {
    const end = min(j + RUN, blocks);
    let sum0 = zero();
    let sum1 = zero();
    let sum2 = zero();
    let sum3 = zero();
    let dot0 = zero();
    let dot1 = zero();
    let dot2 = zero();
    let dot3 = zero();
    for (; j < end; j += BLOCK) {
      let t = f32x4.mul(v128.load(g + j), v128.load(gamma + j));
      sum0 = f32x4.add(sum0, t);
      dot0 = madd(t, f32x4.sub(v128.load(x + j), s), dot0);
      t = f32x4.mul(v128.load(g + j, VECTOR), v128.load(gamma + j, VECTOR));
      sum1 = f32x4.add(sum1, t);
      dot1 = madd(t, f32x4.sub(v128.load(x + j, VECTOR), s), dot1);
      t = f32x4.mul(v128.load(g + j, 2 * VECTOR), v128.load(gamma + j, 2 * VECTOR));
      sum2 = f32x4.add(sum2, t);
      dot2 = madd(t, f32x4.sub(v128.load(x + j, 2 * VECTOR), s), dot2);
      t = f32x4.mul(v128.load(g + j, 3 * VECTOR), v128.load(gamma + j, 3 * VECTOR));
      sum3 = f32x4.add(sum3, t);
      dot3 = madd(t, f32x4.sub(v128.load(x + j, 3 * VECTOR), s), dot3);
    }
    sums = f64x2.add(sums, ofFour(sum0, sum1, sum2, sum3));
    dots = f64x2.add(dots, ofFour(dot0, dot1, dot2, dot3));
  }
  for (; j < bytes(C); j += VECTOR) {
    const gi = j < whole ? v128.load(g + j) : take(g + j, FLOAT, C & 3, 0);
    const xi = j < whole ? v128.load(x + j) : take(x + j, FLOAT, C & 3, shift);
    const k = j < whole ? v128.load(gamma + j) : take(gamma + j, FLOAT, C & 3, 0); // 0 times what follows could be NaN
    const t = f32x4.mul(gi, k);
    sums = f64x2.add(sums, halves(t));
    dots = f64x2.add(dots, halves(f32x4.mul(t, f32x4.sub(xi, s))));
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
