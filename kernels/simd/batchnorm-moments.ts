/**
 * Mean and variance of the columns of x [m, C], as accurate as in float64, although nearly all of the work is in
 * float32. Differences x − s from a shift s near the mean are small numbers, so float32 sums of up to `RUN` rows lose
 * little; the sums of the runs are added in float64. Then
 *
 *     mean     = s + (1/m) Σ (x − s)
 *     variance = (1/m) Σ (x − s)² − (mean − s)²
 *
 * If s is within one standard deviation σ of the mean, (1/m) Σ (x − s)² = σ² + (mean − s)² ≤ 2σ², so the subtraction at
 * most doubles the relative error: it costs one bit. s is 0 at first, or chosen from the first `RUN` rows if there are
 * many; a column whose mean is more than `NEAR` standard deviations from s is summed again, with its mean as s.
 */
import { scratch } from './instance';
import { addRuns, runs } from './run-sums';
import { at, at64, bytes, madd, pair, storeFloats, VECTOR, zero } from './vector';

/** Rows that are summed in float32 before the sum is added to a double. */
export const RUN = 32;
/** Rows whose runs are summed before their sums are added: few, so that these sums stay in the L1 cache. */
export const AT_ONCE = 8 * RUN;
/** Columns whose sums are in registers at a time: one cache line. */
export const GROUP = 16;
/** Columns that are processed together. Fewer would stay in L2 between passes, but were measured slower. */
export const COLUMNS = 1024;

/** Floats of an array for those columns, with room for the last group. */
export const WIDTH = COLUMNS + GROUP;
/** Coefficients of those columns: `shift`, and three more arrays for `batchnorm.ts`. */
export const coefficients: usize = scratch + memory.data(4 * WIDTH * 4, 64);
/** The shift and the sums of those columns. */
export const shift: usize = coefficients;
export const sums: usize = scratch + memory.data(WIDTH * 8, 64);
export const squares: usize = scratch + memory.data(WIDTH * 8, 64);

/** A shift within this many standard deviations of the mean costs at most one bit. */
export const NEAR: f64 = 1;

/** Whether the mean is more than `times` standard deviations from the shift, given rest² = (mean − shift)². */
export function isFar(rest2: v128, variance: v128, times: f64): v128 {
  return f64x2.gt(rest2, f64x2.mul(variance, f64x2.splat(times * times)));
}

/** With more rows than this, the first `RUN` rows are summed beforehand to choose the shift. */
const MANY = 8 * RUN;
/** How often a shift is moved at most. Once is enough, except for constant columns, which more moves make exact. */
const MOVES = 3;

/** mean = (1/m) Σ x and variance = (1/m) Σ (x − mean)², of at most `COLUMNS` columns. */
export function moments(mean: usize, variance: usize, x: usize, m: i32, C: i32, columns: i32): void {
  const shifted = beginMoments(mean, variance, x, m, C, columns);
  if (shifted) sumSquares<v128>(x, m, C, 0, columns);
  else sumSquares<void>(x, m, C, 0, columns);
  endMoments(shifted, mean, variance, x, m, C, columns);
}

/** Chooses the shift of each column. Returns false if all are 0. */
export function beginMoments(mean: usize, variance: usize, x: usize, m: i32, C: i32, columns: i32): bool {
  if (m > MANY && areFirstFar(mean, variance, x, C, columns)) return true;
  memory.fill(shift, 0, bytes(columns));
  return false;
}

/** Computes the moments from the sums. Columns whose mean is far from the shift are summed again. */
export function endMoments(
  shifted: bool,
  mean: usize,
  variance: usize,
  x: usize,
  m: i32,
  C: i32,
  columns: i32,
): void {
  if (shifted) {
    if (momentsOf<v128>(mean, variance, x, m, C, 0, columns)) return;
  } else if (momentsOf<void>(mean, variance, x, m, C, 0, columns)) return;
  for (let j = 0; j < columns; j += GROUP) {
    const end = min(j + GROUP, columns);
    for (let moves = 0; !momentsOf<v128>(mean, variance, x, m, C, j, end) && moves < MOVES; moves++) {
      moveShift(mean, m, j, end);
      sumSquares<v128>(x, m, C, j, end);
    }
  }
}

