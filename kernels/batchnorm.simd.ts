/**
 * Batch normalization in as few passes over memory as its equations allow: the SIMD form of
 * `batchnorm-fused.ts`. x is [m, C]; mean, variance and rstd are float64, all other arrays float32.
 *
 * What is done to an element is a product and a sum, of x − s. s is the mean, or, where all means are near 0, nothing: see
 * `batchnorm-moments.simd.ts`. A pass that follows another one begins at the rows with which that one ended, which
 * are still in the cache.
 */
import {
  clear,
  COLUMNS,
  GROUP,
  isFar,
  minus,
  moments,
  RUN,
  shift,
  shiftAt,
  squares,
  sums,
} from './batchnorm-moments.simd';
import {
  addDoubles,
  at,
  at64,
  bytes,
  FLOAT,
  low,
  madd,
  pair,
  put,
  storeFloats,
  VECTOR,
  zero,
} from './vector.simd';

/** Rows that are written at a time: few, as three arrays with rows of 2 kB share a few places in L1. */
const WRITTEN = 4;
/** Columns that are in registers at a time where a whole group takes too many. */
const HALF = 8;

/** Values of the columns of a pass, and room for the last group. */
const scale: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const offset: usize = memory.data((COLUMNS + GROUP) * 4, 64);
const factor: usize = memory.data((COLUMNS + GROUP) * 4, 64);

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
  const one = f64x2.splat(1);
  const epsilon = f64x2.splat(eps);
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    const xc = at(x, c);
    moments(at64(mean, c), at64(variance, c), xc, m, C, columns);
    let shifts = zero();
    for (let j = 0; j < columns; j += 2) {
      const mu = v128.load(at64(mean, c + j));
      const sigma2 = v128.load(at64(variance, c + j));
      const r = f64x2.div(one, f64x2.sqrt(f64x2.add(sigma2, epsilon)));
      const k = f32x4.demote_f64x2_zero(f64x2.mul(pair(at(gamma, c + j)), r));
      const far = isFar(f64x2.mul(mu, mu), sigma2);
      const s = f32x4.demote_f64x2_zero(v128.and(mu, far));
      const rest = f64x2.sub(mu, low(s));
      shifts = v128.or(shifts, s);
      v128.store(at64(rstd, c + j), r);
      v128.store64_lane(at(scale, j), k, 0);
      v128.store64_lane(at(shift, j), s, 0);
      storeFloats(at(offset, j), f64x2.sub(pair(at(beta, c + j)), f64x2.mul(low(k), rest)));
    }
    if (constant != 0) {
      memory.copy(at(constant, c), offset, bytes(columns));
      memory.fill(offset, 0, bytes(columns + GROUP));
    }
    if (v128.any_true(shifts)) scaleAndShift<v128>(at(u, c), xc, m, C, columns);
    else scaleAndShift<void>(at(u, c), xc, m, C, columns);
  }
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
    scaleAndShift<v128>(at(y, c), at(x, c), m, C, columns);
  }
}

/** E ← (1−α)·E + α·mean and Var ← (1−α)·Var + α·correction·variance. */
export function runningStatistics(
  runningMean: usize,
  runningVar: usize,
  mean: usize,
  variance: usize,
  C: i32,
  alpha: f64,
  correction: f64,
): void {
  runningAverage(runningMean, mean, C, alpha, 1);
  runningAverage(runningVar, variance, C, alpha, correction);
}

function runningAverage(running: usize, batch: usize, C: i32, alpha: f64, correction: f64): void {
  const kept = f64x2.splat(1 - alpha);
  const fresh = f64x2.splat(alpha);
  const corrected = f64x2.splat(correction);
  for (let j = 0; j < C; j += 2) {
    const term = f64x2.mul(fresh, f64x2.mul(corrected, v128.load(at64(batch, j))));
    storeFloats(at(running, j), f64x2.add(f64x2.mul(kept, pair(at(running, j))), term));
  }
}

/** y[i,j] = (x[i,j] − shift[j])·scale[j] + offset[j], the last rows first. */
function scaleAndShift<S>(y: usize, x: usize, m: i32, C: i32, columns: i32): void {
  if (columns < GROUP) {
    scaleFew(y, x, m, C, columns);
    return;
  }
  const row = bytes(C);
  const end = bytes(columns);
  for (let i = (m - 1) & -WRITTEN; i >= 0; i -= WRITTEN) {
    const rows = min(WRITTEN, m - i);
    const xi = at(x, i * C);
    const yi = at(y, i * C);
    for (let c: usize = 0; c < end; c += 4 * VECTOR) {
      const j = min(c, end - 4 * VECTOR); // the last group may begin in the one before
      const s0 = shiftAt<S>(j, 0);
      const s1 = shiftAt<S>(j, VECTOR);
      const s2 = shiftAt<S>(j, 2 * VECTOR);
      const s3 = shiftAt<S>(j, 3 * VECTOR);
      const k0 = v128.load(scale + j);
      const k1 = v128.load(scale + j, VECTOR);
      const k2 = v128.load(scale + j, 2 * VECTOR);
      const k3 = v128.load(scale + j, 3 * VECTOR);
      const b0 = v128.load(offset + j);
      const b1 = v128.load(offset + j, VECTOR);
      const b2 = v128.load(offset + j, 2 * VECTOR);
      const b3 = v128.load(offset + j, 3 * VECTOR);
      let px = xi + j;
      let py = yi + j;
      for (let r = 0; r < rows; r++) {
        v128.store(py, madd(minus<S>(v128.load(px), s0), k0, b0));
        v128.store(py, madd(minus<S>(v128.load(px, VECTOR), s1), k1, b1), VECTOR);
        v128.store(py, madd(minus<S>(v128.load(px, 2 * VECTOR), s2), k2, b2), 2 * VECTOR);
        v128.store(py, madd(minus<S>(v128.load(px, 3 * VECTOR), s3), k3, b3), 3 * VECTOR);
        px += row;
        py += row;
      }
    }
  }
}

