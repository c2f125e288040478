/**
 * Softmax and the cross-entropy loss. The largest logit is subtracted first, so that no exponential overflows,
 * even for logits of ±1e6.
 */
import { ShapeError } from './errors.ts';
import type { AxisKernel, FloatArray, Kernel, Shape } from './kernel.ts';
import { aroundAxis, eachLine, expectSameShape, formatShape } from './shape.ts';

/**
 * max = maxₖ xₖ and rest = ln Σₖ exp(xₖ − max) over a line of x, so that ln Σₖ exp(xₖ) = max + rest. The two are kept
 * apart: added to a large maximum, the rest would lose its digits.
 */
function logSum(x: FloatArray, start: number, end: number, step = 1): [max: number, rest: number] {
  let [max, sum] = [-Infinity, 0];
  for (let at = start; at < end; at += step) max = Math.max(max, x[at]);
  for (let at = start; at < end; at += step) sum += Math.exp(x[at] - max);
  return [max, Math.log(sum)];
}

// ── lines along an axis: their values stand at `start`, `start + step` … before `end` ──────────────────

/** yₖ = exp(xₖ) / Σⱼ exp(xⱼ). */
export const softmax: AxisKernel = alongAxis('softmax', ['x'], (y, [x], start, end, step) => {
  const [max, rest] = logSum(x, start, end, step);
  for (let at = start; at < end; at += step) y[at] = Math.exp(x[at] - max - rest);
});

/** dxₖ = yₖ·(gₖ − Σⱼ gⱼyⱼ), from the output y. */
export const softmaxDx: AxisKernel = alongAxis('softmaxDx', ['g', 'y'], (dx, [g, y], start, end, step) => {
  let dot = 0;
  for (let at = start; at < end; at += step) dot += g[at] * y[at];
  for (let at = start; at < end; at += step) dx[at] = y[at] * (g[at] - dot);
});

/** yₖ = xₖ − ln Σⱼ exp(xⱼ). */
export const logSoftmax: AxisKernel = alongAxis('logSoftmax', ['x'], (y, [x], start, end, step) => {
  const [max, rest] = logSum(x, start, end, step);
  for (let at = start; at < end; at += step) y[at] = x[at] - max - rest;
});

/** dxₖ = gₖ − exp(yₖ)·Σⱼ gⱼ, from the output y. */
export const logSoftmaxDx: AxisKernel = alongAxis(
  'logSoftmaxDx',
  ['g', 'y'],
  (dx, [g, y], start, end, step) => {
    let sum = 0;
    for (let at = start; at < end; at += step) sum += g[at];
    for (let at = start; at < end; at += step) dx[at] = g[at] - Math.exp(y[at]) * sum;
  },
);

/** What these four share: all shapes are equal, and `ofLine` fills one line of y from the same line of each input. */
function alongAxis(
  name: string,
  inputs: readonly string[],
  ofLine: (y: FloatArray, inputs: readonly FloatArray[], start: number, end: number, step: number) => void,
): AxisKernel {
  return {
    name,
    inputs,
    simd: name,
    shape: (shapes) => expectSameShape(name, shapes),
    sizes: ([first], { axis }) => aroundAxis(first, axis),
    reference: (y, arrays, sizes) => {
      const [, n, step] = sizes;
      eachLine(sizes, (start) => ofLine(y, arrays, start, start + n * step, step));
    },
    cost: ([outer, n, inner]) => ({ flops: 5 * outer * n * inner, bytes: 8 * outer * n * inner }),
  };
}

// ── cross-entropy ──────────────────────────────────────────────────────────────────────────────────────

/** A label that excludes its row: its loss and its gradient are 0. */
export const IGNORED = -1;

function expectLabels(op: string, logits: Shape, labels: Shape): void {
  if (logits.length === 2 && logits[1] > 0 && labels.length === 1 && labels[0] === logits[0]) return;
  const problem = `logits ${formatShape(logits)} and labels ${formatShape(labels)}`;
  throw new ShapeError(op, problem, 'logits are [batch, classes]; labels are [batch]');
}

/**
 * loss[i] = ln Σₖ exp(zₖ) − (1−s)·z[label] − s·mean(z), with z = logits[i,:] and s = smoothing.
 * logits [m, K], labels [m] → [m]. The label {@link IGNORED} gives 0.
 */
export const crossEntropy: Kernel<{ smoothing: number }> = {
  name: 'crossEntropy',
  inputs: ['logits', 'labels'],
  simd: 'crossEntropy',
  params: ['smoothing'],
  shape: ([logits, labels]) => {
    expectLabels('crossEntropy', logits, labels);
    return labels;
  },
  sizes: ([logits]) => [logits[0], logits[1]],
  reference: (loss, [logits, labels], [m, K], { smoothing }) => {
    loss.fill(0);
    for (let i = 0; i < m; i++) {
      const row = i * K;
      if (labels[i] === IGNORED) continue;
      const [max, rest] = logSum(logits, row, row + K);
      const surprise = (k: number) => max - logits[row + k] + rest; // −ln softmax(z)ₖ
      let smoothed = 0;
      if (smoothing > 0) for (let k = 0; k < K; k++) smoothed += surprise(k);
      loss[i] = (1 - smoothing) * surprise(labels[i]) + (smoothing * smoothed) / K;
    }
  },
  cost: ([m, K]) => ({ flops: 4 * m * K, bytes: 4 * m * (K + 2) }),
};

/**
 * dlogits[i,k] = g[i]·(softmax(z)ₖ − (1−s)·[k = label] − s/K): the backward pass of cross-entropy and
 * softmax together. g [m], logits [m, K], labels [m] → [m, K].
 */
export const crossEntropyDx: Kernel<{ smoothing: number }> = {
  name: 'crossEntropyDx',
  inputs: ['g', 'logits', 'labels'],
  simd: 'crossEntropyDx',
  params: ['smoothing'],
  shape: ([g, logits, labels]) => {
    expectLabels('crossEntropyDx', logits, expectSameShape('crossEntropyDx', [labels, g]));
    return logits;
  },
  sizes: ([, logits]) => [logits[0], logits[1]],
  reference: (dlogits, [g, logits, labels], [m, K], { smoothing }) => {
    dlogits.fill(0);
    for (let i = 0; i < m; i++) {
      const row = i * K;
      if (labels[i] === IGNORED) continue;
      const [max, rest] = logSum(logits, row, row + K);
      for (let k = 0; k < K; k++) {
        const target = (k === labels[i] ? 1 - smoothing : 0) + smoothing / K;
        dlogits[row + k] = g[i] * (Math.exp(logits[row + k] - max - rest) - target);
      }
    }
  },
  cost: ([m, K]) => ({ flops: 6 * m * K, bytes: 4 * m * (2 * K + 2) }),
};
