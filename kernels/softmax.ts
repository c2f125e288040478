/**
 * Softmax and the cross-entropy loss over it. The largest logit is subtracted first, so that no
 * exponential overflows: logits of ±1e6 are fine.
 */
import { ShapeError } from './errors.ts';
import { type FloatArray, kernel, type Kernel, type Shape } from './kernel.ts';
import { aroundAxis, expectSameShape, formatShape } from './shape.ts';

interface Axis extends Record<string, number> {
  axis: number;
}

const cost = ([outer, n, inner]: readonly number[]) => ({
  flops: 5 * outer * n * inner,
  bytes: 8 * outer * n * inner,
});

/** maxₖ xₖ over n values, `stride` apart. */
function maxOf(x: FloatArray, start: number, n: number, stride: number): number {
  let max = -Infinity;
  for (let k = 0; k < n; k++) max = Math.max(max, x[start + k * stride]);
  return max;
}

/**
 * ln Σₖ exp(xₖ − max), in float64. With it, ln Σₖ exp(xₖ) = max + rest; the two are kept apart, since beside
 * a large maximum the digits of the rest would be lost.
 */
function logSumBelow(max: number, x: FloatArray, start: number, n: number, stride: number): number {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += Math.exp(x[start + k * stride] - max);
  return Math.log(sum);
}

/** y[o,k,i] = exp(x[o,k,i]) / Σₖ exp(x[o,k,i]). */
export const softmax: Kernel<Axis> = kernel({
  name: 'softmax',
  equation: 'yₖ = exp(xₖ) / Σⱼ exp(xⱼ)',
  inputs: ['x'],
  simd: 'softmax',
  shape: ([x]) => x,
  sizes: ([x], { axis }) => aroundAxis(x, axis),
  reference: (y, [x], [outer, n, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * n * inner + i;
        const max = maxOf(x, start, n, inner);
        const rest = logSumBelow(max, x, start, n, inner);
        for (let k = 0; k < n; k++) y[start + k * inner] = Math.exp(x[start + k * inner] - max - rest);
      }
    }
  },
  cost,
});

/** dxₖ = yₖ·(gₖ − Σⱼ gⱼyⱼ), from the output y. */
export const softmaxDx: Kernel<Axis> = kernel({
  name: 'softmaxDx',
  equation: 'dxₖ = yₖ·(gₖ − Σⱼ gⱼ·yⱼ)',
  inputs: ['g', 'y'],
  simd: 'softmaxDx',
  shape: (shapes) => expectSameShape('softmaxDx', shapes),
  sizes: ([g], { axis }) => aroundAxis(g, axis),
  reference: (dx, [g, y], [outer, n, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * n * inner + i;
        let dot = 0;
        for (let k = 0; k < n; k++) dot += g[start + k * inner] * y[start + k * inner];
        for (let k = 0; k < n; k++) {
          const at = start + k * inner;
          dx[at] = y[at] * (g[at] - dot);
        }
      }
    }
  },
  cost,
});

/** yₖ = xₖ − ln Σⱼ exp(xⱼ). */
export const logSoftmax: Kernel<Axis> = kernel({
  name: 'logSoftmax',
  equation: 'yₖ = xₖ − ln Σⱼ exp(xⱼ)',
  inputs: ['x'],
  simd: 'logSoftmax',
  shape: ([x]) => x,
  sizes: ([x], { axis }) => aroundAxis(x, axis),
  reference: (y, [x], [outer, n, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * n * inner + i;
        const max = maxOf(x, start, n, inner);
        const rest = logSumBelow(max, x, start, n, inner);
        for (let k = 0; k < n; k++) y[start + k * inner] = x[start + k * inner] - max - rest;
      }
    }
  },
  cost,
});

/** dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ, from the output y. */
export const logSoftmaxDx: Kernel<Axis> = kernel({
  name: 'logSoftmaxDx',
  equation: 'dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ',
  inputs: ['g', 'y'],
  simd: 'logSoftmaxDx',
  shape: (shapes) => expectSameShape('logSoftmaxDx', shapes),
  sizes: ([g], { axis }) => aroundAxis(g, axis),
  reference: (dx, [g, y], [outer, n, inner]) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * n * inner + i;
        let sum = 0;
        for (let k = 0; k < n; k++) sum += g[start + k * inner];
        for (let k = 0; k < n; k++) {
          const at = start + k * inner;
          dx[at] = g[at] - Math.exp(y[at]) * sum;
        }
      }
    }
  },
  cost,
});

/** In `labels`: this row does not count. Its loss and its gradient are 0. */
export const IGNORED = -1;

function expectLabels(op: string, logits: Shape, labels: Shape): void {
  if (logits.length === 2 && logits[1] > 0 && labels.length === 1 && labels[0] === logits[0]) return;
  throw new ShapeError(
    op,
    `logits ${formatShape(logits)} and labels ${formatShape(labels)}`,
    'logits are [batch, classes], and labels one class index for each row: [batch]',
  );
}

/**
 * loss[i] = ln Σₖ exp(zₖ) − (1−s)·z[label] − s·mean(z), z = logits[i,:], s = smoothing.
 * logits [m, K], labels [m] → [m]. A label of {@link IGNORED} gives 0.
 */
export const crossEntropy: Kernel<{ smoothing: number }> = kernel({
  name: 'crossEntropy',
  equation: 'lossᵢ = ln Σₖ exp(zₖ) − (1−s)·z_label − s·mean(z)',
  inputs: ['logits', 'labels'],
  simd: 'crossEntropy',
  params: ['smoothing'],
  shape: ([logits, labels]) => {
    expectLabels('crossEntropy', logits, labels);
    return labels;
  },
  sizes: ([logits]) => [logits[0], logits[1]],
  reference: (loss, [logits, labels], [m, K], { smoothing }) => {
    for (let i = 0; i < m; i++) {
      const row = i * K;
      if (labels[i] === IGNORED) {
        loss[i] = 0;
        continue;
      }
      const max = maxOf(logits, row, K, 1);
      const rest = logSumBelow(max, logits, row, K, 1);
      const surprise = (k: number) => max - logits[row + k] + rest; // −ln softmax(z)ₖ
      let smoothed = 0;
      if (smoothing > 0) for (let k = 0; k < K; k++) smoothed += surprise(k);
      loss[i] = (1 - smoothing) * surprise(labels[i]) + (smoothing * smoothed) / K;
    }
  },
  cost: ([m, K]) => ({ flops: 4 * m * K, bytes: 4 * m * (K + 2) }),
});

/**
 * dlogits[i,k] = g[i]·(softmax(z)ₖ − (1−s)·[k = label] − s/K): the whole backward pass of softmax and
 * cross-entropy together. g [m], logits [m, K], labels [m] → [m, K].
 */
export const crossEntropyDx: Kernel<{ smoothing: number }> = kernel({
  name: 'crossEntropyDx',
  equation: 'dzₖ = g·(softmax(z)ₖ − (1−s)·[k = label] − s/K)',
  inputs: ['g', 'logits', 'labels'],
  simd: 'crossEntropyDx',
  params: ['smoothing'],
  shape: ([g, logits, labels]) => {
    expectLabels('crossEntropyDx', logits, expectSameShape('crossEntropyDx', [labels, g]));
    return logits;
  },
  sizes: ([, logits]) => [logits[0], logits[1]],
  reference: (dlogits, [g, logits, labels], [m, K], { smoothing }) => {
    for (let i = 0; i < m; i++) {
      const row = i * K;
      if (labels[i] === IGNORED) {
        dlogits.fill(0, row, row + K);
        continue;
      }
      const max = maxOf(logits, row, K, 1);
      const rest = logSumBelow(max, logits, row, K, 1);
      for (let k = 0; k < K; k++) {
        const target = (k === labels[i] ? 1 - smoothing : 0) + smoothing / K;
        dlogits[row + k] = g[i] * (Math.exp(logits[row + k] - max - rest) - target);
      }
    }
  },
  cost: ([m, K]) => ({ flops: 6 * m * K, bytes: 4 * m * (2 * K + 2) }),
});
