/**
 * Batch normalization in as few passes over memory as its equations allow: the SIMD form of
 * `batchnorm-fused.ts`. x is [m, C]; mean, variance and rstd are float64, all other arrays float32.
 *
 * Sums run in float32 over at most `RUN` rows, of differences from a value of the column's own, so that
 * nothing large is added up; the runs' sums are added in float64. A pass that follows another one begins at
 * the rows with which that one ended, which are still in the cache.
 */
import { addDoubles, at, bytes, low, madd, storePair, VECTOR, zero } from './vector.simd';

/** Rows that are summed in float32, column by column. */
const RUN = 16;
/** Rows that are written at a time: fewer, as three arrays with rows of 2 kB share a few places in L1. */
const WRITTEN = 8;
/** Columns that are in registers at a time: a whole cache line, or where that takes too many registers, half. */
const GROUP = 16;
const HALF = 8;
/** Columns of a pass. Fewer would keep them in L2 from pass to pass, but were measured slower. */
const COLUMNS = 1024;

/** Values of those columns, and room for the last group. */
const shift: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const scale: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const offset: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const factor: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const sums: usize = memory.data((COLUMNS + GROUP) * 8, 64);
const squares: usize = memory.data((COLUMNS + GROUP) * 8, 64);
/** Rows of a group that is not whole, before they are copied. */
const edge: usize = memory.data(WRITTEN * GROUP * 4, 64);

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * mean = (1/m) Σ x; variance = (1/m) Σ (x − mean)²; rstd = 1/√(variance + ε); y = γ·(x − mean)·rstd + β.
 */
export function batchnormForward(
  y: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  m: i32,
  C: i32,
  eps: f64,
): void {
  batchnormInParts(y, 0, mean, variance, rstd, x, gamma, beta, m, C, eps);
}

/**
 * The same y in two parts, u[i,j] + constant[j]: u = (x − s)·γ·rstd is 0 where x is, in each column whose s can be 0
 * instead of the mean. Without room for the constant, u is y.
 */
export function batchnormInParts(
  u: usize,
  constant: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  m: i32,
  C: i32,
  eps: f64,
): void {
  const part = f64x2.splat(1 / <f64>m);
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    const xc = at(x, c);
    meanOfFirst(xc, m, C, columns);
    sumSquares(xc, m, C, columns);
    if (isFar(part, columns)) {
      for (let j = 0; j < columns; j += 2) {
        storeFloats(at(shift, j), f64x2.add(pair(at(shift, j)), restOf(j, part)));
      }
      sumSquares(xc, m, C, columns);
    }
    moments(at64(mean, c), at64(variance, c), xc, m, C, columns);
    for (let j = 0; j < columns; j += 2) {
      const mu = v128.load(at64(mean, c + j));
      const sigma2 = v128.load(at64(variance, c + j));
      const r = f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(sigma2, f64x2.splat(eps))));
      const k = f64x2.mul(pair(at(gamma, c + j)), r);
      const s = shiftOf(mu, r, constant != 0);
      v128.store(at64(rstd, c + j), r);
      storeFloats(at(shift, j), s);
      storeFloats(at(scale, j), k);
      storeFloats(at(offset, j), f64x2.sub(pair(at(beta, c + j)), f64x2.mul(k, f64x2.sub(mu, s))));
    }
    if (constant != 0) {
      memory.copy(at(constant, c), offset, bytes(columns));
      memory.fill(offset, 0, bytes(columns + GROUP));
    }
    scaleAndShift(at(u, c), xc, m, C, columns);
  }
}

/** Where the mean is so near to 0, in deviations, that without subtracting it no more than two bits are lost. */
const NEAR: f64 = 4;

/** What is subtracted from two columns: the mean, in float32; or, if zeros are to stay, 0 wherever that will do. */
export function shiftOf(mean: v128, rstd: v128, zerosStay: bool): v128 {
  const rounded = low(f32x4.demote_f64x2_zero(mean));
  if (!zerosStay) return rounded;
  return v128.andnot(rounded, f64x2.le(f64x2.mul(f64x2.abs(mean), rstd), f64x2.splat(NEAR)));
}

/** Inference: scale = γ·rstd, y = (x − mean)·scale + β, with the running mean and variance in float32. */
export function batchnormInference(
  y: usize,
  folded: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  variance: usize,
  m: i32,
  C: i32,
  eps: f64,
): void {
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    for (let j = 0; j < columns; j++) {
      const r = 1 / sqrt(<f64>load<f32>(at(variance, c + j)) + eps);
      const k = <f64>load<f32>(at(gamma, c + j)) * r;
      store<f64>(at64(rstd, c + j), r);
      store<f64>(at64(folded, c + j), k);
      store<f32>(at(scale, j), <f32>k);
    }
    memory.copy(shift, at(mean, c), bytes(columns));
    memory.copy(offset, at(beta, c), bytes(columns));
    scaleAndShift(at(y, c), at(x, c), m, C, columns);
  }
}

