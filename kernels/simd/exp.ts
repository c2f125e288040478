/**
 * eˣ, tanh x and ln x of four floats: the argument is reduced to a short interval around 0, where a polynomial
 * approximates the function (Cephes, Moshier 1992). The error is at most 1.4 units in the last place, also for
 * denormal results.
 */
import { madd, zero } from './vector';

/**
 * Loads a constant from memory into all four lanes. This was measured twice as fast as `f32x4.splat`, for which
 * the compiler emits code that builds the vector each time, and it makes the module smaller.
 */
function constant(table: usize, index: usize): v128 {
  return v128.load32_splat(table + (index << 2));
}

/**
 * The range of x; 1/ln 2; 1.5·2²³ (adding a number to it rounds the number and leaves it in the lowest bits);
 * −ln 2 in two parts; the coefficients.
 */
const EXP: usize = memory.data<f32>([
  -176, 89, 1.44269504, 12582912, -0.693359375, 2.1219444e-4, 1.98756915e-4, 1.39819995e-3, 8.33345191e-3,
  4.16657959e-2, 0.166666655, 0.5, 1,
]);

/**
 * eˣ = 2ⁿ·eʳ with n = round(x / ln 2) and r = x − n·ln 2. The factor 2ⁿ is applied in two steps, because 2¹²⁸
 * exceeds float32, and because a denormal result must be rounded only once. At and beyond the ends of the range
 * the result is 0 or ∞. At the lower end one of the factors is 0: a product that rounds to 0 takes a hundred cycles.
 */
export function expVector(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, constant(EXP, 0)), constant(EXP, 1)); // keeps NaN
  const shifted = madd(x, constant(EXP, 2), constant(EXP, 3));
  const n = f32x4.sub(shifted, constant(EXP, 3));
  const r = madd(n, constant(EXP, 5), madd(n, constant(EXP, 4), x));
  let y = madd(constant(EXP, 6), r, constant(EXP, 7));
  y = madd(y, r, constant(EXP, 8));
  y = madd(y, r, constant(EXP, 9));
  y = madd(y, r, constant(EXP, 10));
  y = madd(y, r, constant(EXP, 11));
  y = f32x4.add(madd(y, f32x4.mul(r, r), r), constant(EXP, 12));
  const exponent = i32x4.sub(shifted, constant(EXP, 3));
  const half = i32x4.shr_s(exponent, 1);
  return f32x4.mul(f32x4.mul(y, power(half)), power(i32x4.sub(exponent, half)));
}

/** 2ⁿ for integers −126 ≤ n ≤ 127; 0 for n = −127. */
function power(n: v128): v128 {
  return i32x4.add(i32x4.shl(n, 23), constant(EXP, 12)); // adds n to the exponent of 1
}

/** The limit up to which the polynomial is used; its coefficients; 1; 2. */
const TANH: usize = memory.data<f32>([
  0.625, -5.70498873e-3, 2.06390888e-2, -5.37397156e-2, 0.133314422, -0.333332819, 1, 2,
]);

/** tanh x = ±(1 − 2/(e²ᵃ + 1)) with a = |x|; for small a, where this loses digits, a polynomial. */
export function tanhVector(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let near = madd(constant(TANH, 1), z, constant(TANH, 2));
  near = madd(near, z, constant(TANH, 3));
  near = madd(near, z, constant(TANH, 4));
  near = madd(near, z, constant(TANH, 5));
  near = madd(f32x4.mul(near, z), a, a);
  const one = constant(TANH, 6);
  const far = f32x4.sub(one, f32x4.div(constant(TANH, 7), f32x4.add(expVector(f32x4.add(a, a)), one)));
  const y = v128.bitselect(near, far, f32x4.lt(a, constant(TANH, 0)));
  return v128.bitselect(x, y, f32x4.neg(zero())); // the sign of x
}

/** The smallest normal number; 2²³; √½; the coefficients; ln 2 in two parts. */
const LOG: usize = memory.data<f32>([
  1.17549435e-38, 8388608, 0.707106769, 7.03768363e-2, -0.115146103, 0.116769987, -0.124201408, 0.142493228,
  -0.166680577, 0.200007148, -0.24999994, 0.333333313, -2.1219444e-4, 0.693359375,
]);

/** ln x = n·ln 2 + ln(1+f) with x = 2ⁿ·(1+f), √½ ≤ 1+f < √2. NaN below 0, −∞ at 0. */
export function logVector(x: v128): v128 {
  const denormal = f32x4.lt(x, constant(LOG, 0));
  const normal = v128.bitselect(f32x4.mul(x, constant(LOG, 1)), x, denormal);
  const root = constant(LOG, 2);
  const steps = i32x4.shr_s(i32x4.sub(normal, root), 23);
  const f = f32x4.sub(i32x4.sub(normal, i32x4.shl(steps, 23)), constant(EXP, 12));
  const n = f32x4.convert_i32x4_s(i32x4.add(steps, v128.and(denormal, i32x4.splat(-23))));
  const z = f32x4.mul(f, f);
  let y = madd(constant(LOG, 3), f, constant(LOG, 4));
  y = madd(y, f, constant(LOG, 5));
  y = madd(y, f, constant(LOG, 6));
  y = madd(y, f, constant(LOG, 7));
  y = madd(y, f, constant(LOG, 8));
  y = madd(y, f, constant(LOG, 9));
  y = madd(y, f, constant(LOG, 10));
  y = madd(y, f, constant(LOG, 11));
  y = madd(f32x4.mul(y, z), f, f32x4.mul(n, constant(LOG, 12)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  y = madd(n, constant(LOG, 13), f32x4.add(f, y));
  const infinity = f32x4.splat(Infinity);
  const ordinary = v128.and(f32x4.gt(x, zero()), f32x4.lt(x, infinity));
  y = v128.bitselect(y, f32x4.sqrt(x), ordinary); // NaN below 0, ∞ at ∞
  return v128.bitselect(f32x4.neg(infinity), y, f32x4.eq(x, zero()));
}
