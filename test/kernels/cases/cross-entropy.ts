/** Cross-entropy over softmax, from the formulas. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/index.ts';
import type { At } from '../../laws/kernel-laws.ts';
import { drawn, type KernelCases, misfits, seeds, sum } from './case.ts';

/** Logits [m, K], and labels from −1 (ignored) to K − 1. n is m or K, and K is at least 1. */
const logitsAndLabels = (n: number, turn: number) =>
  fc
    .record({
      other: fc.constantFrom(1, 2, 3, 5),
      seed: seeds,
      smoothing: fc.constantFrom(0, 0.1, 1),
    })
    .map(({ other, seed, smoothing }) => {
      const [m, K] = turn > 0 && n > 0 ? [other, n] : [n, other];
      return {
        logits: drawn([m, K], seed, { low: -8, high: 8 }),
        labels: drawn([m], seed + 1, { low: -1, high: K, integer: true }),
        g: drawn([m], seed + 2),
        params: { smoothing },
      };
    });

/** The target of a class: 1 at the label, and a share `s` of it spread evenly over all classes. */
const target = (k: number, label: number, s: number, K: number) => (k === label ? 1 - s : 0) + s / K;
const probability = (z: At, i: number, k: number, K: number) =>
  Math.exp(z(i, k)) / sum(K, (j) => Math.exp(z(i, j)));

export const crossEntropies: Pick<KernelCases, 'crossEntropy' | 'crossEntropyDx'> = {
  crossEntropy: {
    kernel: kernels.crossEntropy,
    calls: (n, turn) =>
      logitsAndLabels(n, turn).map(({ logits, labels, params }) => ({ inputs: [logits, labels], params })),
    // The definition of cross-entropy: −Σ target·ln p.
    at: ([i], [z, labels], { inputs: [{ shape }], params: { smoothing } }) => {
      const [, K] = shape;
      if (labels(i) === -1) return 0;
      return sum(K, (k) => -target(k, labels(i), smoothing, K) * Math.log(probability(z, i, k, K)));
    },
    misfits: misfits(
      [[2, 3], [3]],
      [[6], [6]],
      [
        [2, 3],
        [2, 1],
      ],
      [[2, 0], [2]],
    ),
  },
  crossEntropyDx: {
    kernel: kernels.crossEntropyDx,
    calls: (n, turn) =>
      logitsAndLabels(n, turn).map(({ g, logits, labels, params }) => ({
        inputs: [g, logits, labels],
        params,
      })),
    at: ([i, k], [g, z, labels], { inputs: [, { shape }], params: { smoothing } }) => {
      const [, K] = shape;
      if (labels(i) === -1) return 0;
      return g(i) * (probability(z, i, k, K) - target(k, labels(i), smoothing, K));
    },
    magnitude: ([i, k], [g, z, labels], { inputs: [, { shape }], params: { smoothing } }) => {
      const [, K] = shape;
      return Math.abs(g(i)) * (probability(z, i, k, K) + target(k, labels(i), smoothing, K));
    },
    misfits: misfits([[2], [2, 3], [3]], [[6], [6], [6]], [[2], [2, 0], [2]], [[3], [2, 3], [2]]),
  },
};
