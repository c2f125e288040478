/** The SIMD forms of `../dense.ts`, `../fused/dense.ts` and `../fused/dense-dz.ts`: a dense layer. */
import { scratch } from './instance';
import { matmul, productPart } from './matmul';
import { addRuns, ROOM, runs } from './run-sums';
import { at, at64, bytes, FLOAT, storePair, storePart, VECTOR, zero } from './vector';

/** Rows that are summed in float32 before the sum is added to a double. */
const RUN = 16;

/** Columns that are summed together. */
const EIGHT = 8;
/** Their sums, in float64. */
const sums: usize = scratch + memory.data(64, 64);

/** Rows whose runs are summed before their sums are added. */
const AT_ONCE: i32 = (ROOM / EIGHT) * RUN;

/** y[i,j] = x[i,j] + b[j]. */
export function addBias(y: usize, x: usize, b: usize, m: i32, n: i32): void {
  activate(y, x, b, m, n, n, 1);
}

/** y = activation(x·W + b); the activation is z for z > 0, else slope·z. */
export function dense(y: usize, x: usize, W: usize, b: usize, m: i32, k: i32, n: i32, slope: f64): void {
  matmul(y, x, W, m, k, n);
  activate(y, y, b, m, n, n, slope);
}

/**
 * `dense` for some of the rows or columns of y, with the form that `productForm` gives for all of it. The rows of W and y
 * are `row` numbers apart.
 */
export function densePart(
  form: i32,
  y: usize,
  x: usize,
  W: usize,
  b: usize,
  m: i32,
  k: i32,
  n: i32,
  row: i32,
  slope: f64,
): void {
  productPart(form, y, x, k, 1, W, row, 1, m, k, n, row);
  activate(y, y, b, m, n, row, slope);
}

/**
 * y = z for z > 0, else slope·z, with z = x + b, for n columns of rows that are `row` numbers apart. Slope 1 is no
 * activation, slope 0 is ReLU.
 */
export function activate(y: usize, x: usize, b: usize, m: i32, n: i32, row: i32, slope: f64): void {
  const below = f32x4.splat(<f32>slope);
  for (let i = 0; i < m; i++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const place = <usize>(i * row + j) * FLOAT;
      v128.store(y + place, branch(sumAt(x + place, at(b, j)), below, slope));
    }
    const place = <usize>(i * row + j) * FLOAT;
    storePart(y + place, branch(sumAt(x + place, at(b, j)), below, slope), n - j);
  }
}

/** Four elements of x + b. */
function sumAt(x: usize, b: usize): v128 {
  return f32x4.add(v128.load(x), v128.load(b));
}

/** The activation. For slope 0 it is a maximum, because 0·(−∞) would be NaN. */
function branch(z: v128, below: v128, slope: f64): v128 {
  if (slope == 1) return z;
  if (slope == 0) return f32x4.max(z, zero());
  return v128.bitselect(z, f32x4.mul(below, z), f32x4.gt(z, zero()));
}

/** dz = g for y > 0, else slope·g; db = Σ dz over the rows. */
export function denseDz(dz: usize, db: usize, g: usize, y: usize, m: i32, n: i32, slope: f64): void {
  for (let j = 0; j < n; j += EIGHT) {
    memory.fill(sums, 0, 64);
    for (let i = 0; i < m; i += AT_ONCE) {
      const rows = min(AT_ONCE, m - i);
      const start = i * n + j;
      passBack(runs, EIGHT, at(dz, start), at(g, start), at(y, start), rows, n, n - j, slope);
      addRuns(sums, runs, EIGHT, countOf(rows), EIGHT, false);
    }
    storeSums(at(db, j), min(EIGHT, n - j));
  }
}

/** The number of runs of m rows. */
function countOf(m: i32): i32 {
  return (m + RUN - 1) / RUN;
}

/**
 * `denseDz` for threads that divide the rows, on `width` of the n columns. Instead of db, it writes the sums of each run of
 * rows: `width` numbers, rounded up to whole eights.
 */
export function denseDzRows(
  runs: usize,
  dz: usize,
  g: usize,
  y: usize,
  m: i32,
  n: i32,
  width: i32,
  slope: f64,
): void {
  const step = inEights(width);
  for (let j = 0; j < width; j += EIGHT) {
    passBack(at(runs, j), step, at(dz, j), at(g, j), at(y, j), m, n, width - j, slope);
  }
}

/** db from the sums of all runs of m rows. */
export function sumDenseRuns(db: usize, runs: usize, m: i32, width: i32): void {
  for (let j = 0; j < width; j += EIGHT) {
    memory.fill(sums, 0, 64);
    addRuns(sums, at(runs, j), inEights(width), countOf(m), EIGHT, false);
    storeSums(at(db, j), min(EIGHT, width - j));
  }
}

/** n, rounded up to whole eights. */
function inEights(n: i32): i32 {
  return (n + EIGHT - 1) & -EIGHT;
}

/**
 * dz for eight columns, or `rest` if there are fewer, of m rows of n numbers. The sums of each run go to `to`, `step` floats
 * apart.
 */
function passBack(
  to: usize,
  step: i32,
  dz: usize,
  g: usize,
  y: usize,
  m: i32,
  n: i32,
  rest: i32,
  slope: f64,
): void {
  const row = bytes(n);
  const below = f32x4.splat(<f32>slope);
  const negated = slope == 0; // ReLU tests y ≤ 0, so that the gradient passes where y is NaN
  for (let i = 0; i < m; i += RUN) {
    let sum0 = zero();
    let sum1 = zero();
    for (let r = min(RUN, m - i); r > 0; r--) {
      const d0 = through(v128.load(g), v128.load(y), below, negated);
      const d1 = through(v128.load(g, VECTOR), v128.load(y, VECTOR), below, negated);
      sum0 = f32x4.add(sum0, d0);
      sum1 = f32x4.add(sum1, d1);
      storePair(dz, d0, d1, rest);
      dz += row;
      g += row;
      y += row;
    }
    v128.store(to, sum0);
    v128.store(to, sum1, VECTOR);
    to += bytes(step);
  }
}

function storeSums(db: usize, count: i32): void {
  for (let k = 0; k < count; k++) store<f32>(at(db, k), <f32>load<f64>(at64(sums, k)));
}

/** The gradient of the activation. */
function through(g: v128, y: v128, below: v128, negated: bool): v128 {
  if (negated) return v128.andnot(g, f32x4.le(y, zero()));
  return v128.bitselect(g, f32x4.mul(below, g), f32x4.gt(y, zero()));
}
