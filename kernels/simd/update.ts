/** The SIMD forms of `../update.ts` and `../fused/update.ts`, each in one pass over memory. */
import { bytes, high, low, madd, narrow, VECTOR } from './vector';

/** a ← b. */
export function assign(y: usize, _a: usize, b: usize, n: i32): void {
  memory.copy(y, b, bytes(n));
}

/** y = α·a + β·b. */
export function blend(y: usize, a: usize, b: usize, n: i32, alpha: f64, beta: f64): void {
  const ka = f32x4.splat(<f32>alpha);
  const kb = f32x4.splat(<f32>beta);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, madd(ka, v128.load(a + i), f32x4.mul(kb, v128.load(b + i))));
  }
}

/** v ← decay·v + (1−decay)·g². */
export function secondMoment(y: usize, v: usize, g: usize, n: i32, decay: f64): void {
  const kept = f32x4.splat(<f32>decay);
  const fresh = f32x4.splat(<f32>(1 - decay));
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const gi = v128.load(g + i);
    v128.store(y + i, madd(f32x4.mul(fresh, gi), gi, f32x4.mul(kept, v128.load(v + i))));
  }
}

/** y = max(v − m², 0), in float64, because v and m² are nearly equal where the variance is small. */
export function centeredMoment(y: usize, v: usize, m: usize, n: i32): void {
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const vi = v128.load(v + i);
    const mi = v128.load(m + i);
    v128.store(y + i, narrow(variance(low(vi), low(mi)), variance(high(vi), high(mi))));
  }
}

function variance(v: v128, m: v128): v128 {
  return f64x2.max(f64x2.sub(v, f64x2.mul(m, m)), f64x2.splat(0));
}

/** y = m / (√(v/correction) + ε), as √v·(1/√correction), which does not overflow. */
export function divideByRoot(y: usize, m: usize, v: usize, n: i32, correction: f64, eps: f64): void {
  const k = f32x4.splat(<f32>(1 / Math.sqrt(correction)));
  const e = f32x4.splat(<f32>eps);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    v128.store(y + i, f32x4.div(v128.load(m + i), madd(f32x4.sqrt(v128.load(v + i)), k, e)));
  }
}

// ── fusions: one pass for a whole update ────────────────────────────────────────────────────────────────────────

/** w ← w − lr·d, d = g + λ·w. */
export function sgdUpdate(w: usize, g: usize, n: i32, lr: f64, weightDecay: f64): void {
  const step = f32x4.splat(<f32>-lr);
  const decay = f32x4.splat(<f32>weightDecay);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const wi = v128.load(w + i);
    v128.store(w + i, madd(step, plus(v128.load(g + i), decay, wi), wi));
  }
}

/** v ← μ·v + (1−τ)·d; w ← w − lr·v, or w − lr·(d + μ·v) with Nesterov; d = g + λ·w. */
export function momentumUpdate(
  w: usize,
  g: usize,
  v: usize,
  n: i32,
  lr: f64,
  momentum: f64,
  dampening: f64,
  nesterov: f64,
  weightDecay: f64,
): void {
  const step = f32x4.splat(<f32>-lr);
  const kept = f32x4.splat(<f32>momentum);
  const fresh = f32x4.splat(<f32>(1 - dampening));
  const decay = f32x4.splat(<f32>weightDecay);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const wi = v128.load(w + i);
    const d = plus(v128.load(g + i), decay, wi);
    const vi = madd(kept, v128.load(v + i), f32x4.mul(fresh, d));
    v128.store(v + i, vi);
    v128.store(w + i, madd(step, nesterov == 0 ? vi : madd(kept, vi, d), wi));
  }
}

/**
 * w ← w − decoupled·w; m ← β₁·m + (1−β₁)·d; v ← β₂·v + (1−β₂)·d²; w ← w − stepSize·m / (√(v/correction) + ε);
 * d = g + λ·w.
 */
export function adamUpdate(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  stepSize: f64,
  beta1: f64,
  beta2: f64,
  correction: f64,
  eps: f64,
  weightDecay: f64,
  decoupled: f64,
): void {
  adam(w, g, m, v, 0, n, stepSize, beta1, beta2, correction, eps, weightDecay, decoupled);
}

/** `adamUpdate` with the largest v so far, largest ← max(largest, v), in place of v. */
export function amsgradUpdate(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  largest: usize,
  n: i32,
  stepSize: f64,
  beta1: f64,
  beta2: f64,
  correction: f64,
  eps: f64,
  weightDecay: f64,
  decoupled: f64,
): void {
  adam(w, g, m, v, largest, n, stepSize, beta1, beta2, correction, eps, weightDecay, decoupled);
}

