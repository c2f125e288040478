/** The fusions of layer and group normalization. */
import fc from 'fast-check';
import { reciprocalStd } from '../../../kernels/batchnorm.ts';
import * as fusions from '../../../kernels/fused/index.ts';
import { rowMean, rowVariance } from '../../../kernels/layernorm.ts';
import { drawn, type Range, seeds } from '../cases/case.ts';
import { composer, elementwise, type FusionCases, type Held, held, overRows } from './case.ts';

/** The distributions from which batches are drawn. */
const batches: readonly Range[] = [
  {},
  { low: -3, high: 3, offset: 1.8 },
  { low: -3, high: 3, offset: -1e4 },
  { low: -3, high: 3, offset: 1e6 },
  { low: -1e-3, high: 1e-3 },
  { low: -1000, high: 1000 },
  { low: 3, high: 3 },
  { zeros: 0.9 },
];

/** Random m, groups, and C ≥ 1, where m or C/groups is n; a seed, the distribution of the batch, and ε. */
const shaped = (n: number, turn: number) =>
  fc
    .record({
      other: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 33),
      range: fc.constantFrom(...batches),
      seed: seeds,
      groups: fc.constantFrom(1, 1, 2, 3, 8),
      eps: fc.constantFrom(1e-5, 1e-3, 0.5),
    })
    .map(({ other, groups, ...rest }) => {
      const [m, size] = turn > 0 && n > 0 ? [other, n] : [n, other];
      return { m, C: size * groups, groups, ...rest };
    });

const vector = (n: number, seed: number) => drawn([n], seed, { low: -2, high: 2 });

/** The statistics of float32 values in float64, as the forward pass returns them. */
function statisticsOf(
  { shape, data }: Pick<Held, 'shape' | 'data'>,
  groups: number,
  eps: number,
): { mean: Held; rstd: Held } {
  const x = held(shape, Float64Array.from(data, Math.fround));
  const mean = composer.run(rowMean, [x], { groups });
  const variance = composer.run(rowVariance, [x, mean], { groups });
  return { mean, rstd: composer.run(reciprocalStd, [variance], { eps }) };
}

/** The statistic of element [i, c]. */
const statisticOf = (x: Held, mean: Held) => {
  const groups = mean.data.length / Math.max(1, x.shape[0]);
  const size = x.shape[1] / groups;
  return (i: number, c: number) => i * groups + Math.floor(c / size);
};

/** The largest |x − mean| of the row and group of each element: the size of the terms of a sum over them. */
const farthest = (x: Held, mean: Held) => {
  const of = statisticOf(x, mean);
  const most = mean.data.map(() => 0);
  elementwise(x.shape, (i, c) => {
    const r = of(i, c);
    return (most[r] = Math.max(most[r], Math.abs(x.data[i * x.shape[1] + c] - mean.data[r])));
  });
  return { most, of };
};

/** Σ |g·xhat| and Σ |g| over the rows. */
function sumsOf(g: Held, x: Held, mean: Held, rstd: Held) {
  const { most, of } = farthest(x, mean);
  const at = (i: number, c: number) => Math.abs(g.data[i * x.shape[1] + c]);
  const xhat = (r: number) => most[r] * rstd.data[r];
  return [
    overRows(x.shape, (sum, i, c) => sum + at(i, c) * xhat(of(i, c))),
    overRows(x.shape, (sum, i, c) => sum + at(i, c)),
  ];
}

const backwardCalls = (n: number, turn: number, withGamma: boolean) =>
  shaped(n, turn).map(({ m, C, groups, range, seed, eps }) => {
    const x = drawn([m, C], seed, range);
    const { mean, rstd } = statisticsOf(x, groups, eps);
    const inputs = [drawn([m, C], seed + 1), x, mean, rstd, vector(C, seed + 2)];
    return { inputs: withGamma ? inputs : inputs.slice(0, 4), params: { groups } };
  });

export const layernorms: Pick<FusionCases, 'layernormForward' | 'layernormSums' | 'layernormBackward'> = {
  layernormForward: {
    fusion: fusions.layernormForward,
    calls: (n, turn) =>
      shaped(n, turn).map(({ m, C, groups, range, seed, eps }) => ({
        inputs: [drawn([m, C], seed, range), vector(C, seed + 1), vector(C, seed + 2)],
        params: { groups, eps },
      })),
    magnitudes: ([x, gamma, beta], { groups, eps }) => {
      const { mean, rstd } = statisticsOf(x, groups, eps);
      const { most, of } = farthest(x, mean);
      const y = elementwise(x.shape, (i, c) => {
        const r = of(i, c);
        return Math.abs(gamma.data[c]) * rstd.data[r] * most[r] + Math.abs(beta.data[c]);
      });
      // The error of the mean is relative to the differences from it, and to the last bits of float64 at any offset.
      return [y, mean.data.map((value, r) => most[r] + 1e-9 * Math.abs(value)), null];
    },
  },
  layernormSums: {
    fusion: fusions.layernormSums,
    statistics: [2, 3],
    calls: (n, turn) => backwardCalls(n, turn, false),
    magnitudes: ([g, x, mean, rstd]) => sumsOf(g, x, mean, rstd),
  },
  layernormBackward: {
    fusion: fusions.layernormBackward,
    statistics: [2, 3],
    calls: (n, turn) => backwardCalls(n, turn, true),
    magnitudes: ([g, x, mean, rstd, gamma]) => {
      const C = x.shape[1];
      const { most, of } = farthest(x, mean);
      const scaled = (i: number, c: number) => Math.abs(g.data[i * C + c] * gamma.data[c]);
      const sums = mean.data.map(() => 0);
      elementwise(x.shape, (i, c) => (sums[of(i, c)] += scaled(i, c)));
      const size = (C * x.shape[0]) / mean.data.length;
      const dx = elementwise(x.shape, (i, c) => {
        const r = of(i, c);
        const xhat = most[r] * rstd.data[r];
        return rstd.data[r] * (scaled(i, c) + (sums[r] / size) * (1 + xhat * xhat));
      });
      return [dx, ...sumsOf(g, x, mean, rstd)];
    },
  },
};
