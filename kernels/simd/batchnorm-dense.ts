/**
 * The SIMD forms of `../fused/batchnorm-dense.ts`: batch normalization followed by a dense layer. x is [m, k], W [k,
 * n].
 *
 * Images are mostly zeros, and normalizing would turn these into other numbers. So n = γ·x̂ + β is split into u + c,
 * where u is 0 wherever x is 0 and c is the same in every row. In n·W = u·W + c·W, `sparse.ts` then skips the zeros of
 * u.
 */
import { batchnormForward, batchnormInParts, NEAR_FOR_ZEROS } from './batchnorm';
import { isFar } from './batchnorm-moments';
import { activate, addBias, dense } from './dense';
import { FEW, matmul, product, productPart, SPARSE } from './matmul';
import { colSum } from './reduce';
import { areFinite, isSparse, sparseProduct } from './sparse';
import {
  at,
  at64,
  bytes,
  FLOAT,
  halves,
  low,
  madd,
  put,
  storePart,
  take,
  total,
  VECTOR,
  zero,
} from './vector';

/** y = activation(n·W + b) with n = γ·x̂ + β, and the statistics of x. `scratch` has m·k + k + n floats. */
export function batchnormDense(
  y: usize,
  mean: usize,
  variance: usize,
  rstd: usize,
  x: usize,
  gamma: usize,
  beta: usize,
  W: usize,
  b: usize,
  scratch: usize,
  m: i32,
  k: i32,
  n: i32,
  eps: f64,
  slope: f64,
): void {
  if (isSparse(x, k, 1, m, k, n)) {
    const constant = at(scratch, m * k);
    const bias = at(constant, k);
    batchnormInParts(scratch, constant, mean, variance, rstd, x, gamma, beta, m, k, eps);
    matmul(bias, constant, W, 1, k, n);
    // These sums contain all of W. If they are finite, so is W, and skipping 0·W changes nothing.
    if (areFinite(bias, n)) {
      addBias(bias, bias, b, 1, n);
      sparseProduct(y, scratch, k, 1, W, n, m, k, n, n);
      activate(y, y, bias, m, n, n, slope);
      return;
    }
  }
  batchnormForward(scratch, mean, variance, rstd, x, gamma, beta, m, k, eps);
  dense(y, scratch, W, b, m, k, n, slope);
}

/** Rows of dW that are computed and finished together, while they are in the cache: a multiple of a tile's 6. */
const BLOCK = 60;
/** The form of a product whose blocks of rows have forms of their own, those that `productForm` gives. */
const IN_BLOCKS = -1;

/**
 * dgamma, dbeta and dW. With p = (x − s)ᵀ·dz, d = mean − s and S = Σᵢ dz[i,:], for one row of W at a time:
 *
 *     xhatᵀ·dz = rstd·(p − d·S)
 *     dW       = γ·xhatᵀ·dz + β·S  = γ·rstd·p + (β − γ·rstd·d)·S
 *     dgamma   = W·(xhatᵀ·dz)      = rstd·(W·p − d·dbeta)
 *     dbeta    = W·S
 *
 * `scratch` has m·k + 2·k + n floats.
 */
export function batchnormDenseSums(
  dgamma: usize,
  dbeta: usize,
  dW: usize,
  dz: usize,
  x: usize,
  mean: usize,
  rstd: usize,
  gamma: usize,
  beta: usize,
  W: usize,
  scratch: usize,
  m: i32,
  k: i32,
  n: i32,
): void {
  const shift = at(scratch, m * k);
  const rest = at(shift, k);
  const sums = at(rest, k);
  const sparse = isSparse(x, 1, k, k, m, n) && areFinite(dz, m * n);
  const form = sparse ? SPARSE : IN_BLOCKS;
  splitMeans(shift, rest, mean, rstd, k, sparse);
  subtractRows(scratch, x, shift, m, k);
  colSum(sums, dz, m, n);
  batchnormDenseRows(form, dgamma, dbeta, dW, dz, scratch, rest, sums, rstd, gamma, beta, W, m, k, n, k);
}

