/**
 * The GPU forms of `../elementwise.ts`, under the names of the kernels. Thread i computes element i, without a loop.
 *
 * Shader languages do not promise to handle NaN: exp, log and pow may return a number for it, max may drop it, and on
 * WebGPU `x !== x` is false. So the forms compare with `===`, `<` and `>`, and a value for which every comparison fails
 * is NaN. See the decisions in `README.md`.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

const elementwise = (thread: Thread): GpuForm => ({ sizes: ['n'], threads: ([n]) => [n], thread });

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** `add`, y = a + b. */
export const add: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] + b[i];
});

/** `sub`, y = a − b. */
export const sub: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] - b[i];
});

/** `mul`, y = a·b. */
export const mul: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] * b[i];
});

/** `div`, y = a / b. */
export const div: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  return a[i] / b[i];
});

/** `maximum`, y = max(a, b). The last line handles ±0 and NaN: a + b is 0 unless both are −0, and NaN if either is. */
export const maximum: GpuForm = elementwise(function (this: GpuThread, a: number[], b: number[]) {
  const i = this.thread.x;
  if (a[i] > b[i]) return a[i];
  if (b[i] > a[i]) return b[i];
  if (a[i] === b[i] && a[i] !== 0) return a[i];
  return a[i] + b[i];
});

/** `maximumDx`, da = g·[a > b] + g/2·[a = b]. */
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

/** `scale`, y = factor·x. */
export const scale: GpuForm = elementwise(function (this: GpuThread, x: number[], factor: number) {
  const i = this.thread.x;
  return factor * x[i];
});

/** `scaleBy`, y = s·x. */
export const scaleBy: GpuForm = elementwise(function (this: GpuThread, x: number[], s: number[]) {
  const i = this.thread.x;
  return s[0] * x[i];
});

/**
 * `pow`, y = xᵖ. Integer powers up to 32 are computed as products. A shader computes other powers as exp2(p·log2 x),
 * which is wrong for negative x and NaN; the code after it corrects these.
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
  else if (x[i] < 0 && size !== whole && x[i] >= -3.4028234663852886e38) return Math.sqrt(x[i]); // NaN; −∞ does have powers
  return x[i] === x[i] ? magnitude : x[i];
});

/** `powDx`, dx = g·p·xᵖ⁻¹, the power computed as in `pow`; 0 for p = 0. */
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

/** `exp`, y = eˣ. */
export const exp: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] === x[i] ? Math.exp(x[i]) : x[i];
});

/** `log`, y = ln x; for x < 0 and NaN it returns √x, which is NaN there. */
export const log: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] >= 0 ? Math.log(x[i]) : Math.sqrt(x[i]);
});

/** `sqrt`, y = √x. */
export const sqrt: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return Math.sqrt(x[i]);
});

/** `abs`, y = |x|. */
export const abs: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return Math.abs(x[i]);
});

/** `absDx`, dx = g·sign(x). In the last line x is ±0 or NaN, which is its own sign. */
export const absDx: GpuForm = elementwise(function (this: GpuThread, g: number[], x: number[]) {
  const i = this.thread.x;
  if (x[i] > 0) return g[i];
  if (x[i] < 0) return -g[i];
  return g[i] * x[i];
});

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** `relu`, y = max(0, x). */
export const relu: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] <= 0 ? 0 : x[i];
});

/** `reluDx`, dx = 0 if x ≤ 0 else g. */
export const reluDx: GpuForm = elementwise(function (this: GpuThread, g: number[], x: number[]) {
  const i = this.thread.x;
  return x[i] <= 0 ? 0 : g[i];
});

/** `leakyRelu`, y = x if x > 0 else slope·x. */
export const leakyRelu: GpuForm = elementwise(function (this: GpuThread, x: number[], slope: number) {
  const i = this.thread.x;
  return x[i] > 0 ? x[i] : slope * x[i];
});

/** `leakyReluDx`, dx = g if x > 0 else slope·g. */
export const leakyReluDx: GpuForm = elementwise(function (
  this: GpuThread,
  g: number[],
  x: number[],
  slope: number,
) {
  const i = this.thread.x;
  return x[i] > 0 ? g[i] : slope * g[i];
});

/** `sigmoid`, y = 1 / (1 + e⁻ˣ). */
export const sigmoid: GpuForm = elementwise(function (this: GpuThread, x: number[]) {
  const i = this.thread.x;
  return x[i] === x[i] ? 1 / (1 + Math.exp(-x[i])) : x[i];
});

/** `sigmoidDx`, dx = g·y·(1 − y). */
export const sigmoidDx: GpuForm = elementwise(function (this: GpuThread, g: number[], y: number[]) {
  const i = this.thread.x;
  return g[i] * y[i] * (1 - y[i]);
});

/**
 * `tanh`, y = tanh x. For |x| ≥ ½ it is ±(1 − t) / (1 + t) with t = e^(−2|x|), which does not overflow. For |x| < ½,
 * where 1 − t would cancel, it is Lambert's continued fraction x/(1 + x²/(3 + x²/(5 + …))). The tanh of shader
 * languages may overflow and may cancel.
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

/** `tanhDx`, dx = g·(1 − y²), as g·(1 − y)·(1 + y), which loses no digits near y = ±1. */
export const tanhDx: GpuForm = elementwise(function (this: GpuThread, g: number[], y: number[]) {
  const i = this.thread.x;
  return g[i] * (1 - y[i]) * (1 + y[i]);
});