/** The same where the columns are less than a group. */
function scaleFew(y: usize, x: usize, m: i32, C: i32, columns: i32): void {
  for (let j = 0; j < columns; j += 4) {
    const s = v128.load(at(shift, j));
    const k = v128.load(at(scale, j));
    const b = v128.load(at(offset, j));
    for (let i = 0; i < m; i++) {
      const d = f32x4.sub(v128.load(at(x, i * C + j)), s);
      put(at(y, i * C + j), FLOAT, columns - j, madd(d, k, b));
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
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    if (chooseShift(mean, rstd, c, columns))
      sumGradients<v128>(dgamma, dbeta, g, x, mean, rstd, m, C, c, columns);
    else sumGradients<void>(dgamma, dbeta, g, x, mean, rstd, m, C, c, columns);
  }
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
    const shifted = chooseShift(mean, rstd, c, columns);
    if (shifted) sumGradients<v128>(dgamma, dbeta, g, x, mean, rstd, m, C, c, columns);
    else sumGradients<void>(dgamma, dbeta, g, x, mean, rstd, m, C, c, columns);
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
    if (shifted) combine<v128>(at(dx, c), at(g, c), at(x, c), m, C, columns);
    else combine<void>(at(dx, c), at(g, c), at(x, c), m, C, columns);
  }
}

/** shift[j] = mean[c + j], or 0 where that will do; false if it is 0 throughout. */
function chooseShift(mean: usize, rstd: usize, c: i32, columns: i32): bool {
  const one = f64x2.splat(1);
  let shifts = zero();
  for (let j = 0; j < columns; j += 2) {
    const mu = v128.load(at64(mean, c + j));
    const t = f64x2.mul(mu, v128.load(at64(rstd, c + j)));
    const s = f32x4.demote_f64x2_zero(v128.and(mu, isFar(f64x2.mul(t, t), one)));
    v128.store64_lane(at(shift, j), s, 0);
    shifts = v128.or(shifts, s);
  }
  return v128.any_true(shifts);
}

/** dgamma and dbeta of the columns from c on; the mean of each is left in `shift`. */
function sumGradients<S>(
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
  clear(sums, 0, columns);
  clear(squares, 0, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += GROUP) {
      const s0 = shiftAt<S>(bytes(j), 0);
      const s1 = shiftAt<S>(bytes(j), VECTOR);
      const s2 = shiftAt<S>(bytes(j), 2 * VECTOR);
      const s3 = shiftAt<S>(bytes(j), 3 * VECTOR);
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
        dot0 = madd(gi, minus<S>(v128.load(px), s0), dot0);
        gi = v128.load(pg, VECTOR);
        sum1 = f32x4.add(sum1, gi);
        dot1 = madd(gi, minus<S>(v128.load(px, VECTOR), s1), dot1);
        gi = v128.load(pg, 2 * VECTOR);
        sum2 = f32x4.add(sum2, gi);
        dot2 = madd(gi, minus<S>(v128.load(px, 2 * VECTOR), s2), dot2);
        gi = v128.load(pg, 3 * VECTOR);
        sum3 = f32x4.add(sum3, gi);
        dot3 = madd(gi, minus<S>(v128.load(px, 3 * VECTOR), s3), dot3);
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
function combine<S>(dx: usize, g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  if (columns < HALF) {
    combineFew(dx, g, x, m, C, columns);
    return;
  }
  const row = bytes(C);
  const end = bytes(columns);
  for (let i = (m - 1) & -WRITTEN; i >= 0; i -= WRITTEN) {
    const rows = min(WRITTEN, m - i);
    const gi = at(g, i * C);
    const xi = at(x, i * C);
    const yi = at(dx, i * C);
    for (let c: usize = 0; c < end; c += 2 * VECTOR) {
      const j = min(c, end - 2 * VECTOR);
      const m0 = shiftAt<S>(j, 0);
      const m1 = shiftAt<S>(j, VECTOR);
      const k0 = v128.load(factor + j);
      const k1 = v128.load(factor + j, VECTOR);
      const s0 = v128.load(scale + j);
      const s1 = v128.load(scale + j, VECTOR);
      const o0 = v128.load(offset + j);
      const o1 = v128.load(offset + j, VECTOR);
      let pg = gi + j;
      let px = xi + j;
      let py = yi + j;
      for (let r = 0; r < rows; r++) {
        const d0 = madd(minus<S>(v128.load(px), m0), s0, o0);
        v128.store(py, madd(v128.load(pg), k0, d0));
        const d1 = madd(minus<S>(v128.load(px, VECTOR), m1), s1, o1);
        v128.store(py, madd(v128.load(pg, VECTOR), k1, d1), VECTOR);
        pg += row;
        px += row;
        py += row;
      }
    }
  }
}

/** The same where the columns are less than half a group. */
function combineFew(dx: usize, g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  for (let j = 0; j < columns; j += 4) {
    const mu = v128.load(at(shift, j));
    const k = v128.load(at(factor, j));
    const s = v128.load(at(scale, j));
    const o = v128.load(at(offset, j));
    for (let i = 0; i < m; i++) {
      const d = madd(f32x4.sub(v128.load(at(x, i * C + j)), mu), s, o);
      put(at(dx, i * C + j), FLOAT, columns - j, madd(v128.load(at(g, i * C + j)), k, d));
    }
  }
}
