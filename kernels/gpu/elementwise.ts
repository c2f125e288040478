/**
 * Each element from the elements at the same place: element i is the thread's own.
 *
 * NaN is what is left when all comparisons have failed: exp, log and pow may make a number of it, max may drop it,
 * and `x !== x` does not find it on WebGPU. See the decisions in `README.md`.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

const elementwise = (thread: Thread): GpuForm => ({ sizes: ['n'], threads: ([n]) => [n], thread });

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** y = a + b. */
export const add: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] + b[i];
});

/** y = a − b. */
export const sub: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] - b[i];
});

/** y = a·b. */
export const mul: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] * b[i];
});

/** y = a / b. */
export const div: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] / b[i];
});

/** y = max(a, b). What is left in the end are zeros, of which 0 is larger than −0, and NaN: a sum keeps both. */
export const maximum: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  if (a[i] > b[i]) return a[i];
  if (b[i] > a[i]) return b[i];
  if (a[i] === b[i] && a[i] !== 0) return a[i];
  return a[i] + b[i];
});

/** da = g·[a > b] + g/2·[a = b]. */
export const maximumDx: GpuForm = elementwise(function (
  this: GpuThread,
  g: number[],
  a: number[],
  b: number[],
) {
  const i = this.thread.x;
  if (a[i] > b[i]) return g[i];
  if (a[i] === b[i]) return g[i] / 2;
  return 0;
});

/** y = factor·x. */
export const scale: GpuForm = elementwise(function (this: GpuThread, x: number[], factor: number) {
  const i = this.thread.x;
  return factor * x[i];
});

/**
 * y = xᵖ. Whole powers up to 32 are products, and right for negative x; the others are exp2(p·log2 x) in a shader,
 * which knows neither negative numbers nor NaN.
 */
export const pow: GpuForm = elementwise(function (this: GpuThread, x: number[], power: number) {
  const i = this.thread.x;
  const size = Math.abs(power);
  const whole = Math.floor(size);
  if (size === whole && size <= 32) {
    let product = 1;
    for (let k = 0; k < 32; k++) {
      if (k < size) product *= x[i];
    }
    return power < 0 ? 1 / product : product;
  }
  let magnitude = Math.pow(Math.abs(x[i]), power);
  if (x[i] === 0) magnitude = power < 0 ? 1 / Math.abs(x[i]) : 0;
  const half = Math.floor(size / 2);
  if (x[i] < 0 && size === whole && size !== half * 2) magnitude = -magnitude;
  else if (x[i] < 0 && size !== whole && x[i] >= -3.4028234663852886e38) return Math.sqrt(x[i]); // NaN; −∞ has powers
  return x[i] === x[i] ? magnitude : x[i];
});

/** dx = g·p·xᵖ⁻¹, the power as in `pow`; 0 for p = 0. */
export const powDx: GpuForm = elementwise(function (
  this: GpuThread,
  g: number[],
  x: number[],
  power: number,
) {
  const i = this.thread.x;
  if (power === 0) return 0;
  const less = power - 1;
  const size = Math.abs(less);
  const whole = Math.floor(size);
  if (size === whole && size <= 32) {
    let product = 1;
    for (let k = 0; k < 32; k++) {
      if (k < size) product *= x[i];
    }
    return less < 0 ? (g[i] * power) / product : g[i] * power * product;
  }
  let magnitude = Math.pow(Math.abs(x[i]), less);
  if (x[i] === 0) magnitude = less < 0 ? 1 / Math.abs(x[i]) : 0;
  const half = Math.floor(size / 2);
  if (x[i] < 0 && size === whole && size !== half * 2) magnitude = -magnitude;
  else if (x[i] < 0 && size !== whole && x[i] >= -3.4028234663852886e38) return Math.sqrt(x[i]); // NaN
  return x[i] === x[i] ? g[i] * power * magnitude : x[i];
});

/** y = eˣ. */
export const exp: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] === x[i] ? Math.exp(x[i]) : x[i];
});

/** y = ln x; a root is NaN where the logarithm is to be. */
export const log: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] >= 0 ? Math.log(x[i]) : Math.sqrt(x[i]);
});

/** y = √x. */
export const sqrt: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return Math.sqrt(x[i]);
});

/** y = |x|. */
export const abs: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return Math.abs(x[i]);
});

/** dx = g·sign(x); what is left in the end is 0, whose sign it is, and NaN. */
export const absDx: GpuForm = elementwise(function (this: GpuThread, g: number[], x: number[]) {
  const i = this.thread.x;
  if (x[i] > 0) return g[i];
  if (x[i] < 0) return -g[i];
  return g[i] * x[i];
});

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** y = max(0, x). */
export const relu: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] <= 0 ? 0 : x[i];
});

/** dx = 0 if x ≤ 0 else g. */
export const reluDx: GpuForm = elementwise(function (this: GpuThread, g: number[], x: number[]) {
  const i = this.thread.x;
  return x[i] <= 0 ? 0 : g[i];
});

/** y = x if x > 0 else slope·x. */
export const leakyRelu: GpuForm = elementwise(function (this: GpuThread, x: number[], slope: number) {
  const i = this.thread.x;
  return x[i] > 0 ? x[i] : slope * x[i];
});

/** dx = g if x > 0 else slope·g. */
export const leakyReluDx: GpuForm = elementwise(function (
  this: GpuThread,
  g: number[],
  x: number[],
  slope: number,
) {
  const i = this.thread.x;
  return x[i] > 0 ? g[i] : slope * g[i];
});

/** y = 1 / (1 + e⁻ˣ). */
export const sigmoid: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] === x[i] ? 1 / (1 + Math.exp(-x[i])) : x[i];
});

/** dx = g·y·(1 − y). */
export const sigmoidDx: GpuForm = elementwise(function (this: GpuThread, g: number[], y: number[]) {
  const i = this.thread.x;
  return g[i] * y[i] * (1 - y[i]);
});

/**
 * y = tanh x = (1 − t) / (1 + t), t = e⁻²ˣ, for x ≥ ½, which does not overflow; where 1 − t would cancel, Lambert's
 * fraction x/(1 + x²/(3 + x²/(5 + …))). The one that shaders have may do either badly.
 */
export const tanh: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  const size = Math.abs(x[i]);
  if (size < 0.5) {
    const square = size * size;
    let below = 17;
    for (let k = 0; k < 8; k++) below = 15 - 2 * k + square / below;
    return x[i] / below;
  }
  const t = Math.exp(-2 * size);
  const magnitude = (1 - t) / (1 + t);
  return x[i] < 0 ? -magnitude : magnitude;
});

/** dx = g·(1 − y²), as (1 − y)·(1 + y), of which no digits are lost near 1. */
export const tanhDx: GpuForm = elementwise(function (this: GpuThread, g: number[], y: number[]) {
  const i = this.thread.x;
  return g[i] * (1 - y[i]) * (1 + y[i]);
});