/** The sums of each run of m rows, with the shifts of the thread whose coefficients are at `source`. */
export function momentRuns(runs: usize, source: usize, x: usize, m: i32, C: i32, columns: i32): void {
  takeCoefficients(source, 1, columns);
  squareRuns<v128>(runs, x, m, C, 0, columns);
}

/** Adds the sums of the runs of m rows, of the columns from ≤ j < end; if `first`, as the first ones. */
export function addPairs(runs: usize, m: i32, from: i32, end: i32, first: bool): void {
  const count = (m + RUN - 1) / RUN;
  const width = grouped(end - from);
  addRuns(at64(sums, from), runs, 2 * width, count, end - from, first);
  addRuns(at64(squares, from), at(runs, width), 2 * width, count, end - from, first);
}

/** The number of columns, rounded up to whole groups. */
export function grouped(columns: i32): i32 {
  return (columns + GROUP - 1) & -GROUP;
}

/** The address of the coefficients of this thread. */
export function coefficientsOf(): usize {
  return coefficients;
}

/** Copies the first `count` arrays of coefficients from another thread, whose `coefficients` are at `source`. */
export function takeCoefficients(source: usize, count: i32, columns: i32): void {
  if (source == coefficients) return;
  for (let k = 0; k < count; k++)
    memory.copy(at(coefficients, k * WIDTH), at(source, k * WIDTH), bytes(columns));
}

/** Whether any mean of the first rows is far from 0. If so, the shift is moved to these means. */
function areFirstFar(mean: usize, variance: usize, x: usize, C: i32, columns: i32): bool {
  sumSquares<void>(x, RUN, C, 0, columns);
  if (momentsOf<void>(mean, variance, x, RUN, C, 0, columns)) return false;
  memory.fill(shift, 0, bytes(columns));
  moveShift(mean, RUN, 0, columns);
  return true;
}

/** sums[j] = Σᵢ (x[i,j] − shift[j]) and squares[j] = Σᵢ (x[i,j] − shift[j])². */
function sumSquares<S>(x: usize, m: i32, C: i32, from: i32, end: i32): void {
  for (let i = 0; i < m; i += AT_ONCE) {
    const rows = min(AT_ONCE, m - i);
    squareRuns<S>(runs, at(x, i * C), rows, C, from, end);
    addPairs(runs, rows, from, end, i == 0);
  }
}

/**
 * The sums of each run of m rows: those of x − shift, then those of the squares. Compiled twice: with S = v128 it subtracts
 * the shift, with S = void the shift is 0 and nothing is subtracted.
 */
function squareRuns<S>(to: usize, x: usize, m: i32, C: i32, from: i32, end: i32): void {
  const row = bytes(C);
  const width = grouped(end - from);
  let run = to;
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
      v128.store(run, sum0);
      v128.store(run, sum1, VECTOR);
      v128.store(run, sum2, 2 * VECTOR);
      v128.store(run, sum3, 3 * VECTOR);
      v128.store(run + bytes(width), square0);
      v128.store(run + bytes(width), square1, VECTOR);
      v128.store(run + bytes(width), square2, 2 * VECTOR);
      v128.store(run + bytes(width), square3, 3 * VECTOR);
      run += 4 * VECTOR;
    }
    run += bytes(width);
  }
}

/** x − shift with S = v128, x with S = void. */
export function minus<S>(x: v128, s: v128): v128 {
  return isVector<S>() ? f32x4.sub(x, s) : x;
}

/** Computes means and variances from the sums; false if any mean is far from its shift. */
function momentsOf<S>(mean: usize, variance: usize, x: usize, m: i32, C: i32, from: i32, end: i32): bool {
  const part = f64x2.splat(1 / <f64>m);
  const infinity = f64x2.splat(Infinity);
  let far = zero();
  let finite = f64x2.eq(part, part);
  if (end & 1) clearOne(end); // the loop reads pairs: clear the lane after the last column
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

/** Where a mean is far from its shift, moves the shift to the mean. */
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

/**
 * Mean and variance of a column, computed in float64 if its variance is not finite: float32 squares may have
 * overflowed.
 */
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

/** Clears the sums of column j. */
function clearOne(j: i32): void {
  store<f64>(at64(sums, j), 0);
  store<f64>(at64(squares, j), 0);
}

/** Four values of the shift with S = v128, zeros with S = void. */
export function shiftAt<S>(j: usize, k: usize): v128 {
  return isVector<S>() ? v128.load(shift + j + k) : zero();
}
