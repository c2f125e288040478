/** Batch normalization and the dense layer after it, forward and backward. */
import fc from 'fast-check';
import { LINEAR } from '../../../kernels/fused/dense.ts';
import * as fusions from '../../../kernels/fused/index.ts';
import { drawn, type Range, seeds, sum } from '../cases/case.ts';
import { statisticsOf, unshifted } from './batchnorm.ts';
import { elementwise, type FusionCases, type Held } from './case.ts';

/** The distributions from which batches are drawn. Images, mostly zeros, are computed in another way than the rest. */
const batches: readonly Range[] = [
  {},
  { low: -3, high: 3, offset: 1e6 },
  { low: 0, high: 1, zeros: 0.8 },
  { low: 50, high: 255, zeros: 0.65 },
  { low: -1e-3, high: 1e-3, zeros: 0.9 },
  { constantColumns: true },
  { constantColumns: true, zeros: 0.8 },
  { low: 0, high: 0 },
];

/** Random m ≥ `rows`, k and columns, one of which is n; a seed, and the distribution of the batch. */
const shaped = (n: number, turn: number, rows = 0) =>
  fc
    .record({
      others: fc.tuple(
        ...[0, 1, 2].map(() => fc.constantFrom(...(n > 100 ? [1, 2, 33] : [1, 2, 3, 4, 5, 8, 33, 61]))),
      ),
      range: fc.constantFrom(...batches),
      seed: seeds,
      eps: fc.constantFrom(1e-5, 1e-3, 0.5),
      slope: fc.constantFrom(0, 0.3, LINEAR),
    })
    .map(({ others, ...rest }) => {
      const [m, k, columns] = others.with(n >= rows ? turn : Math.max(1, turn), n);
      return { m, k, columns, ...rest };
    });

/** The size of the terms of which an element of n = γ·xhat + β is a sum, with and without γ. */
function partsOf(x: Held, mean: Held, rstd: Held, gamma: Held, beta: Held) {
  const [, k] = x.shape;
  const near = unshifted(mean, rstd, 4);
  const xhat = elementwise(
    x.shape,
    (i, p) => Math.abs(x.data[i * k + p] - mean.data[p]) * rstd.data[p] + near[p],
  );
  const n = xhat.map((value, at) => Math.abs(gamma.data[at % k]) * value + Math.abs(beta.data[at % k]));
  return { xhat, n };
}

export const intoDense: Pick<FusionCases, 'batchnormDense' | 'batchnormDenseSums'> = {
  batchnormDense: {
    fusion: fusions.batchnormDense,
    calls: (extent, turn) =>
      shaped(extent, turn, 1).map(({ m, k, columns, range, seed, eps, slope }) => ({
        inputs: [
          drawn([m, k], seed, range),
          drawn([k], seed + 1),
          drawn([k], seed + 2),
          drawn([k, columns], seed + 3),
          drawn([columns], seed + 4),
        ],
        params: { eps, slope },
      })),
    magnitudes: ([x, gamma, beta, W, b], { eps }) => {
      const [m, k] = x.shape;
      const [, columns] = W.shape;
      const { mean, rstd } = statisticsOf(x, eps);
      const { n } = partsOf(x, mean, rstd, gamma, beta);
      const y = elementwise(
        [m, columns],
        (i, j) => sum(k, (p) => n[i * k + p] * Math.abs(W.data[p * columns + j])) + Math.abs(b.data[j]),
      );
      const spread = mean.data.map((mu, p) =>
        Math.max(
          ...Array.from({ length: m }, (_, i) => Math.abs(x.data[i * k + p] - mu)),
          1e-9 * Math.abs(mu),
        ),
      );
      return [y, spread, null, null];
    },
  },
  batchnormDenseSums: {
    fusion: fusions.batchnormDenseSums,
    statistics: [2, 3],
    calls: (extent, turn) =>
      shaped(extent, turn).map(({ m, k, columns, range, seed, eps }) => {
        const x = drawn([m, k], seed, range);
        const { mean, rstd } = statisticsOf(x, eps);
        const dz = drawn([m, columns], seed + 5);
        const rest = [drawn([k], seed + 1), drawn([k], seed + 2), drawn([k, columns], seed + 3)];
        return { inputs: [dz, x, mean, rstd, ...rest], params: {} };
      }),
    magnitudes: ([dz, x, mean, rstd, gamma, beta, W]) => {
      const [m, k] = x.shape;
      const [, columns] = W.shape;
      const { xhat, n } = partsOf(x, mean, rstd, gamma, beta);
      const dn = elementwise([m, k], (i, p) =>
        sum(columns, (j) => Math.abs(dz.data[i * columns + j] * W.data[p * columns + j])),
      );
      const over = (term: (at: number) => number) =>
        Float64Array.from({ length: k }, (_, p) => sum(m, (i) => term(i * k + p)));
      const dW = elementwise([k, columns], (p, j) =>
        sum(m, (i) => n[i * k + p] * Math.abs(dz.data[i * columns + j])),
      );
      return [over((at) => xhat[at] * dn[at]), over((at) => dn[at]), dW];
    },
  },
};
