/**
 * Batch normalization in as few passes over memory as its equations allow: the SIMD form of
 * `batchnorm-fused.ts`. x is [m, C]; mean, variance and rstd are float64, all other arrays float32.
 *
 * Sums run in float32 over at most `RUN` rows, of differences from a value of the column's own, so that
 * nothing large is added up; the runs' sums are added in float64.
 */
import { addDoubles, at, bytes, madd, storePair, VECTOR, zero } from './vector.simd';

/** Rows that are done at a time, and that are summed in float32. */
const RUN = 16;
/** Columns that are done at a time. Fewer would keep them in L2 from pass to pass, but were measured slower. */
const COLUMNS = 1024;

/** Values of those columns, and room for the eight columns that are done at a time. */
const shift: usize = memory.data((COLUMNS + 8) * 4, 64);
const scale: usize = memory.data((COLUMNS + 8) * 4, 64);
const offset: usize = memory.data((COLUMNS + 8) * 4, 64);
const factor: usize = memory.data((COLUMNS + 8) * 4, 64);
const sums: usize = memory.data((COLUMNS + 8) * 8, 64);
const squares: usize = memory.data((COLUMNS + 8) * 8, 64);

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
  const part: f64 = 1 / <f64>m;
  for (let c = 0; c < C; c += COLUMNS) {
    const columns = min(COLUMNS, C - c);
    const xc = at(x, c);
    memory.copy(shift, xc, bytes(columns)); // the first row
    sumDifferences(xc, m, C, columns);
    for (let j = 0; j < columns; j++) {
      const near = <f64>load<f32>(at(shift, j)) + load<f64>(at64(sums, j)) * part;
      store<f32>(at(shift, j), <f32>near);
    }
    sumSquares(xc, m, C, columns);
    for (let j = 0; j < columns; j++) {
      // What rounding the mean to float32 has left out: rest = mean − shift, Σ (x − mean)² = Σ (x − shift)² − m·rest²
      const rest = load<f64>(at64(sums, j)) * part;
      let sigma2 = max<f64>(load<f64>(at64(squares, j)) * part - rest * rest, 0);
      let mu = <f64>load<f32>(at(shift, j)) + rest;
      if (!(sigma2 < Infinity)) {
        mu = wideMean(at(xc, j), m, C);
        sigma2 = wideVariance(at(xc, j), mu, m, C);
        store<f32>(at(shift, j), <f32>mu);
      }
      const r = 1 / sqrt(sigma2 + eps);
      const k = <f64>load<f32>(at(gamma, c + j)) * r;
      const o = <f64>load<f32>(at(beta, c + j)) - k * (mu - <f64>load<f32>(at(shift, j)));
      store<f64>(at64(mean, c + j), mu);
      store<f64>(at64(variance, c + j), sigma2);
      store<f64>(at64(rstd, c + j), r);
      store<f32>(at(scale, j), <f32>k);
      store<f32>(at(offset, j), <f32>o);
    }
    scaleAndShift(at(y, c), xc, m, C, columns);
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
    scaleAndShift(at(y, c), at(x, c), m, C, columns);
  }
}

/** sums[j] = Σᵢ (x[i,j] − shift[j]). */
function sumDifferences(x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  clear(sums, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += 8) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      let sum0 = zero();
      let sum1 = zero();
      let p = at(x, i * C + j);
      for (let r = 0; r < rows; r++) {
        sum0 = f32x4.add(sum0, f32x4.sub(v128.load(p), s0));
        sum1 = f32x4.add(sum1, f32x4.sub(v128.load(p, VECTOR), s1));
        p += row;
      }
      addDoubles(at64(sums, j), sum0, sum1);
    }
  }
}

/** sums[j] = Σᵢ (x[i,j] − shift[j]) and squares[j] = Σᵢ (x[i,j] − shift[j])². */
function sumSquares(x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  clear(sums, columns);
  clear(squares, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += 8) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      let sum0 = zero();
      let sum1 = zero();
      let square0 = zero();
      let square1 = zero();
      let p = at(x, i * C + j);
      for (let r = 0; r < rows; r++) {
        const d0 = f32x4.sub(v128.load(p), s0);
        const d1 = f32x4.sub(v128.load(p, VECTOR), s1);
        sum0 = f32x4.add(sum0, d0);
        sum1 = f32x4.add(sum1, d1);
        square0 = madd(d0, d0, square0);
        square1 = madd(d1, d1, square1);
        p += row;
      }
      addDoubles(at64(sums, j), sum0, sum1);
      addDoubles(at64(squares, j), square0, square1);
    }
  }
}