/** shift[j] = the mean of the first rows, exact where they are all the same. */
function meanOfFirst(x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  const rows = min(RUN, m);
  const part = f32x4.splat(1 / <f32>rows);
  for (let j = 0; j < columns; j += 4) {
    const first = v128.load(at(x, j));
    let sum = zero();
    let p = at(x, j);
    for (let r = 1; r < rows; r++) {
      p += row;
      sum = f32x4.add(sum, f32x4.sub(v128.load(p), first));
    }
    v128.store(at(shift, j), f32x4.add(first, f32x4.mul(sum, part)));
  }
}

/** sums[j] = Σᵢ (x[i,j] − shift[j]) and squares[j] = Σᵢ (x[i,j] − shift[j])². */
function sumSquares(x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  clear(sums, columns);
  clear(squares, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += GROUP) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      const s2 = v128.load(at(shift, j), 2 * VECTOR);
      const s3 = v128.load(at(shift, j), 3 * VECTOR);
      let sum0 = zero();
      let sum1 = zero();
      let sum2 = zero();
      let sum3 = zero();
      let square0 = zero();
      let square1 = zero();
      let square2 = zero();
      let square3 = zero();
      let p = at(x, i * C + j);
      for (let r = 0; r < rows; r++) {
        let d = f32x4.sub(v128.load(p), s0);
        sum0 = f32x4.add(sum0, d);
        square0 = madd(d, d, square0);
        d = f32x4.sub(v128.load(p, VECTOR), s1);
        sum1 = f32x4.add(sum1, d);
        square1 = madd(d, d, square1);
        d = f32x4.sub(v128.load(p, 2 * VECTOR), s2);
        sum2 = f32x4.add(sum2, d);
        square2 = madd(d, d, square2);
        d = f32x4.sub(v128.load(p, 3 * VECTOR), s3);
        sum3 = f32x4.add(sum3, d);
        square3 = madd(d, d, square3);
        p += row;
      }
      addDoubles(at64(sums, j), sum0, sum1);
      addDoubles(at64(sums, j + 8), sum2, sum3);
      addDoubles(at64(squares, j), square0, square1);
      addDoubles(at64(squares, j + 8), square2, square3);
    }
  }
}

/** mean − shift = (1/m) Σ (x − shift), of two columns. */
function restOf(j: i32, part: v128): v128 {
  return f64x2.mul(v128.load(at64(sums, j)), part);
}

/** variance = (1/m) Σ (x − shift)² − rest², of two columns. */
function varianceOf(j: i32, part: v128, rest: v128): v128 {
  const square = f64x2.mul(v128.load(at64(squares, j)), part);
  return f64x2.max(f64x2.sub(square, f64x2.mul(rest, rest)), f64x2.splat(0));
}

/** Whether the first rows are so unlike the others that the variance loses digits: somewhere rest² > variance. */
function isFar(part: v128, columns: i32): bool {
  store<f64>(at64(sums, columns), 0); // what lies beside the last column is none
  let far = zero();
  for (let j = 0; j < columns; j += 2) {
    const rest = restOf(j, part);
    far = v128.or(far, f64x2.gt(f64x2.mul(rest, rest), varianceOf(j, part, rest)));
  }
  return v128.any_true(far);
}

/** The means and variances, of columns whose squares overflow in float64 throughout. */
function moments(mean: usize, variance: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const part = f64x2.splat(1 / <f64>m);
  for (let j = 0; j < columns; j += 2) {
    const rest = restOf(j, part);
    const sigma2 = varianceOf(j, part, rest);
    v128.store(at64(mean, j), f64x2.add(pair(at(shift, j)), rest));
    v128.store(at64(variance, j), sigma2);
    if (i64x2.all_true(f64x2.lt(sigma2, f64x2.splat(Infinity)))) continue;
    for (let k = j; k < min(j + 2, columns); k++) {
      if (load<f64>(at64(variance, k)) < Infinity) continue;
      const mu = wideMean(at(x, k), m, C);
      store<f64>(at64(mean, k), mu);
      store<f64>(at64(variance, k), wideVariance(at(x, k), mu, m, C));
    }
  }
}

