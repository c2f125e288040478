/**
 * The SIMD forms of `../fused/batchnorm.ts`: batch normalization in as few passes over memory as its equations allow. x
 * is [m, C]; mean, variance and rstd are float64, all other arrays float32.
 *
 * Each element costs one multiply-add of x − s. The shift s is the mean, or 0 for a column whose mean is near 0; if all
 * shifts are 0, nothing is subtracted: see `batchnorm-moments.ts`. A second pass runs over the rows in reverse order,
 * because the last rows of the first pass are still in the cache.
 */
import { scratch } from './instance';
import {
  addPairs,
  AT_ONCE,
  coefficients,
  COLUMNS,
  endMoments,
  GROUP,
  grouped,
  isFar,
  minus,
  moments,
  NEAR,
  RUN,
  shift,
  shiftAt,
  squares,
  sums,
  takeCoefficients,
  WIDTH,
} from './batchnorm-moments';
import { runs } from './run-sums';
import { at, at64, bytes, FLOAT, floats, high, low, madd, narrow, put, VECTOR, zero } from './vector';

/** Rows that are written at a time: few, because rows of 2 kB in three arrays compete for a few L1 cache sets. */
const WRITTEN = 4;
/** Columns in registers at a time, where a whole group would need too many registers. */
const HALF = 8;

/** Per-column coefficients of the columns of a pass, after their shifts. */
const scale: usize = at(coefficients, WIDTH);
const offset: usize = at(coefficients, 2 * WIDTH);
const factor: usize = at(coefficients, 3 * WIDTH);
const rest: usize = scratch + memory.data(WIDTH * 4, 64);

/** Variances of those columns, for `batchnormTraining`, which does not return them. */
const batchVariance: usize = scratch + memory.data(WIDTH * 8, 64);

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
 * Like `batchnormForward`, with y split into u[i,j] + constant[j]. In a column whose shift s is 0, u = (x − s)·γ·rstd
 * is 0 wherever x is 0. If `constant` is 0 (a null pointer), u is y itself.
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
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    const xc = at(x, c);
    const mc = at64(mean, c);
    const vc = at64(variance, c);
    moments(mc, vc, xc, m, C, columns);
    const kc = constant == 0 ? <usize>0 : at(constant, c);
    const shifted = foldInParts(kc, mc, vc, at64(rstd, c), at(gamma, c), at(beta, c), columns, eps);
    if (shifted) scaleAndShift<v128>(at(u, c), xc, m, C, columns);
    else scaleAndShift<void>(at(u, c), xc, m, C, columns);
  }
}

/** `fold`, and moves the offsets to `constant` if that is not 0. */
function foldInParts(
  constant: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  gamma: usize,
  beta: usize,
  columns: i32,
  eps: f64,
): bool {
  if (constant == 0) return fold(mean, variance, rstd, gamma, beta, columns, eps, NEAR);
  const shifted = fold(mean, variance, rstd, gamma, beta, columns, eps, NEAR_FOR_ZEROS);
  memory.copy(constant, offset, bytes(columns));
  memory.fill(offset, 0, bytes(columns + GROUP));
  return shifted;
}

/** `NEAR` where zeros are to be kept: the skipped products save more than the two bits of accuracy cost. */
export const NEAR_FOR_ZEROS: f64 = 4;

/** Like `batchnormForward`, and updates E ← (1−α)·E + α·mean and Var ← (1−α)·Var + α·correction·variance. */
export function batchnormTraining(
  y: usize,
  mean: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  runningMean: usize,
  runningVar: usize,
  m: i32,
  C: i32,
  eps: f64,
  alpha: f64,
  correction: f64,
): void {
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    const xc = at(x, c);
    const mc = at64(mean, c);
    moments(mc, batchVariance, xc, m, C, columns);
    const shifted = fold(mc, batchVariance, at64(rstd, c), at(gamma, c), at(beta, c), columns, eps, NEAR);
    runningStatistics(at(runningMean, c), at(runningVar, c), mc, batchVariance, columns, alpha, correction);
    if (shifted) scaleAndShift<v128>(at(y, c), xc, m, C, columns);
    else scaleAndShift<void>(at(y, c), xc, m, C, columns);
  }
}

