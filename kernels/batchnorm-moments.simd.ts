/**
 * Mean and variance of the columns of x [m, C], as good as in float64 throughout, though nearly all of the work is in
 * float32: sums run over at most `RUN` rows there, of differences from a shift that is near the mean, so that nothing
 * large is added up; the runs' sums are added in float64.
 */
import { addDoubles, at, at64, bytes, low, madd, pair, storeFloats, VECTOR, zero } from './vector.simd';

/** Rows that are summed in float32, column by column. */
export const RUN = 32;
/** Columns that are in registers at a time: a whole cache line. */
export const GROUP = 16;
/** Columns of a pass. Fewer would keep them in L2 from pass to pass, but were measured slower. */
export const COLUMNS = 1024;

/** What is subtracted from those columns, and room for the last group. */
export const shift: usize = memory.data((COLUMNS + GROUP) * 4, 64);
export const sums: usize = memory.data((COLUMNS + GROUP) * 8, 64);
export const squares: usize = memory.data((COLUMNS + GROUP) * 8, 64);

/** Where the mean is so near to 0, in deviations, that a shift of 0 costs little more than two bits. */
const NEAR: f64 = 2;

/** Of two columns, given their mean² in units of which their variance has so many: where a shift of 0 would not do. */
export function isFar(mean2: v128, variance: v128): v128 {
  return f64x2.gt(mean2, f64x2.mul(variance, f64x2.splat(NEAR * NEAR)));
}

/** With so many rows, it is worth while to look at the first ones before. */
const MANY = 8 * RUN;
/** How often a shift is moved: once is enough but for columns of one value, which then are exact. */
const MOVES = 3;

/** mean = (1/m) Σ x; variance = (1/m) Σ (x − mean)², of at most `COLUMNS` columns. */
export function moments(mean: usize, variance: usize, x: usize, m: i32, C: i32, columns: i32): void {
  memory.fill(shift, 0, bytes(columns));
  if (m > MANY && areFirstFar(mean, variance, x, C, columns)) sumSquares<v128>(x, m, C, 0, columns);
  else sumSquares<void>(x, m, C, 0, columns);
  for (let j = 0; j < columns; j += GROUP) {
    const end = min(j + GROUP, columns);
    let near = momentsOf(mean, variance, x, m, C, j, end);
    for (let moves = 0; !near && moves < MOVES; moves++) {
      sumSquares<v128>(x, m, C, j, end);
      near = momentsOf(mean, variance, x, m, C, j, end);
    }
  }
}

/** Whether some mean of the first rows is far from 0; the shift is moved there. */
function areFirstFar(mean: usize, variance: usize, x: usize, C: i32, columns: i32): bool {
  sumSquares<void>(x, RUN, C, 0, columns);
  return !momentsOf(mean, variance, x, RUN, C, 0, columns);
}

/**
 * sums[j] = Σᵢ (x[i,j] − shift[j]) and squares[j] = Σᵢ (x[i,j] − shift[j])². Compiled twice: S is the type of the
 * shift, or void where it is 0.
 */
function sumSquares<S>(x: usize, m: i32, C: i32, from: i32, end: i32): void {
  const row = bytes(C);
  clear(sums, from, end);
  clear(squares, from, end);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    for (let j = from; j < end; j += GROUP) {
      const s0 = shiftAt<S>(bytes(j), 0);
      const s1 = shiftAt<S>(bytes(j), VECTOR);
      const s2 = shiftAt<S>(bytes(j), 2 * VECTOR);
      const s3 = shiftAt<S>(bytes(j), 3 * VECTOR);
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
        let d = minus<S>(v128.load(p), s0);
        sum0 = f32x4.add(sum0, d);
        square0 = madd(d, d, square0);
        d = minus<S>(v128.load(p, VECTOR), s1);
        sum1 = f32x4.add(sum1, d);
        square1 = madd(d, d, square1);
        d = minus<S>(v128.load(p, 2 * VECTOR), s2);
        sum2 = f32x4.add(sum2, d);
        square2 = madd(d, d, square2);
        d = minus<S>(v128.load(p, 3 * VECTOR), s3);
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

/** x − shift, or x where there is no shift. */
export function minus<S>(x: v128, s: v128): v128 {
  return isVector<S>() ? f32x4.sub(x, s) : x;
}

/** Means and variances from the sums. Where the mean is far from the shift, that is moved there, and false returned. */
function momentsOf(mean: usize, variance: usize, x: usize, m: i32, C: i32, from: i32, end: i32): bool {
  const part = f64x2.splat(1 / <f64>m);
  const infinity = f64x2.splat(Infinity);
  let far = zero();
  let finite = f64x2.eq(part, part);
  if (end & 1) clearOne(end); // what lies beside the last column is none
  for (let j = from; j < end; j += 2) {
    const s = pair(at(shift, j));
    const rest = f64x2.mul(v128.load(at64(sums, j)), part);
    const rest2 = f64x2.mul(rest, rest);
    const mu = f64x2.add(s, rest);
    const sigma2 = f64x2.pmax(f64x2.sub(f64x2.mul(v128.load(at64(squares, j)), part), rest2), zero());
    const moves = isFar(rest2, sigma2);
    v128.store(at64(mean, j), mu);
    v128.store(at64(variance, j), sigma2);
    storeFloats(at(shift, j), v128.bitselect(mu, s, moves));
    far = v128.or(far, moves);
    finite = v128.and(finite, f64x2.lt(sigma2, infinity));
  }
  if (!i64x2.all_true(finite)) {
    for (let j = from; j < end; j++) widen(at64(mean, j), at64(variance, j), at(x, j), m, C);
  }
  return !v128.any_true(far);
}

/** Mean and variance of a column in float64 throughout, if its squares are too large for float32, or not finite. */
function widen(mean: usize, variance: usize, x: usize, m: i32, C: i32): void {
  if (load<f64>(variance) < Infinity) return;
  const first = <f64>load<f32>(x);
  let sum: f64 = 0;
  for (let i = 0; i < m; i++) sum += <f64>load<f32>(at(x, i * C)) - first;
  const mu = first + sum / m;
  let square: f64 = 0;
  for (let i = 0; i < m; i++) {
    const d = <f64>load<f32>(at(x, i * C)) - mu;
    square += d * d;
  }
  store<f64>(mean, mu);
  store<f64>(variance, square / m);
}

/** Clears the sums of whole groups. */
export function clear(doubles: usize, from: i32, end: i32): void {
  memory.fill(at64(doubles, from), 0, (<usize>((end - from + GROUP - 1) & -GROUP)) << 3);
}
function clearOne(j: i32): void {
  store<f64>(at64(sums, j), 0);
  store<f64>(at64(squares, j), 0);
}

/** Four values of the shift, or nothing. */
export function shiftAt<S>(j: usize, k: usize): v128 {
  return isVector<S>() ? v128.load(shift + j + k) : zero();
}
