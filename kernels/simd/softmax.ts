/**
 * The SIMD forms of `../softmax.ts` and `../fused/softmax.ts`. A row has n elements, `step` bytes apart; `take` and
 * `put` read and write four of them. Sums are float64.
 */
import { expVector } from './exp';
import { at, at64, bytes, dotOf, FLOAT, halves, madd, put, sumOf, take, total } from './vector';

/** JavaScript's `Math.log`, which the module imports. */
declare function ln(x: f64): f64;

/** The label of a row that is ignored. */
const IGNORED: f32 = -1;

/** yₖ = exp(xₖ) / Σⱼ exp(xⱼ). */
export function softmax(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const step = bytes(inner);
  for (let row = 0; row < outer * inner; row++) {
    const start = startOf(row, n, inner);
    const sum = expSum(y + start, x + start, maxOf(x + start, n, step), n, step);
    scaleRow(y + start, n, step, 1, 1 / sum, 0);
  }
}

/** dxₖ = yₖ·(gₖ − Σⱼ gⱼ·yⱼ). */
export function softmaxDx(dx: usize, g: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  const step = bytes(inner);
  for (let row = 0; row < outer * inner; row++) {
    let start = startOf(row, n, inner);
    const dot = f32x4.splat(<f32>dotOf(g + start, y + start, n, step));
    for (let rest = n; rest > 0; rest -= 4) {
      const d = f32x4.sub(take(g + start, step, rest, 0), dot);
      put(dx + start, step, rest, f32x4.mul(take(y + start, step, rest, 0), d));
      start += 4 * step;
    }
  }
}

/** yₖ = xₖ − ln Σⱼ exp(xⱼ). */
export function logSoftmax(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const step = bytes(inner);
  for (let row = 0; row < outer * inner; row++) {
    let start = startOf(row, n, inner);
    const max = maxOf(x + start, n, step);
    const log = f32x4.splat(<f32>ln(expSum(0, x + start, max, n, step)));
    for (let rest = n; rest > 0; rest -= 4) {
      const below = f32x4.sub(take(x + start, step, rest, 0), f32x4.splat(max));
      put(y + start, step, rest, f32x4.sub(below, log));
      start += 4 * step;
    }
  }
}

/** dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ. */
export function logSoftmaxDx(dx: usize, g: usize, y: usize, outer: i32, n: i32, inner: i32): void {
  const step = bytes(inner);
  for (let row = 0; row < outer * inner; row++) {
    let start = startOf(row, n, inner);
    const sum = f32x4.splat(<f32>sumOf(g + start, n, step));
    expSum(dx + start, y + start, 0, n, step); // writes the probabilities exp(yₖ) to dx
    for (let rest = n; rest > 0; rest -= 4) {
      const lost = f32x4.mul(take(dx + start, step, rest, 0), sum);
      put(dx + start, step, rest, f32x4.sub(take(g + start, step, rest, 0), lost));
      start += 4 * step;
    }
  }
}

/** lossᵢ = ln Σₖ exp(zₖ) − (1−s)·z_label − s·mean(z). */
export function crossEntropy(
  loss: usize,
  logits: usize,
  labels: usize,
  m: i32,
  K: i32,
  smoothing: f64,
): void {
  for (let i = 0; i < m; i++) {
    const z = at(logits, i * K);
    const label = load<f32>(at(labels, i));
    let value: f64 = 0;
    if (label != IGNORED) {
      const max = maxOf(z, K, FLOAT);
      value = lossOf(z, max, expSum(0, z, max, K, FLOAT), <i32>label, K, smoothing);
    }
    store<f32>(at(loss, i), <f32>value);
  }
}

/** dzₖ = gᵢ·(softmax(z)ₖ − (1−s)·[k = label] − s/K). */
export function crossEntropyDx(
  dlogits: usize,
  g: usize,
  logits: usize,
  labels: usize,
  m: i32,
  K: i32,
  smoothing: f64,
): void {
  softmaxCrossEntropyRows(0, dlogits, logits, labels, g, m, K, smoothing);
}

