/** A product, a bias and an activation, forward and backward. */
import fc from 'fast-check';
import { LINEAR } from '../../../kernels/fused/dense.ts';
import * as fusions from '../../../kernels/fused/index.ts';
import { drawn, seeds, shapesWith, sum } from '../cases/case.ts';
import { elementwise, type FusionCases, overRows } from './case.ts';

export const denses: Pick<FusionCases, 'dense' | 'denseDz'> = {
  dense: {
    fusion: fusions.dense,
    calls: (n, turn) =>
      fc
        .tuple(shapesWith(n, 3, turn), seeds, fc.constantFrom(0, 0.01, 0.3, LINEAR))
        .map(([[m, k, columns], seed, slope]) => ({
          inputs: [drawn([m, k], seed), drawn([k, columns], seed + 1), drawn([columns], seed + 2)],
          params: { slope },
        })),
    magnitudes: ([x, W, b]) => {
      const [m, k] = x.shape;
      const [, columns] = W.shape;
      const terms = (i: number, j: number) =>
        sum(k, (p) => Math.abs(x.data[i * k + p] * W.data[p * columns + j])) + Math.abs(b.data[j]);
      return [elementwise([m, columns], terms)];
    },
  },
  denseDz: {
    fusion: fusions.denseDz,
    calls: (n, turn) =>
      fc
        .tuple(fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 33), seeds, fc.constantFrom(0, 0.01, 0.3))
        .map(([other, seed, slope]) => {
          const shape = turn > 0 ? [n, other] : [other, n];
          const y = drawn(shape, seed + 1, { low: -2, high: 3, integer: true }); // so that zeros occur
          return { inputs: [drawn(shape, seed), y], params: { slope } };
        }),
    magnitudes: ([g]) => {
      const [, n] = g.shape;
      return [null, overRows(g.shape, (total, i, j) => total + Math.abs(g.data[i * n + j]))];
    },
  },
};
