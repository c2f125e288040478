/**
 * Helpers for the WebAssembly kernels. In AssemblyScript a pointer is a `usize`, and `v128.load(p, 16)` reads the four
 * floats that begin 16 bytes after p.
 */

/** The size of a float and of a vector of four floats, in bytes. */
export const FLOAT: usize = 4;
export const VECTOR: usize = 16;

/**
 * c + a·b. In the build with relaxed SIMD it is one instruction with one rounding (a fused multiply-add, on every
 * current processor); in the other build it is two instructions with two roundings.
 */
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

export function zero(): v128 {
  return f32x4.splat(0);
}

/** The address of element `index` of an array of floats. */
export function at(base: usize, index: i32): usize {
  return base + ((<usize>index) << 2);
}

/** The address of element `index` of an array of doubles. */
export function at64(base: usize, index: i32): usize {
  return base + ((<usize>index) << 3);
}

/** Adds eight floats to eight doubles in memory. */
export function addDoubles(sums: usize, v0: v128, v1: v128): void {
  addFour(sums, v0);
  addFour(sums + 32, v1);
}

function addFour(sums: usize, v: v128): void {
  const high = v128.shuffle<f32>(v, v, 2, 3, 2, 3);
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(v)));
  v128.store(sums, f64x2.add(v128.load(sums, VECTOR), f64x2.promote_low_f32x4(high)), VECTOR);
}

/** Stores the first `count` (0 to 3) of four floats: the end of a row. */
export function storePart(y: usize, v: v128, count: i32): void {
  if (count > 0) v128.store_lane<f32>(y, v, 0);
  if (count > 1) v128.store_lane<f32>(y, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(y, v, 2, 8);
}

/** Stores eight floats, or the first `rest` of them if `rest` < 8. */
export function storePair(y: usize, v0: v128, v1: v128, rest: i32): void {
  if (rest >= 8) {
    v128.store(y, v0);
    v128.store(y, v1, VECTOR);
  } else if (rest >= 4) {
    v128.store(y, v0);
    storePart(y + VECTOR, v1, rest - 4);
  } else storePart(y, v0, rest);
}

/** The size of n floats, in bytes. */
export function bytes(n: i32): usize {
  return (<usize>n) << 2;
}

// ── rows of n floats, `step` bytes apart ─────────────────────────────────────────────────────────────────

/** Loads four floats, `step` bytes apart. If `rest` < 4, loads that many, and fills the other lanes with `fill`. */
export function take(x: usize, step: usize, rest: i32, fill: f32): v128 {
  return step == FLOAT && rest >= 4 ? v128.load(x) : gather(x, step, min(rest, 4), fill);
}

/** Loads the first float, then the others by recursion, which keeps the compiler from inlining it everywhere. */
function gather(x: usize, step: usize, rest: i32, fill: f32): v128 {
  if (rest == 0) return f32x4.splat(fill);
  const others = gather(x + step, step, rest - 1, fill);
  return v128.load_lane<f32>(x, v128.shuffle<f32>(others, others, 0, 0, 1, 2), 0);
}

/** Stores four floats, `step` bytes apart, or the first `rest` of them if `rest` < 4. */
export function put(y: usize, step: usize, rest: i32, v: v128): void {
  if (step == FLOAT && rest >= 4) v128.store(y, v);
  else scatter(y, step, min(rest, 4), v);
}

function scatter(y: usize, step: usize, rest: i32, v: v128): void {
  if (rest == 0) return;
  v128.store_lane<f32>(y, v, 0);
  scatter(y + step, step, rest - 1, v128.shuffle<f32>(v, v, 1, 2, 3, 3));
}

/** Σ xₖ, in float64. */
export function sumOf(x: usize, n: i32, step: usize): f64 {
  let sum = f64x2.splat(0);
  for (; step == FLOAT && n >= 8; n -= 8) {
    sum = f64x2.add(sum, f64x2.add(halves(v128.load(x)), halves(v128.load(x, VECTOR))));
    x += 2 * VECTOR;
  }
  for (; n > 0; n -= 4) {
    sum = f64x2.add(sum, halves(take(x, step, n, 0)));
    x += 4 * step;
  }
  return total(sum);
}

/** Σ aₖ·bₖ, in float64. */
export function dotOf(a: usize, b: usize, n: i32, step: usize): f64 {
  let sum = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    const va = take(a, step, n, 0);
    const vb = take(b, step, n, 0);
    sum = f64x2.add(sum, f64x2.add(f64x2.mul(low(va), low(vb)), f64x2.mul(high(va), high(vb))));
    a += 4 * step;
    b += 4 * step;
  }
  return total(sum);
}

// ── float64 ────────────────────────────────────────────────────────────────────────────────────────────

/** The first two of four floats, as doubles. */
export function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** The last two of four floats, as doubles. */
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3));
}

/** v₀ + v₂ and v₁ + v₃ of four floats, as doubles. */
export function halves(v: v128): v128 {
  return f64x2.add(low(v), high(v));
}

/** Two pairs of doubles, rounded to four floats. */
export function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** The sum of two doubles. */
export function total(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Loads two floats, as doubles. */
export function pair(x: usize): v128 {
  return low(v128.load64_zero(x));
}

/** Loads four doubles, rounded to floats. */
export function floats(x: usize): v128 {
  return narrow(v128.load(x), v128.load(x, VECTOR));
}

/** Stores two doubles, rounded to floats. */
export function storeFloats(y: usize, v: v128): void {
  v128.store64_lane(y, f32x4.demote_f64x2_zero(v), 0);
}
