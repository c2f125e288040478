/** The SIMD forms of `../dense.ts`, `../fused/dense.ts` and `../fused/dense-dz.ts`: a dense layer. */
import { scratch } from './instance';
import { matmul, productPart } from './matmul';
import { addDoubles, at, FLOAT, storePair, storePart, VECTOR, zero } from './vector';

/** Rows that are summed in float32 before the sum is added to a double. */
const RUN = 16;

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

/** dz = g for y > 0, else slope·g; db = Σ dz over the rows. For the first `width` of the n columns. */
export function denseDz(
  dz: usize,
  db: usize,
  g: usize,
  y: usize,
  m: i32,
  n: i32,
  width: i32,
  slope: f64,
): void {
  const row = <usize>n * FLOAT;
  const below = f32x4.splat(<f32>slope);
  const negated = slope == 0; // ReLU tests y ≤ 0, so that the gradient passes where y is NaN
  for (let j = 0; j < width; j += 8) {
    memory.fill(sums, 0, 64);
    const rest = width - j;
    let at0 = <usize>j * FLOAT;
    for (let i = 0; i < m; i += RUN) {
      let sum0 = zero();
      let sum1 = zero();
      for (let r = min(RUN, m - i); r > 0; r--) {
        const d0 = through(v128.load(g + at0), v128.load(y + at0), below, negated);
        const d1 = through(v128.load(g + at0, VECTOR), v128.load(y + at0, VECTOR), below, negated);
        sum0 = f32x4.add(sum0, d0);
        sum1 = f32x4.add(sum1, d1);
        storePair(dz + at0, d0, d1, rest);
        at0 += row;
      }
      addDoubles(sums, sum0, sum1);
    }
    for (let k = 0; k < min(8, rest); k++)
      store<f32>(at(db, j + k), <f32>load<f64>(sums + ((<usize>k) << 3)));
  }
}

/** Eight sums in float64. */
const sums: usize = scratch + memory.data(64, 64);

/** The gradient of the activation. */
function through(g: v128, y: v128, below: v128, negated: bool): v128 {
  if (negated) return v128.andnot(g, f32x4.le(y, zero()));
  return v128.bitselect(g, f32x4.mul(below, g), f32x4.gt(y, zero()));
}