/**
 * Computes rstd = 1/√(variance + ε), and the coefficients of γ·(x − mean)·rstd + β = (x − shift)·scale + offset. The
 * shift is the mean rounded to float32, or 0 if the mean is near 0; the offset contains (shift − mean)·scale. Returns
 * false if all shifts are 0.
 */
function fold(
  mean: usize,
  variance: usize,
  rstd: usize,
  gamma: usize,
  beta: usize,
  columns: i32,
  eps: f64,
  near: f64,
): bool {
  const one = f64x2.splat(1);
  const epsilon = f64x2.splat(eps);
  let shifts = zero();
  for (let j = 0; j < columns; j += 4) {
    const mu0 = v128.load(at64(mean, j));
    const mu1 = v128.load(at64(mean, j), VECTOR);
    const variance0 = v128.load(at64(variance, j));
    const variance1 = v128.load(at64(variance, j), VECTOR);
    const r0 = f64x2.div(one, f64x2.sqrt(f64x2.add(variance0, epsilon)));
    const r1 = f64x2.div(one, f64x2.sqrt(f64x2.add(variance1, epsilon)));
    const far0 = isFar(f64x2.mul(mu0, mu0), variance0, near);
    const far1 = isFar(f64x2.mul(mu1, mu1), variance1, near);
    const s = narrow(v128.and(mu0, far0), v128.and(mu1, far1));
    const k = f32x4.mul(v128.load(at(gamma, j)), narrow(r0, r1));
    const rest = narrow(f64x2.sub(mu0, low(s)), f64x2.sub(mu1, high(s)));
    v128.store(at64(rstd, j), r0);
    v128.store(at64(rstd, j), r1, VECTOR);
    v128.store(at(shift, j), s);
    v128.store(at(scale, j), k);
    v128.store(at(offset, j), madd(f32x4.neg(k), rest, v128.load(at(beta, j))));
    shifts = v128.or(shifts, s);
  }
  return v128.any_true(shifts);
}

/** Inference: y = (x − mean)·scale + β with scale = γ·rstd; mean and variance are the running ones, in float32. */
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
    foldRunning(
      at64(folded, c),
      at64(rstd, c),
      at(gamma, c),
      at(beta, c),
      at(mean, c),
      at(variance, c),
      columns,
      eps,
    );
    scaleAndShift<v128>(at(y, c), at(x, c), m, C, columns);
  }
}

/** rstd, `folded` = γ·rstd, and the coefficients of (x − mean)·folded + β. */
export function foldRunning(
  folded: usize,
  rstd: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  variance: usize,
  columns: i32,
  eps: f64,
): void {
  for (let j = 0; j < columns; j++) {
    const r = 1 / sqrt(<f64>load<f32>(at(variance, j)) + eps);
    const k = <f64>load<f32>(at(gamma, j)) * r;
    store<f64>(at64(rstd, j), r);
    store<f64>(at64(folded, j), k);
    store<f32>(at(scale, j), <f32>k);
  }
  memory.copy(shift, mean, bytes(columns));
  memory.copy(offset, beta, bytes(columns));
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
  const kept = f32x4.splat(<f32>(1 - alpha));
  const ofMean = f32x4.splat(<f32>alpha);
  const ofVariance = f32x4.splat(<f32>(alpha * correction));
  for (let j = 0; j < C; j += 4) {
    const mu = f32x4.mul(ofMean, floats(at64(mean, j)));
    v128.store(at(runningMean, j), madd(kept, v128.load(at(runningMean, j)), mu));
    const sigma2 = f32x4.mul(ofVariance, floats(at64(variance, j)));
    v128.store(at(runningVar, j), madd(kept, v128.load(at(runningVar, j)), sigma2));
  }
}

/** y[i,j] = (x[i,j] − shift[j])·scale[j] + offset[j], from the last rows to the first. */
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
      const j = min(c, end - 4 * VECTOR); // the last group may overlap the one before
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