/** y[i,j] = (x[i,j] − shift[j])·scale[j] + offset[j]. */
function scaleAndShift(y: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += 8) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      const k0 = v128.load(at(scale, j));
      const k1 = v128.load(at(scale, j), VECTOR);
      const b0 = v128.load(at(offset, j));
      const b1 = v128.load(at(offset, j), VECTOR);
      let px = at(x, i * C + j);
      let py = at(y, i * C + j);
      for (let r = 0; r < rows; r++) {
        const y0 = madd(f32x4.sub(v128.load(px), s0), k0, b0);
        const y1 = madd(f32x4.sub(v128.load(px, VECTOR), s1), k1, b1);
        storePair(py, y0, y1, columns - j);
        px += row;
        py += row;
      }
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
    for (let j = 0; j < columns; j++) {
      const mu = load<f64>(at64(mean, c + j));
      const near = load<f32>(at(shift, j));
      const r = load<f64>(at64(rstd, c + j));
      const k = <f64>load<f32>(at(gamma, c + j)) * r;
      const s = (-k * r * <f64>load<f32>(at(dgamma, c + j))) / m;
      const o = (-k * <f64>load<f32>(at(dbeta, c + j))) / m;
      store<f32>(at(factor, j), <f32>k);
      store<f32>(at(scale, j), <f32>s);
      store<f32>(at(offset, j), <f32>(o - s * (mu - <f64>near)));
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
  for (let j = 0; j < columns; j++) store<f32>(at(shift, j), <f32>load<f64>(at64(mean, c + j)));
  clear(sums, columns);
  clear(squares, columns);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += 8) {
      const s0 = v128.load(at(shift, j));
      const s1 = v128.load(at(shift, j), VECTOR);
      let sum0 = zero();
      let sum1 = zero();
      let dot0 = zero();
      let dot1 = zero();
      let pg = at(g, i * C + c + j);
      let px = at(x, i * C + c + j);
      for (let r = 0; r < rows; r++) {
        const g0 = v128.load(pg);
        const g1 = v128.load(pg, VECTOR);
        sum0 = f32x4.add(sum0, g0);
        sum1 = f32x4.add(sum1, g1);
        dot0 = madd(g0, f32x4.sub(v128.load(px), s0), dot0);
        dot1 = madd(g1, f32x4.sub(v128.load(px, VECTOR), s1), dot1);
        pg += row;
        px += row;
      }
      addDoubles(at64(sums, j), sum0, sum1);
      addDoubles(at64(squares, j), dot0, dot1);
    }
  }
  for (let j = 0; j < columns; j++) {
    const sum = load<f64>(at64(sums, j));
    const rest = load<f64>(at64(mean, c + j)) - <f64>load<f32>(at(shift, j));
    const dot = load<f64>(at64(squares, j)) - rest * sum;
    store<f32>(at(dbeta, c + j), <f32>sum);
    store<f32>(at(dgamma, c + j), <f32>(dot * load<f64>(at64(rstd, c + j))));
  }
}

/** dx[i,j] = g[i,j]·factor[j] + (x[i,j] − shift[j])·scale[j] + offset[j]. */
function combine(dx: usize, g: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const row = bytes(C);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = 0; j < columns; j += 8) {
      const m0 = v128.load(at(shift, j));
      const m1 = v128.load(at(shift, j), VECTOR);
      const k0 = v128.load(at(factor, j));
      const k1 = v128.load(at(factor, j), VECTOR);
      const s0 = v128.load(at(scale, j));
      const s1 = v128.load(at(scale, j), VECTOR);
      const o0 = v128.load(at(offset, j));
      const o1 = v128.load(at(offset, j), VECTOR);
      let pg = at(g, i * C + j);
      let px = at(x, i * C + j);
      let py = at(dx, i * C + j);
      for (let r = 0; r < rows; r++) {
        const a0 = madd(f32x4.sub(v128.load(px), m0), s0, o0);
        const a1 = madd(f32x4.sub(v128.load(px, VECTOR), m1), s1, o1);
        storePair(py, madd(v128.load(pg), k0, a0), madd(v128.load(pg, VECTOR), k1, a1), columns - j);
        pg += row;
        px += row;
        py += row;
      }
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
  memory.fill(doubles, 0, (<usize>columns + 8) << 3);
}

/** The address of the double that is `index` doubles after `base`. */
function at64(base: usize, index: i32): usize {
  return base + ((<usize>index) << 3);
}
