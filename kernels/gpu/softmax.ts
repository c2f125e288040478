/**
 * Softmax and cross-entropy. Every thread finds the maximum and the sum of its n values again: of the few
 * that there are, that is cheaper than to write both to memory in kernels of their own.
 *
 * What is below the maximum is ≤ 0, or NaN, of which exp makes a number in a shader; so it is not asked.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** Output k of the n along an axis. */
const alongAxis = (thread: Thread): GpuForm => ({
  sizes: ['outer', 'n', 'inner'],
  threads: ([outer, n, inner]) => [inner, n, outer],
  thread,
});

/** yₖ = exp(xₖ − max) / Σⱼ exp(xⱼ − max). */
export const softmax: GpuForm = alongAxis(function (this: GpuThread, x: number[]) {
  const { x: i, y: k, z: o } = this.thread;
  const { n, inner } = this.constants;
  let max = x[o * n * inner + i];
  for (let j = 1; j < n; j++) {
    const value = x[(o * n + j) * inner + i];
    if (value > max) max = value;
  }
  let sum = 0;
  for (let start = 0; start < n; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, n - start); q++) {
      const below = x[(o * n + start + q) * inner + i] - max;
      block += below <= 0 ? Math.exp(below) : below;
    }
    sum += block;
  }
  const below = x[(o * n + k) * inner + i] - max;
  return (below <= 0 ? Math.exp(below) : below) / sum;
});

/** dxₖ = yₖ·(gₖ − Σⱼ gⱼ·yⱼ). */
export const softmaxDx: GpuForm = alongAxis(function (this: GpuThread, g: number[], y: number[]) {
  const { x: i, y: k, z: o } = this.thread;
  const { n, inner } = this.constants;
  let dot = 0;
  for (let start = 0; start < n; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, n - start); q++) {
      const at = (o * n + start + q) * inner + i;
      block += g[at] * y[at];
    }
    dot += block;
  }
  const own = (o * n + k) * inner + i;
  return y[own] * (g[own] - dot);
});

/** yₖ = xₖ − max − ln Σⱼ exp(xⱼ − max). */
export const logSoftmax: GpuForm = alongAxis(function (this: GpuThread, x: number[]) {
  const { x: i, y: k, z: o } = this.thread;
  const { n, inner } = this.constants;
  let max = x[o * n * inner + i];
  for (let j = 1; j < n; j++) {
    const value = x[(o * n + j) * inner + i];
    if (value > max) max = value;
  }
  let sum = 0;
  for (let start = 0; start < n; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, n - start); q++) {
      const below = x[(o * n + start + q) * inner + i] - max;
      block += below <= 0 ? Math.exp(below) : below;
    }
    sum += block;
  }
  return x[(o * n + k) * inner + i] - max - (sum >= 1 ? Math.log(sum) : sum);
});

/** dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ. */
export const logSoftmaxDx: GpuForm = alongAxis(function (this: GpuThread, g: number[], y: number[]) {
  const { x: i, y: k, z: o } = this.thread;
  const { n, inner } = this.constants;
  let sum = 0;
  for (let start = 0; start < n; start += 64) {
    let block = 0;
    for (let q = 0; q < Math.min(64, n - start); q++) block += g[(o * n + start + q) * inner + i];
    sum += block;
  }
  const own = (o * n + k) * inner + i;
  return g[own] - (y[own] === y[own] ? Math.exp(y[own]) : y[own]) * sum;
});

/** lossᵢ = (1−s)·surprise(label) + s·mean(surprise), surpriseₖ = max − zₖ + ln Σⱼ exp(zⱼ − max); ignored: 0. */
export const crossEntropy: GpuForm = {
  sizes: ['m', 'K'],
  threads: ([m]) => [m],
  thread: function (this: GpuThread, logits: number[], labels: number[], smoothing: number) {
    const i = this.thread.x;
    const { K } = this.constants;
    if (labels[i] < 0) return 0;
    let max = logits[i * K];
    for (let j = 1; j < K; j++) {
      const value = logits[i * K + j];
      if (value > max) max = value;
    }
    let sum = 0;
    let below = 0; // max − z at the label
    let allBelow = 0; // Σₖ (max − zₖ)
    for (let start = 0; start < K; start += 64) {
      let block = 0;
      let blockBelow = 0;
      for (let q = 0; q < Math.min(64, K - start); q++) {
        const k = start + q;
        const distance = max - logits[i * K + k];
        block += distance >= 0 ? Math.exp(-distance) : distance;
        blockBelow += distance;
        if (labels[i] === k) below = distance;
      }
      sum += block;
      allBelow += blockBelow;
    }
    const rest = sum >= 1 ? Math.log(sum) : sum;
    if (smoothing === 0) return below + rest; // not 0·∞
    return (1 - smoothing) * (below + rest) + smoothing * (allBelow / K + rest);
  },
};

/** dzₖ = g·(softmax(z)ₖ − (1−s)·[k = label] − s/K); ignored: 0. */
export const crossEntropyDx: GpuForm = {
  sizes: ['m', 'K'],
  threads: ([m, K]) => [K, m],
  thread: function (this: GpuThread, g: number[], logits: number[], labels: number[], smoothing: number) {
    const { x: k, y: i } = this.thread;
    const { K } = this.constants;
    if (labels[i] < 0) return 0;
    let max = logits[i * K];
    for (let j = 1; j < K; j++) {
      const value = logits[i * K + j];
      if (value > max) max = value;
    }
    let sum = 0;
    for (let start = 0; start < K; start += 64) {
      let block = 0;
      for (let q = 0; q < Math.min(64, K - start); q++) {
        const below = logits[i * K + start + q] - max;
        block += below <= 0 ? Math.exp(below) : below;
      }
      sum += block;
    }
    let target = smoothing / K;
    if (labels[i] === k) target += 1 - smoothing;
    const below = logits[i * K + k] - max;
    return g[i] * ((below <= 0 ? Math.exp(below) : below) / sum - target);
  },
};