/** `scaleAndShift` for fewer columns than a group. */
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
    const shifted = splitMean(at64(mean, c), at64(rstd, c), columns);
    sumGradients(at(dgamma, c), at(dbeta, c), at(g, c), at(x, c), at64(rstd, c), m, C, columns, shifted);
  }
}

/**
 * dgamma, dbeta and dx = γ·rstd·(g − dbeta/m − xhat·dgamma/m), as k·g + s·(x − mean) − o with k = γ·rstd,
 * s = −k·rstd·dgamma/m and o = k·dbeta/m.
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
    const shifted = splitMean(at64(mean, c), at64(rstd, c), columns);
    sumGradients(at(dgamma, c), at(dbeta, c), at(g, c), at(x, c), at64(rstd, c), m, C, columns, shifted);
    foldGradients(at(dgamma, c), at(dbeta, c), at64(rstd, c), at(gamma, c), m, columns);
    if (shifted) combine<v128>(at(dx, c), at(g, c), at(x, c), m, C, columns);
    else combine<void>(at(dx, c), at(g, c), at(x, c), m, C, columns);
  }
}

/** Computes the coefficients of dx, which depend on dgamma and dbeta. */
function foldGradients(dgamma: usize, dbeta: usize, rstd: usize, gamma: usize, m: i32, columns: i32): void {
  const part = f32x4.splat(<f32>(1 / <f64>m));
  for (let j = 0; j < columns; j += 4) {
    const r = floats(at64(rstd, j));
    const k = f32x4.mul(v128.load(at(gamma, j)), r);
    const kPart = f32x4.mul(k, part);
    const s = f32x4.neg(f32x4.mul(f32x4.mul(kPart, r), v128.load(at(dgamma, j))));
    const o = madd(s, v128.load(at(rest, j)), f32x4.mul(kPart, v128.load(at(dbeta, j))));
    v128.store(at(factor, j), k);
    v128.store(at(scale, j), s);
    v128.store(at(offset, j), f32x4.neg(o));
  }
}

/** Splits mean = shift + rest, where the shift is 0 if the mean is near 0. Returns false if all shifts are 0. */
export function splitMean(mean: usize, rstd: usize, columns: i32): bool {
  const one = f64x2.splat(1);
  let shifts = zero();
  for (let j = 0; j < columns; j += 4) {
    const mu0 = v128.load(at64(mean, j));
    const mu1 = v128.load(at64(mean, j), VECTOR);
    const t0 = f64x2.mul(mu0, v128.load(at64(rstd, j)));
    const t1 = f64x2.mul(mu1, v128.load(at64(rstd, j), VECTOR));
    const far0 = isFar(f64x2.mul(t0, t0), one, NEAR);
    const far1 = isFar(f64x2.mul(t1, t1), one, NEAR);
    const s = narrow(v128.and(mu0, far0), v128.and(mu1, far1));
    v128.store(at(shift, j), s);
    v128.store(at(rest, j), narrow(f64x2.sub(mu0, low(s)), f64x2.sub(mu1, high(s))));
    shifts = v128.or(shifts, s);
  }
  return v128.any_true(shifts);
}

/** dbeta = Σ g and dgamma = rstd·(Σ g·(x − shift) − rest·Σ g), after `splitMean`. */
function sumGradients(
  dgamma: usize,
  dbeta: usize,
  g: usize,
  x: usize,
  rstd: usize,
  m: i32,
  C: i32,
  columns: i32,
  shifted: bool,
): void {
  if (m == 0) {
    memory.fill(sums, 0, (<usize>columns) << 3);
    memory.fill(squares, 0, (<usize>columns) << 3);
  } else if (shifted) sumProducts<v128>(g, x, m, C, columns);
  else sumProducts<void>(g, x, m, C, columns);
  gradientsOf(dgamma, dbeta, rstd, columns);
}

