/** The fusions of layer normalization. */
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

/** Random m and C ≥ 1, one of which is n; a seed, the distribution of the batch, and ε. */
const shaped = (n: number, turn: number) =>
  fc
    .record({
      other: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 33),
      range: fc.constantFrom(...batches),
      seed: seeds,
      eps: fc.constantFrom(1e-5, 1e-3, 0.5),
    })
    .map(({ other, ...rest }) => {
      const [m, C] = turn > 0 && n > 0 ? [other, n] : [n, other];
      return { m, C, ...rest };
    });

const vector = (n: number, seed: number) => drawn([n], seed, { low: -2, high: 2 });

/** The statistics of float32 values in float64, as the forward pass returns them. */
function statisticsOf(
  { shape, data }: Pick<Held, 'shape' | 'data'>,
  eps: number,
): { mean: Held; rstd: Held } {
  const x = held(shape, Float64Array.from(data, Math.fround));
  const mean = composer.run(rowMean, [x]);
  const variance = composer.run(rowVariance, [x, mean]);
  return { mean, rstd: composer.run(reciprocalStd, [variance], { eps }) };
}

/** |x − mean| of each element, with the largest of its row: the size of the terms of a sum over the row. */
const distance = (x: Held, mean: Held) => (i: number, c: number) =>
  Math.abs(x.data[i * x.shape[1] + c] - mean.data[i]);

const farthest = (x: Held, mean: Held) => {
  const far = distance(x, mean);
  const most = mean.data.map((_, i) => {
    let value = 0;
    for (let c = 0; c < x.shape[1]; c++) value = Math.max(value, far(i, c));
    return value;
  });
  return (i: number) => most[i];
};

/** Σ |g·xhat| and Σ |g| over the rows. */
function sumsOf(g: Held, x: Held, mean: Held, rstd: Held) {
  const far = farthest(x, mean);
  const at = (i: number, c: number) => Math.abs(g.data[i * x.shape[1] + c]);
  return [
    overRows(x.shape, (sum, i, c) => sum + at(i, c) * far(i) * rstd.data[i]),
    overRows(x.shape, (sum, i, c) => sum + at(i, c)),
  ];
}

const backwardCalls = (n: number, turn: number, withGamma: boolean) =>
  shaped(n, turn).map(({ m, C, range, seed, eps }) => {
    const x = drawn([m, C], seed, range);
    const { mean, rstd } = statisticsOf(x, eps);
    const inputs = [drawn([m, C], seed + 1), x, mean, rstd, vector(C, seed + 2)];
    return { inputs: withGamma ? inputs : inputs.slice(0, 4), params: {} };
  });

export const layernorms: Pick<FusionCases, 'layernormForward' | 'layernormSums' | 'layernormBackward'> = {
  layernormForward: {
    fusion: fusions.layernormForward,
    calls: (n, turn) =>
      shaped(n, turn).map(({ m, C, range, seed, eps }) => ({
        inputs: [drawn([m, C], seed, range), vector(C, seed + 1), vector(C, seed + 2)],
        params: { eps },
      })),
    magnitudes: ([x, gamma, beta], { eps }) => {
      const { mean, rstd } = statisticsOf(x, eps);
      const far = farthest(x, mean);
      const y = elementwise(
        x.shape,
        (i, c) => Math.abs(gamma.data[c]) * rstd.data[i] * far(i) + Math.abs(beta.data[c]),
      );
      // The error of the mean is relative to the differences from it, and to the last bits of float64 at any offset.
      return [y, mean.data.map((value, i) => far(i) + 1e-9 * Math.abs(value)), null];
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
      const far = farthest(x, mean);
      const scaled = (i: number, c: number) => Math.abs(g.data[i * C + c] * gamma.data[c]);
      const sums = mean.data.map((_, i) => {
        let sum = 0;
        for (let c = 0; c < C; c++) sum += scaled(i, c);
        return sum;
      });
      const dx = elementwise(x.shape, (i, c) => {
        const xhat = far(i) * rstd.data[i];
        return rstd.data[i] * (scaled(i, c) + (sums[i] / C) * (1 + xhat * xhat));
      });
      return [dx, ...sumsOf(g, x, mean, rstd)];
    },
  },
};
