/**
 * Mean and variance of the columns of x [m, C], as good as in float64 throughout, though nearly all of the work is in
 * float32: sums run over at most `RUN` rows there, of differences from a shift that is near the mean, so that nothing
 * large is added up; the runs' sums are added in float64.
 */
import { at, at64, bytes, keepDoubles, madd, pair, storeFloats, VECTOR, zero } from './vector';

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

/** So many deviations from the mean, a shift costs no more than one bit. */
export const NEAR: f64 = 1;

/** Whether a mean is more than `times` the deviation from the shift: rest² = (mean − shift)², in the unit of the variance. */
export function isFar(rest2: v128, variance: v128, times: f64): v128 {
  return f64x2.gt(rest2, f64x2.mul(variance, f64x2.splat(times * times)));
}

/** With more rows than these, it is worth while to look at the first ones before. */
const MANY = 8 * RUN;
/** How often a shift is moved: once is enough but for columns of one value, which then are exact. */
const MOVES = 3;

/** mean = (1/m) Σ x; variance = (1/m) Σ (x − mean)², of at most `COLUMNS` columns. */
export function moments(mean: usize, variance: usize, x: usize, m: i32, C: i32, columns: i32): void {
  if (m > MANY && areFirstFar(mean, variance, x, C, columns)) {
    sumSquares<v128>(x, m, C, 0, columns);
    if (momentsOf<v128>(mean, variance, x, m, C, 0, columns)) return;
  } else {
    sumSquares<void>(x, m, C, 0, columns);
    if (momentsOf<void>(mean, variance, x, m, C, 0, columns)) return;
    memory.fill(shift, 0, bytes(columns));
  }
  for (let j = 0; j < columns; j += GROUP) {
    const end = min(j + GROUP, columns);
    for (let moves = 0; !momentsOf<v128>(mean, variance, x, m, C, j, end) && moves < MOVES; moves++) {
      moveShift(mean, m, j, end);
      sumSquares<v128>(x, m, C, j, end);
    }
  }
}

/** Whether some mean of the first rows is far from 0; the shift is moved there. */
function areFirstFar(mean: usize, variance: usize, x: usize, C: i32, columns: i32): bool {
  sumSquares<void>(x, RUN, C, 0, columns);
  if (momentsOf<void>(mean, variance, x, RUN, C, 0, columns)) return false;
  memory.fill(shift, 0, bytes(columns));
  moveShift(mean, RUN, 0, columns);
  return true;
}

/**
 * sums[j] = Σᵢ (x[i,j] − shift[j]) and squares[j] = Σᵢ (x[i,j] − shift[j])². Compiled twice: S is the type of the
 * shift, or void where it is 0.
 */
function sumSquares<S>(x: usize, m: i32, C: i32, from: i32, end: i32): void {
  const row = bytes(C);
  for (let i = 0; i < m; i += RUN) {
    const rows = min(RUN, m - i);
    const first = i == 0;
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
      keepDoubles(at64(sums, j), sum0, sum1, first);
      keepDoubles(at64(sums, j + 8), sum2, sum3, first);
      keepDoubles(at64(squares, j), square0, square1, first);
      keepDoubles(at64(squares, j + 8), square2, square3, first);
    }
  }
}

/** x − shift, or x where there is no shift. */
export function minus<S>(x: v128, s: v128): v128 {
  return isVector<S>() ? f32x4.sub(x, s) : x;
}

/** Means and variances from the sums; false if a mean is far from its shift. */
function momentsOf<S>(mean: usize, variance: usize, x: usize, m: i32, C: i32, from: i32, end: i32): bool {
  const part = f64x2.splat(1 / <f64>m);
  const infinity = f64x2.splat(Infinity);
  let far = zero();
  let finite = f64x2.eq(part, part);
  if (end & 1) clearOne(end); // what lies beside the last column is none
  for (let j = from; j < end; j += 2) {
    const sigma2 = varianceOf(j, part);
    const rest = f64x2.mul(v128.load(at64(sums, j)), part);
    v128.store(at64(mean, j), isVector<S>() ? f64x2.add(pair(at(shift, j)), rest) : rest);
    v128.store(at64(variance, j), sigma2);
    far = v128.or(far, isFar(rest2Of(j, part), sigma2, NEAR));
    finite = v128.and(finite, f64x2.lt(sigma2, infinity));
  }
  if (!i64x2.all_true(finite)) {
    for (let j = from; j < end; j++) widen(at64(mean, j), at64(variance, j), at(x, j), m, C);
  }
  return !v128.any_true(far);
}

/** Moves the shift to the means that are far from it. */
function moveShift(mean: usize, m: i32, from: i32, end: i32): void {
  const part = f64x2.splat(1 / <f64>m);
  for (let j = from; j < end; j += 2) {
    const far = isFar(rest2Of(j, part), varianceOf(j, part), NEAR);
    storeFloats(at(shift, j), v128.bitselect(v128.load(at64(mean, j)), pair(at(shift, j)), far));
  }
}

/** (mean − shift)² of two columns, from their sums. */
function rest2Of(j: i32, part: v128): v128 {
  const rest = f64x2.mul(v128.load(at64(sums, j)), part);
  return f64x2.mul(rest, rest);
}

/** variance = (1/m) Σ (x − shift)² − (mean − shift)², of two columns. */
function varianceOf(j: i32, part: v128): v128 {
  const square = f64x2.mul(v128.load(at64(squares, j)), part);
  return f64x2.pmax(f64x2.sub(square, rest2Of(j, part)), zero());
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

function clearOne(j: i32): void {
  store<f64>(at64(sums, j), 0);
  store<f64>(at64(squares, j), 0);
}

/** Four values of the shift, or nothing. */
export function shiftAt<S>(j: usize, k: usize): v128 {
  return isVector<S>() ? v128.load(shift + j + k) : zero();
}
