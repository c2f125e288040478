/**
 * The GPU forms of `../softmax.ts`, under the names of the kernels. Every thread computes the maximum and the sum of
 * its n values itself: n is small, so this is cheaper than separate kernels that write both to memory. Sums run in
 * blocks of 64, for accuracy in float32.
 *
 * x − max is ≤ 0 or NaN. Shaders may return a number for exp(NaN), so exp is only called for values ≤ 0.
 */
import type { GpuForm, GpuThread, Thread } from './form.ts';

/** Thread [o, k, i] computes output k; its loops run over all n values along the axis. */
const alongAxis = (thread: Thread): GpuForm => ({
  sizes: ['outer', 'n', 'inner'],
  threads: ([outer, n, inner]) => [inner, n, outer],
  thread,
});

/** `softmax`, yₖ = exp(xₖ − max) / Σⱼ exp(xⱼ − max): one loop for the maximum, one for the sum. */
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

/** `softmaxDx`, dxₖ = yₖ·(gₖ − Σⱼ gⱼ·yⱼ): one loop, for the sum. */
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

/** `logSoftmax`, yₖ = xₖ − max − ln Σⱼ exp(xⱼ − max): one loop for the maximum, one for the sum. */
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

/** `logSoftmaxDx`, dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ: one loop, for the sum. */
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

/**
 * `crossEntropy`, lossᵢ = (1−s)·l(label) + s·(1/K) Σₖ l(k) with l(k) = max − zₖ + ln Σⱼ exp(zⱼ − max); 0 for an ignored
 * row. Thread i loops over the K logits of row i, twice.
 */
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
    let below = 0; // max − z[label]
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
    const rest = sum >= 1 ? Math.log(sum) : sum; // the sum is ≥ 1 or NaN
    if (smoothing === 0) return below + rest; // avoids 0·∞ below
    return (1 - smoothing) * (below + rest) + smoothing * (allBelow / K + rest);
  },
};

/**
 * `crossEntropyDx`, dzₖ = gᵢ·(softmax(z)ₖ − (1−s)·[k = label] − s/K); 0 for an ignored row. Thread [i, k] loops over
 * the K logits of row i, twice.
 */
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