/** loss = Σᵢ weights[i]·lossᵢ and its gradient dlogits. `scratch` has room for m doubles. */
export function softmaxCrossEntropy(
  loss: usize,
  dlogits: usize,
  logits: usize,
  labels: usize,
  weights: usize,
  scratch: usize,
  m: i32,
  K: i32,
  smoothing: f64,
): void {
  softmaxCrossEntropyRows(scratch, dlogits, logits, labels, weights, m, K, smoothing);
  sumLosses(loss, scratch, m);
}

/** loss = Σᵢ losses[i], in float64. */
export function sumLosses(loss: usize, losses: usize, m: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < m; i++) sum += load<f64>(at64(losses, i));
  store<f32>(loss, <f32>sum);
}

/** losses[i] = weights[i]·lossᵢ in float64, unless the pointer `losses` is 0, and the gradient of their sum. */
export function softmaxCrossEntropyRows(
  losses: usize,
  dlogits: usize,
  logits: usize,
  labels: usize,
  weights: usize,
  m: i32,
  K: i32,
  smoothing: f64,
): void {
  for (let i = 0; i < m; i++) {
    const z = at(logits, i * K);
    const dz = at(dlogits, i * K);
    const label = load<f32>(at(labels, i));
    if (label == IGNORED) {
      memory.fill(dz, 0, bytes(K));
      if (losses != 0) store<f64>(at64(losses, i), 0);
      continue;
    }
    const weight = <f64>load<f32>(at(weights, i));
    const max = maxOf(z, K, FLOAT);
    const sum = expSum(dz, z, max, K, FLOAT);
    if (losses != 0) store<f64>(at64(losses, i), weight * lossOf(z, max, sum, <i32>label, K, smoothing));
    // The element of the label is computed in float64, which keeps the digits of probability − 1 near 0.
    const place = at(dz, <i32>label);
    const atLabel = weight * (<f64>load<f32>(place) / sum - (1 - smoothing) - smoothing / K);
    scaleRow(dz, K, FLOAT, weight, 1 / sum, -smoothing / K);
    store<f32>(place, <f32>atLabel);
  }
}

/** The loss of a row, from its maximum and Σₖ exp(zₖ − max). */
function lossOf(z: usize, max: f32, sum: f64, label: i32, K: i32, smoothing: f64): f64 {
  const top = <f64>max;
  const rest = ln(sum);
  let smoothed: f64 = 0;
  if (smoothing > 0) for (let k = 0; k < K; k++) smoothed += top - <f64>load<f32>(at(z, k)) + rest;
  return (1 - smoothing) * (top - <f64>load<f32>(at(z, label)) + rest) + (smoothing * smoothed) / K;
}

/** maxₖ xₖ, ignoring NaN: `pmax` is one instruction instead of eight, and the sum will be NaN anyway. */
function maxOf(x: usize, n: i32, step: usize): f32 {
  let top = f32x4.splat(-Infinity);
  for (; n > 0; n -= 4) {
    top = f32x4.pmax(top, take(x, step, n, -Infinity));
    x += 4 * step;
  }
  top = f32x4.pmax(top, v128.shuffle<f32>(top, top, 2, 3, 2, 3));
  return max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1));
}

/** Σₖ exp(xₖ − max). Writes the terms to y, unless the pointer is 0. */
function expSum(y: usize, x: usize, max: f32, n: i32, step: usize): f64 {
  const top = f32x4.splat(max);
  let sum = f64x2.splat(0);
  for (; n > 0; n -= 4) {
    const e = expVector(f32x4.sub(take(x, step, n, -Infinity), top));
    sum = f64x2.add(sum, halves(e));
    x += 4 * step;
    if (y == 0) continue;
    put(y, step, n, e);
    y += 4 * step;
  }
  return total(sum);
}

/** yₖ ← weight·(factor·yₖ + offset). */
function scaleRow(y: usize, n: i32, step: usize, weight: f64, factor: f64, offset: f64): void {
  const w = f32x4.splat(<f32>weight);
  const k = f32x4.splat(<f32>factor);
  const c = f32x4.splat(<f32>offset);
  for (; n > 0; n -= 4) {
    put(y, step, n, f32x4.mul(w, madd(take(y, step, n, 0), k, c)));
    y += 4 * step;
  }
}

/** The byte offset of one of the outer·inner rows. */
function startOf(row: i32, n: i32, inner: i32): usize {
  return bytes((row / inner) * n * inner + (row % inner));
}