/** y[i,j] = (x[i,j] − shift[j])·scale[j] + offset[j], the last rows first. */
function scaleAndShift(y: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  for (let i = (m - 1) & -WRITTEN; i >= 0; i -= WRITTEN) {
    const rows = min(WRITTEN, m - i);
    for (let j = 0; j < columns; j += GROUP) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      const s2 = v128.load(at(shift, j), 2 * VECTOR);
      const s3 = v128.load(at(shift, j), 3 * VECTOR);
      const k0 = v128.load(at(scale, j));
      const k1 = v128.load(at(scale, j), VECTOR);
      const k2 = v128.load(at(scale, j), 2 * VECTOR);
      const k3 = v128.load(at(scale, j), 3 * VECTOR);
      const b0 = v128.load(at(offset, j));
      const b1 = v128.load(at(offset, j), VECTOR);
      const b2 = v128.load(at(offset, j), 2 * VECTOR);
      const b3 = v128.load(at(offset, j), 3 * VECTOR);
      const place = at(y, i * C + j);
      const whole = columns - j >= GROUP;
      const to = whole ? row : bytes(GROUP);
      let px = at(x, i * C + j);
      let py = whole ? place : edge;
      for (let r = 0; r < rows; r++) {
        v128.store(py, madd(f32x4.sub(v128.load(px), s0), k0, b0));
        v128.store(py, madd(f32x4.sub(v128.load(px, VECTOR), s1), k1, b1), VECTOR);
        v128.store(py, madd(f32x4.sub(v128.load(px, 2 * VECTOR), s2), k2, b2), 2 * VECTOR);
        v128.store(py, madd(f32x4.sub(v128.load(px, 3 * VECTOR), s3), k3, b3), 3 * VECTOR);
        px += row;
        py += to;
      }
      if (!whole) copyEdge(place, row, rows, columns - j);
    }
  }
}

// ── backward ───────────────────────────────────────────────────────────────────────────────────────────

/** dgamma = Σ g·xhat and dbeta = Σ g, with xhat = (x − mean)·rstd. */
export function batchnormSums(
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  m: i32,
  C: i32,
): void {
  for (let c = 0; c < C; c += COLUMNS)
    sumGradients(dgamma, dbeta, g, x, mean, rstd, m, C, c, min(COLUMNS, C - c));
}

/**
 * The sums, and dx = γ·rstd·(g − dbeta/m − xhat·dgamma/m) = k·g + s·(x − mean) + o with k = γ·rstd,
 * s = −k·rstd·dgamma/m and o = −k·dbeta/m.
 */
export function batchnormBackward(
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  m: i32,
  C: i32,
): void {
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    sumGradients(dgamma, dbeta, g, x, mean, rstd, m, C, c, columns);
    const part = f64x2.splat(1 / <f64>m);
    for (let j = 0; j < columns; j += 2) {
      const rest = f64x2.sub(v128.load(at64(mean, c + j)), pair(at(shift, j)));
      const r = v128.load(at64(rstd, c + j));
      const k = f64x2.mul(pair(at(gamma, c + j)), r);
      const kPart = f64x2.mul(k, part);
      const s = f64x2.neg(f64x2.mul(f64x2.mul(kPart, r), pair(at(dgamma, c + j))));
      const o = f64x2.add(f64x2.mul(kPart, pair(at(dbeta, c + j))), f64x2.mul(s, rest));
      storeFloats(at(factor, j), k);
      storeFloats(at(scale, j), s);
      storeFloats(at(offset, j), f64x2.neg(o));
    }
    combine(at(dx, c), at(g, c), at(x, c), m, C, columns);
  }
}