/** The first `height` of the k rows of dW, dgamma and dbeta, from u = x − s, the rest mean − s, and the sums S of dz. */
export function batchnormDenseRows(
  form: i32,
  dgamma: usize,
  dbeta: usize,
  dW: usize,
  dz: usize,
  u: usize,
  rest: usize,
  sums: usize,
  rstd: usize,
  gamma: usize,
  beta: usize,
  W: usize,
  m: i32,
  k: i32,
  n: i32,
  height: i32,
): void {
  const block = m <= FEW ? BLOCK : k;
  for (let j = 0; j < height; j += block) {
    const rows = min(block, height - j);
    if (form == IN_BLOCKS) product(at(dW, j * n), at(u, j), 1, k, dz, n, 1, rows, m, n);
    else productPart(form, at(dW, j * n), at(u, j), 1, k, dz, n, 1, rows, m, n, n);
    for (let r = j; r < j + rows; r++) {
      const row = r * n;
      const scale = load<f64>(at64(rstd, r));
      const d = load<f32>(at(rest, r));
      const g = load<f32>(at(gamma, r));
      const b = load<f32>(at(beta, r));
      finishRow(at(dgamma, r), at(dbeta, r), at(dW, row), at(W, row), sums, n, scale, d, g, b);
    }
  }
}

/** Splits the mean of each column into shift + rest, where the shift is 0 if zeros are kept and the mean is near 0. */
export function splitMeans(
  shift: usize,
  rest: usize,
  mean: usize,
  rstd: usize,
  k: i32,
  zerosStay: bool,
): void {
  for (let j = 0; j < k; j += 2) {
    const mu = v128.load(at64(mean, j));
    const t = f64x2.mul(mu, v128.load(at64(rstd, j)));
    const far = isFar(f64x2.mul(t, t), f64x2.splat(1), NEAR_FOR_ZEROS);
    const s = low(f32x4.demote_f64x2_zero(zerosStay ? v128.and(mu, far) : mu));
    storePart(at(shift, j), f32x4.demote_f64x2_zero(s), min(2, k - j));
    storePart(at(rest, j), f32x4.demote_f64x2_zero(f64x2.sub(mu, s)), min(2, k - j));
  }
}

/** y[i,j] = x[i,j] − shift[j]. */
export function subtractRows(y: usize, x: usize, shift: usize, m: i32, k: i32): void {
  for (let i = 0; i < m; i++) {
    const row = bytes(i * k);
    let j = 0;
    for (; j + 4 <= k; j += 4) {
      v128.store(at(y, j) + row, f32x4.sub(v128.load(at(x, j) + row), v128.load(at(shift, j))));
    }
    storePart(at(y, j) + row, f32x4.sub(v128.load(at(x, j) + row), v128.load(at(shift, j))), k - j);
  }
}

/** Floats of a row that are summed in float32 before the sum is added to a double: a multiple of the loop's 8. */
const RUN = 64;

/** Computes a row of dW in place, from p, and its dγ and dβ. */
function finishRow(
  dgamma: usize,
  dbeta: usize,
  dW: usize,
  W: usize,
  sums: usize,
  n: i32,
  rstd: f64,
  d: f64,
  gamma: f64,
  beta: f64,
): void {
  const ofP = f32x4.splat(<f32>(gamma * rstd));
  const ofS = f32x4.splat(<f32>(beta - gamma * rstd * d));
  let withP = f64x2.splat(0);
  let withS = f64x2.splat(0);
  while (n >= 8) {
    let p0 = zero(), p1 = zero(), s0 = zero(), s1 = zero(); // prettier-ignore
    const run = min(RUN, n & -8);
    for (let j = 0; j < run; j += 8) {
      const p = v128.load(dW);
      const w = v128.load(W);
      const s = v128.load(sums);
      p0 = madd(w, p, p0);
      s0 = madd(w, s, s0);
      v128.store(dW, madd(s, ofS, f32x4.mul(p, ofP)));
      const pNext = v128.load(dW, VECTOR);
      const wNext = v128.load(W, VECTOR);
      const sNext = v128.load(sums, VECTOR);
      p1 = madd(wNext, pNext, p1);
      s1 = madd(wNext, sNext, s1);
      v128.store(dW, madd(sNext, ofS, f32x4.mul(pNext, ofP)), VECTOR);
      dW += 2 * VECTOR;
      W += 2 * VECTOR;
      sums += 2 * VECTOR;
    }
    withP = f64x2.add(withP, halves(f32x4.add(p0, p1)));
    withS = f64x2.add(withS, halves(f32x4.add(s0, s1)));
    n -= run;
  }
  for (; n > 0; n -= 4) {
    const p = take(dW, FLOAT, n, 0);
    const w = take(W, FLOAT, n, 0);
    const s = take(sums, FLOAT, n, 0);
    withP = f64x2.add(withP, halves(f32x4.mul(w, p)));
    withS = f64x2.add(withS, halves(f32x4.mul(w, s)));
    put(dW, FLOAT, n, madd(s, ofS, f32x4.mul(p, ofP)));
    dW += VECTOR;
    W += VECTOR;
    sums += VECTOR;
  }
  store<f32>(dgamma, <f32>(rstd * (total(withP) - d * total(withS))));
  store<f32>(dbeta, <f32>total(withS));
}