/** Both: `largest` is 0 without amsgrad. */
function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  largest: usize,
  n: i32,
  stepSize: f64,
  beta1: f64,
  beta2: f64,
  correction: f64,
  eps: f64,
  weightDecay: f64,
  decoupled: f64,
): void {
  const step = f32x4.splat(<f32>-stepSize);
  const kept1 = f32x4.splat(<f32>beta1);
  const fresh1 = f32x4.splat(<f32>(1 - beta1));
  const kept2 = f32x4.splat(<f32>beta2);
  const fresh2 = f32x4.splat(<f32>(1 - beta2));
  const k = f32x4.splat(<f32>(1 / Math.sqrt(correction)));
  const e = f32x4.splat(<f32>eps);
  const decay = f32x4.splat(<f32>weightDecay);
  const shrink = f32x4.splat(<f32>(0 - decoupled));
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const w0 = v128.load(w + i);
    const wi = plus(w0, shrink, w0);
    const d = plus(v128.load(g + i), decay, wi);
    const mi = madd(kept1, v128.load(m + i), f32x4.mul(fresh1, d));
    let vi = madd(f32x4.mul(fresh2, d), d, f32x4.mul(kept2, v128.load(v + i)));
    v128.store(m + i, mi);
    v128.store(v + i, vi);
    if (largest != 0) {
      vi = f32x4.max(v128.load(largest + i), vi);
      v128.store(largest + i, vi);
    }
    v128.store(w + i, madd(step, f32x4.div(mi, madd(f32x4.sqrt(vi), k, e)), wi));
  }
}

/** v ← α·v + (1−α)·d²; w ← w − lr·d / (√v + ε); d = g + λ·w. */
export function rmspropUpdate(
  w: usize,
  g: usize,
  v: usize,
  n: i32,
  lr: f64,
  alpha: f64,
  eps: f64,
  momentum: f64,
  weightDecay: f64,
): void {
  rmsprop(w, g, v, 0, 0, n, lr, alpha, eps, momentum, weightDecay);
}

/** `rmspropUpdate` with b ← μ·b + d / (√v + ε) in the buffer; w ← w − lr·b. */
export function rmspropMomentumUpdate(
  w: usize,
  g: usize,
  v: usize,
  buffer: usize,
  n: i32,
  lr: f64,
  alpha: f64,
  eps: f64,
  momentum: f64,
  weightDecay: f64,
): void {
  rmsprop(w, g, v, 0, buffer, n, lr, alpha, eps, momentum, weightDecay);
}

/** `rmspropUpdate` with the variance v − a² in place of v; a ← α·a + (1−α)·d. */
export function rmspropCenteredUpdate(
  w: usize,
  g: usize,
  v: usize,
  average: usize,
  n: i32,
  lr: f64,
  alpha: f64,
  eps: f64,
  momentum: f64,
  weightDecay: f64,
): void {
  rmsprop(w, g, v, average, 0, n, lr, alpha, eps, momentum, weightDecay);
}

/** `rmspropMomentumUpdate` with the variance v − a² in place of v. */
export function rmspropCenteredMomentumUpdate(
  w: usize,
  g: usize,
  v: usize,
  average: usize,
  buffer: usize,
  n: i32,
  lr: f64,
  alpha: f64,
  eps: f64,
  momentum: f64,
  weightDecay: f64,
): void {
  rmsprop(w, g, v, average, buffer, n, lr, alpha, eps, momentum, weightDecay);
}

/** All four: `average` is 0 if it is not centered, `buffer` is 0 without momentum. Rounds like the kernels one by one. */
function rmsprop(
  w: usize,
  g: usize,
  v: usize,
  average: usize,
  buffer: usize,
  n: i32,
  lr: f64,
  alpha: f64,
  eps: f64,
  momentum: f64,
  weightDecay: f64,
): void {
  const step = f32x4.splat(<f32>-lr);
  const kept = f32x4.splat(<f32>alpha);
  const fresh = f32x4.splat(<f32>(1 - alpha));
  const e = f32x4.splat(<f32>eps);
  const keptStep = f32x4.splat(<f32>momentum);
  const decay = f32x4.splat(<f32>weightDecay);
  for (let i: usize = 0; i < bytes(n); i += VECTOR) {
    const wi = v128.load(w + i);
    let d = v128.load(g + i);
    if (weightDecay != 0) d = f32x4.add(d, f32x4.mul(decay, wi));
    const share = f32x4.mul(fresh, d);
    const vi = madd(share, d, f32x4.mul(kept, v128.load(v + i)));
    v128.store(v + i, vi);
    let square = vi;
    if (average != 0) {
      const ai = madd(kept, v128.load(average + i), share);
      v128.store(average + i, ai);
      square = narrow(variance(low(vi), low(ai)), variance(high(vi), high(ai)));
    }
    let b = f32x4.div(d, f32x4.add(f32x4.sqrt(square), e));
    if (buffer != 0) {
      b = madd(keptStep, v128.load(buffer + i), b);
      v128.store(buffer + i, b);
    }
    v128.store(w + i, f32x4.add(wi, f32x4.mul(step, b)));
  }
}

/** a + factor·b; just a if the factor is 0, even where b is infinite. */
function plus(a: v128, factor: v128, b: v128): v128 {
  return v128.any_true(factor) ? madd(factor, b, a) : a;
}