/** dgamma and dbeta of the columns from c on; the mean of each is left in `shift`. */
function sumGradients(
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  m: i32,
  C: i32,
  c: i32,
  columns: i32,
): void {
  const row = bytes(C);
  for (let j = 0; j < columns; j += 2) storeFloats(at(shift, j), v128.load(at64(mean, c + j)));
  clear(sums, columns);
  clear(squares, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += GROUP) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      const s2 = v128.load(at(shift, j), 2 * VECTOR);
      const s3 = v128.load(at(shift, j), 3 * VECTOR);
      let sum0 = zero();
      let sum1 = zero();
      let sum2 = zero();
      let sum3 = zero();
      let dot0 = zero();
      let dot1 = zero();
      let dot2 = zero();
      let dot3 = zero();
      let pg = at(g, i * C + c + j);
      let px = at(x, i * C + c + j);
      for (let r = 0; r < rows; r++) {
        let gi = v128.load(pg);
        sum0 = f32x4.add(sum0, gi);
        dot0 = madd(gi, f32x4.sub(v128.load(px), s0), dot0);
        gi = v128.load(pg, VECTOR);
        sum1 = f32x4.add(sum1, gi);
        dot1 = madd(gi, f32x4.sub(v128.load(px, VECTOR), s1), dot1);
        gi = v128.load(pg, 2 * VECTOR);
        sum2 = f32x4.add(sum2, gi);
        dot2 = madd(gi, f32x4.sub(v128.load(px, 2 * VECTOR), s2), dot2);
        gi = v128.load(pg, 3 * VECTOR);
        sum3 = f32x4.add(sum3, gi);
        dot3 = madd(gi, f32x4.sub(v128.load(px, 3 * VECTOR), s3), dot3);
        pg += row;
        px += row;
      }
      addDoubles(at64(sums, j), sum0, sum1);
      addDoubles(at64(sums, j + 8), sum2, sum3);
      addDoubles(at64(squares, j), dot0, dot1);
      addDoubles(at64(squares, j + 8), dot2, dot3);
    }
  }
  for (let j = 0; j < columns; j += 2) {
    const sum = v128.load(at64(sums, j));
    const rest = f64x2.sub(v128.load(at64(mean, c + j)), pair(at(shift, j)));
    const dot = f64x2.sub(v128.load(at64(squares, j)), f64x2.mul(rest, sum));
    storeFloats(at(dbeta, c + j), sum);
    storeFloats(at(dgamma, c + j), f64x2.mul(dot, v128.load(at64(rstd, c + j))));
  }
}

/** dx[i,j] = g[i,j]·factor[j] + (x[i,j] − shift[j])·scale[j] + offset[j], the last rows first. */
function combine(dx: usize, g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  for (let i = (m - 1) & -WRITTEN; i >= 0; i -= WRITTEN) {
    const rows = min(WRITTEN, m - i);
    for (let j = 0; j < columns; j += HALF) {
      const m0 = v128.load(at(shift, j));
      const m1 = v128.load(at(shift, j), VECTOR);
      const k0 = v128.load(at(factor, j));
      const k1 = v128.load(at(factor, j), VECTOR);
      const s0 = v128.load(at(scale, j));
      const s1 = v128.load(at(scale, j), VECTOR);
      const o0 = v128.load(at(offset, j));
      const o1 = v128.load(at(offset, j), VECTOR);
      const place = at(dx, i * C + j);
      const whole = columns - j >= HALF;
      const to = whole ? row : bytes(GROUP);
      let pg = at(g, i * C + j);
      let px = at(x, i * C + j);
      let py = whole ? place : edge;
      for (let r = 0; r < rows; r++) {
        const d0 = madd(f32x4.sub(v128.load(px), m0), s0, o0);
        v128.store(py, madd(v128.load(pg), k0, d0));
        const d1 = madd(f32x4.sub(v128.load(px, VECTOR), m1), s1, o1);
        v128.store(py, madd(v128.load(pg, VECTOR), k1, d1), VECTOR);
        pg += row;
        px += row;
        py += to;
      }
      if (!whole) copyEdge(place, row, rows, columns - j);
    }
  }
}

// ── tools ──────────────────────────────────────────────────────────────────────────────────────────────

/** The mean in float64 throughout: for columns whose squares are too large for float32, or not finite. */
function wideMean(x: usize, m: i32, C: i32): f64 {
  const first = <f64>load<f32>(x);
  let sum: f64 = 0;
  for (let i = 0; i < m; i++) sum += <f64>load<f32>(at(x, i * C)) - first;
  return first + sum / m;
}

/** The variance in float64 throughout. */
function wideVariance(x: usize, mean: f64, m: i32, C: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < m; i++) {
    const d = <f64>load<f32>(at(x, i * C)) - mean;
    sum += d * d;
  }
  return sum / m;
}

function clear(doubles: usize, columns: i32): void {
  memory.fill(doubles, 0, (<usize>columns + GROUP) << 3);
}

/** Copies rows of less than `GROUP` columns from `edge`. */
function copyEdge(y: usize, row: usize, rows: i32, columns: i32): void {
  for (let x = edge; rows > 0; rows--) {
    storePair(y, v128.load(x), v128.load(x, VECTOR), columns);
    if (columns > 8) {
      storePair(y + 2 * VECTOR, v128.load(x, 2 * VECTOR), v128.load(x, 3 * VECTOR), columns - 8);
    }
    x += bytes(GROUP);
    y += row;
  }
}

/** Two floats, in float64. */
function pair(x: usize): v128 {
  return low(v128.load64_zero(x));
}

/** Stores two doubles as floats. */
function storeFloats(y: usize, v: v128): void {
  v128.store64_lane(y, f32x4.demote_f64x2_zero(v), 0);
}

/** The address of the double that is `index` doubles after `base`. */
function at64(base: usize, index: i32): usize {
  return base + ((<usize>index) << 3);
}
