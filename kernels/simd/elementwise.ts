/**
 * The SIMD forms of `../elementwise.ts`: four elements at a time. Memory is padded, so the last vector may extend
 * beyond the end of the array.
 */
import { expVector, logVector, tanhVector } from './exp';
import { bytes, VECTOR, zero } from './vector';

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** y = a + b. */
export function add(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = a − b. */
export function sub(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.sub(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = a·b. */
export function mul(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.mul(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = a / b. */
export function div(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.div(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = max(a, b); NaN if either is NaN. */
export function maximum(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.max(v128.load(a + i), v128.load(b + i)));
  }
}

/** da = g·[a > b] + g/2·[a = b]. */
export function maximumDx(da: usize, g: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const gi = v128.load(g + i);
    const ai = v128.load(a + i);
    const bi = v128.load(b + i);
    const half = v128.and(f32x4.mul(gi, f32x4.splat(0.5)), f32x4.eq(ai, bi));
    v128.store(da + i, v128.or(v128.and(gi, f32x4.gt(ai, bi)), half));
  }
}

/** y = factor·x. */
export function scale(y: usize, x: usize, n: i32, factor: f64): void {
  const k = f32x4.splat(<f32>factor);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, f32x4.mul(k, v128.load(x + i)));
}

/** y = s·x, with one factor s for all elements. */
export function scaleBy(y: usize, x: usize, s: usize, n: i32): void {
  const k = v128.load32_splat(s);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, f32x4.mul(k, v128.load(x + i)));
}

/** y = eˣ. */
export function exp(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, expVector(v128.load(x + i)));
}

/** y = ln x. */
export function log(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, logVector(v128.load(x + i)));
}

/** y = √x. */
export function sqrt(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, f32x4.sqrt(v128.load(x + i)));
}

/** y = |x|. */
export function abs(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, f32x4.abs(v128.load(x + i)));
}

/** dx = g·sign(x), where the sign of ±0 and of NaN is x itself. */
export function absDx(dx: usize, g: usize, x: usize, n: i32): void {
  const one = f32x4.splat(1);
  const signBit = f32x4.neg(zero());
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const xi = v128.load(x + i);
    const sign = v128.bitselect(v128.bitselect(xi, one, signBit), xi, f32x4.gt(f32x4.abs(xi), zero()));
    v128.store(dx + i, f32x4.mul(v128.load(g + i), sign));
  }
}

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** y = max(0, x). */
export function relu(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, f32x4.max(v128.load(x + i), zero()));
}

/** dx = 0 for x ≤ 0, else g. */
export function reluDx(dx: usize, g: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(dx + i, v128.andnot(v128.load(g + i), f32x4.le(v128.load(x + i), zero())));
  }
}

/** y = x for x > 0, else slope·x. */
export function leakyRelu(y: usize, x: usize, n: i32, slope: f64): void {
  leakyReluDx(y, x, x, n, slope);
}

/** dx = g for x > 0, else slope·g. */
export function leakyReluDx(dx: usize, g: usize, x: usize, n: i32, slope: f64): void {
  const k = f32x4.splat(<f32>slope);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const gi = v128.load(g + i);
    const positive = f32x4.gt(v128.load(x + i), zero());
    v128.store(dx + i, v128.bitselect(gi, f32x4.mul(k, gi), positive));
  }
}

/** y = 1 / (1 + e⁻ˣ), and eˣ / (1 + eˣ) for x < 0, so that the exponential never overflows. */
export function sigmoid(y: usize, x: usize, n: i32): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const xi = v128.load(x + i);
    const e = expVector(f32x4.neg(f32x4.abs(xi)));
    v128.store(y + i, f32x4.div(v128.bitselect(e, one, f32x4.lt(xi, zero())), f32x4.add(one, e)));
  }
}

/** dx = g·y·(1 − y). */
export function sigmoidDx(dx: usize, g: usize, y: usize, n: i32): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const yi = v128.load(y + i);
    v128.store(dx + i, f32x4.mul(f32x4.mul(v128.load(g + i), yi), f32x4.sub(one, yi)));
  }
}

/** y = tanh x. */
export function tanh(y: usize, x: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) v128.store(y + i, tanhVector(v128.load(x + i)));
}

/** dx = g·(1 − y²), as (1 − y)·(1 + y), which keeps its digits near ±1. */
export function tanhDx(dx: usize, g: usize, y: usize, n: i32): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const yi = v128.load(y + i);
    const slope = f32x4.mul(f32x4.sub(one, yi), f32x4.add(one, yi));
    v128.store(dx + i, f32x4.mul(v128.load(g + i), slope));
  }
}