/** dgamma and dbeta from the sums. */
function gradientsOf(dgamma: usize, dbeta: usize, rstd: usize, columns: i32): void {
  for (let j = 0; j < columns; j += 4) {
    const sum = floats(at64(sums, j));
    const dot = floats(at64(squares, j));
    v128.store(at(dbeta, j), sum);
    v128.store(
      at(dgamma, j),
      f32x4.mul(floats(at64(rstd, j)), madd(f32x4.neg(v128.load(at(rest, j))), sum, dot)),
    );
  }
}

/** sums[j] = Σᵢ g[i,j] and squares[j] = Σᵢ g[i,j]·(x[i,j] − shift[j]). */
function sumProducts<S>(g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  for (let i = 0; i < m; i += AT_ONCE) {
    const rows = min(AT_ONCE, m - i);
    productRuns<S>(runs, at(g, i * C), at(x, i * C), rows, C, columns);
    addPairs(runs, rows, 0, columns, i == 0);
  }
}

/** The sums of each run of m rows: those of g, then those of g·(x − shift). */
function productRuns<S>(to: usize, g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  const width = grouped(columns);
  let run = to;
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
      let pg = at(g, i * C + j);
      let px = at(x, i * C + j);
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
      v128.store(run, sum0);
      v128.store(run, sum1, VECTOR);
      v128.store(run, sum2, 2 * VECTOR);
      v128.store(run, sum3, 3 * VECTOR);
      v128.store(run + bytes(width), dot0);
      v128.store(run + bytes(width), dot1, VECTOR);
      v128.store(run + bytes(width), dot2, 2 * VECTOR);
      v128.store(run + bytes(width), dot3, 3 * VECTOR);
      run += 4 * VECTOR;
    }
    run += bytes(width);
  }
}

/** dx[i,j] = g[i,j]·factor[j] + (x[i,j] − shift[j])·scale[j] + offset[j], from the last rows to the first. */
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

/** `combine` for fewer columns than half a group. */
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

// ── divided by rows ────────────────────────────────────────────────────────────────────────────────────

// The steps of these kernels for threads that divide the rows, on `columns` ≤ COLUMNS of the C columns. One thread chooses
// the shifts (`beginMoments`, `splitMean`). All threads sum the runs of their rows. One thread adds the sums and computes
// the coefficients. All threads copy these from its `coefficients`, at `source`, and apply them to their rows.

/** The address of the variances of `batchnormTraining`. */
export function varianceOfBatch(): usize {
  return batchVariance;
}

/** Computes mean, variance, rstd and the coefficients; `constant` is that of `batchnormInParts`. */
export function endForward(
  shifted: bool,
  constant: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  m: i32,
  C: i32,
  columns: i32,
  eps: f64,
): void {
  endMoments(shifted, mean, variance, x, m, C, columns);
  foldInParts(constant, mean, variance, rstd, gamma, beta, columns, eps);
}

/** m rows of y = (x − shift)·scale + offset. */
export function scaleRows(source: usize, y: usize, x: usize, m: i32, C: i32, columns: i32): void {
  takeCoefficients(source, 3, columns);
  scaleAndShift<v128>(y, x, m, C, columns);
}

/** The sums of each run of m rows, for `endBackward`. */
export function gradientRuns(
  runs: usize,
  source: usize,
  g: usize,
  x: usize,
  m: i32,
  C: i32,
  columns: i32,
): void {
  takeCoefficients(source, 1, columns);
  productRuns<v128>(runs, g, x, m, C, columns);
}

/** Computes dgamma, dbeta and, if gamma is not 0, the coefficients of dx. */
export function endBackward(
  dgamma: usize,
  dbeta: usize,
  rstd: usize,
  gamma: usize,
  m: i32,
  columns: i32,
): void {
  gradientsOf(dgamma, dbeta, rstd, columns);
  if (gamma != 0) foldGradients(dgamma, dbeta, rstd, gamma, m, columns);
}

/** m rows of dx = g·factor + (x − shift)·scale + offset. */
export function combineRows(
  source: usize,
  dx: usize,
  g: usize,
  x: usize,
  m: i32,
  C: i32,
  columns: i32,
): void {
  takeCoefficients(source, 4, columns);
  combine<v128>(dx, g, x, m, C, columns);
}
