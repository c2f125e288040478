/**
 * Layer normalization (Ba, Kiros & Hinton 2016). It treats every example, a row of the batch, on its own: batch
 * normalization with the sums along the other axis.
 *
 * First the whole computation for ONE row of C values, as `batchnorm.ts` has it for one column. Then the same equations
 * as kernels on a matrix x [m, C], one kernel per equation: i names a row (an example), c a column (a feature). Kernels
 * that do not depend on the axis of the sums are those of batch normalization: rstd is `reciprocalStd`, y is
 * `scaleShift`, dgamma and dbeta are `colDot` and `colSum`.
 *
 * Group normalization (Wu & He 2018) splits the columns into groups of neighbours and normalizes each group of a row.
 * These are the same kernels with `groups` > 1: memory holds one group after the other, so x [m, C] is also a matrix of
 * m·groups rows, one per group, and the loops run over that. γ and β still have one value per column of x.
 *
 * `layernorm.md` derives the backward pass from that of batch normalization.
 */
import { ShapeError } from './errors.ts';
import type { Definition, Kernel, Loops, Shape } from './kernel.ts';
import { expectSameShape, formatShape, sameShape } from './shape.ts';

// ── one row ────────────────────────────────────────────────────────────────────────────────────────────

/** A row after the forward pass. */
export interface LayernormRow {
  readonly y: Float64Array;
  readonly mean: number;
  readonly variance: number;
  readonly rstd: number;
  readonly xhat: Float64Array;
}

/** The gradients of a row; dgamma and dbeta are what this row adds to the sums over the batch. */
export interface LayernormRowGradients {
  readonly dx: Float64Array;
  readonly dgamma: Float64Array;
  readonly dbeta: Float64Array;
}

// #region row
/** Forward: y = gamma·xhat + beta, where xhat is x with mean 0 and variance 1. gamma and beta have one value per c. */
export function layernormRow(
  x: Float64Array,
  gamma: Float64Array,
  beta: Float64Array,
  eps: number,
): LayernormRow {
  const C = x.length;
  const [xhat, y] = [new Float64Array(C), new Float64Array(C)];
  let [mean, variance] = [0, 0];
  for (let c = 0; c < C; c++) mean += x[c] / C;
  for (let c = 0; c < C; c++) variance += (x[c] - mean) ** 2 / C;
  const rstd = 1 / Math.sqrt(variance + eps);
  for (let c = 0; c < C; c++) xhat[c] = (x[c] - mean) * rstd;
  for (let c = 0; c < C; c++) y[c] = gamma[c] * xhat[c] + beta[c];
  return { y, mean, variance, rstd, xhat };
}

/** Backward: g[c] = ∂loss/∂y[c] comes in. The forward pass kept x, mean and rstd. */
export function layernormRowBackward(
  g: Float64Array,
  x: Float64Array,
  { mean, rstd }: Pick<LayernormRow, 'mean' | 'rstd'>,
  gamma: Float64Array,
): LayernormRowGradients {
  const C = x.length;
  const [dx, dgamma, dbeta] = [new Float64Array(C), new Float64Array(C), new Float64Array(C)];
  let [sum, dot] = [0, 0];
  const xhat = x.map((xc) => (xc - mean) * rstd); // computed again: cheaper than keeping it
  for (let c = 0; c < C; c++) sum += g[c] * gamma[c];
  for (let c = 0; c < C; c++) dot += g[c] * gamma[c] * xhat[c];
  for (let c = 0; c < C; c++) dgamma[c] = g[c] * xhat[c];
  for (let c = 0; c < C; c++) dbeta[c] = g[c];
  for (let c = 0; c < C; c++) dx[c] = rstd * (g[c] * gamma[c] - sum / C - (xhat[c] * dot) / C);
  return { dx, dgamma, dbeta };
}
// #endregion row

// ── shapes: x is [m, C], a vector [m·groups] holds one value per row and group, a vector [C] one per column ──

/** The number of groups of neighbouring columns that are normalized separately: 1 in layer normalization. */
export interface Groups extends Record<string, number> {
  groups: number;
}

/**
 * Checks that x is [m, C] with C ≥ 1 in groups of the same size, each of `rows` is [m·groups] and each of `columns` is
 * [C]. Returns [m·groups].
 */
function expectRows(
  op: string,
  { groups }: Groups,
  x: Shape,
  rows: readonly Shape[] = [],
  columns: readonly Shape[] = [],
): Shape {
  const [perRow, perColumn] = [[x[0] * groups], x.slice(1)];
  const fits = x.length === 2 && x[1] > 0 && x[1] % groups === 0;
  if (fits && rows.every((v) => sameShape(v, perRow)) && columns.every((v) => sameShape(v, perColumn))) {
    return perRow;
  }
  const inGroups = groups === 1 ? '' : ` in ${groups} groups of columns`;
  const perGroup = groups === 1 ? 'row [m]' : `row and group [${groups}·m]`;
  const vectors = `${rows.length > 0 ? `, one value per ${perGroup}` : ''}${columns.length > 0 ? ', one value per column [C]' : ''}`;
  const shapes = [x, ...rows, ...columns].map(formatShape).join(', ');
  throw new ShapeError(
    op,
    `expected x [m, C] with C ≥ 1${inGroups}${vectors}: ${shapes}`,
    'x has one row per example and one column per feature',
  );
}

/** The loop bounds: rows i, one per row of x and group, and columns c of a group. */
const sizesOf = ([[m, C]]: readonly Shape[], { groups }: Groups): [m: number, C: number] => [
  m * groups,
  C / groups,
];
/** The loop bounds and the number of groups G. γ of row i begins at (i mod G)·C. */
const withGroups = (shapes: readonly Shape[], params: Groups): number[] => [
  ...sizesOf(shapes, params),
  params.groups,
];

// ── statistics of each row ─────────────────────────────────────────────────────────────────────────────

/**
 * mean[i] = (1/C) Σ_c x[i,c], computed as x[i,0] + (1/C) Σ_c (x[i,c] − x[i,0]): the same number, but exact for a constant
 * row. x [m, C] → [m].
 */
export const rowMean: Kernel<Groups> = statistic({ name: 'rowMean', inputs: ['x'] }, (mean, [x], [m, C]) => {
  for (let i = 0; i < m; i++) {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x[i * C + c] - x[i * C];
    mean[i] = x[i * C] + sum / C;
  }
});

/** variance[i] = (1/C) Σ_c (x[i,c] − mean[i])², biased. x [m, C], mean [m] → [m]. */
export const rowVariance: Kernel<Groups> = statistic(
  { name: 'rowVariance', inputs: ['x', 'mean'] },
  (variance, [x, mean], [m, C]) => {
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += (x[i * C + c] - mean[i]) ** 2;
      variance[i] = sum / C;
    }
  },
);

/** A mean or variance per row: x [m, C] and vectors [m] → [m], in float64 where the device has it. */
function statistic(definition: Definition<Groups>, reference: Loops<Groups>): Kernel<Groups> {
  const { name, inputs } = definition;
  return {
    ...definition,
    statistic: true,
    shape: ([x, ...vectors], params) => expectRows(name, params, x, vectors),
    sizes: sizesOf,
    reference,
    cost: ([m, C]) => ({ flops: (inputs.length + 1) * m * C, bytes: 4 * m * C }),
  };
}

// ── forward ────────────────────────────────────────────────────────────────────────────────────────────

/** xhat[i,c] = (x[i,c] − mean[i])·rstd[i]. x [m, C], mean [m], rstd [m] → [m, C]. */
export const normalizeRows: Kernel<Groups> = {
  name: 'normalizeRows',
  inputs: ['x', 'mean', 'rstd'],
  shape: ([x, ...vectors], params) => {
    expectRows('normalizeRows', params, x, vectors);
    return x;
  },
  sizes: sizesOf,
  reference: (xhat, [x, mean, rstd], [m, C]) => {
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < C; c++) xhat[i * C + c] = (x[i * C + c] - mean[i]) * rstd[i];
    }
  },
  cost: ([m, C]) => ({ flops: 2 * m * C, bytes: 8 * m * C }),
};

// ── backward ───────────────────────────────────────────────────────────────────────────────────────────

/** sum[i] = Σ_c g[i,c]·gamma[c]. g [m, C], gamma [C] → [m]. */
export const rowSum: Kernel<Groups> = {
  name: 'rowSum',
  inputs: ['g', 'gamma'],
  shape: ([g, gamma], params) => expectRows('rowSum', params, g, [], [gamma]),
  sizes: withGroups,
  reference: (sum, [g, gamma], [m, C, G]) => {
    for (let i = 0; i < m; i++) {
      let total = 0;
      for (let c = 0; c < C; c++) total += g[i * C + c] * gamma[(i % G) * C + c];
      sum[i] = total;
    }
  },
  cost: ([m, C]) => ({ flops: 2 * m * C, bytes: 4 * m * C }),
};

/** dot[i] = Σ_c g[i,c]·gamma[c]·xhat[i,c]. g, xhat [m, C], gamma [C] → [m]. */
export const rowDot: Kernel<Groups> = {
  name: 'rowDot',
  inputs: ['g', 'xhat', 'gamma'],
  shape: ([g, xhat, gamma], params) =>
    expectRows('rowDot', params, expectSameShape('rowDot', [g, xhat]), [], [gamma]),
  sizes: withGroups,
  reference: (dot, [g, xhat, gamma], [m, C, G]) => {
    for (let i = 0; i < m; i++) {
      let total = 0;
      for (let c = 0; c < C; c++) total += g[i * C + c] * gamma[(i % G) * C + c] * xhat[i * C + c];
      dot[i] = total;
    }
  },
  cost: ([m, C]) => ({ flops: 3 * m * C, bytes: 8 * m * C }),
};

/**
 * dx[i,c] = rstd[i]·(g[i,c]·gamma[c] − sum[i]/C − xhat[i,c]·dot[i]/C).
 *
 * Subtract from g·gamma its mean over the row and its part along xhat: what is left cannot change the mean or the
 * variance of the row. g, xhat [m, C], gamma [C], the others [m] → [m, C].
 */
export const layernormDx: Kernel<Groups> = {
  name: 'layernormDx',
  inputs: ['g', 'xhat', 'gamma', 'rstd', 'dot', 'sum'],
  shape: ([g, xhat, gamma, ...rows], params) => {
    expectRows('layernormDx', params, expectSameShape('layernormDx', [g, xhat]), rows, [gamma]);
    return g;
  },
  sizes: withGroups,
  reference: (dx, [g, xhat, gamma, rstd, dot, sum], [m, C, G]) => {
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < C; c++) {
        const dxhat = g[i * C + c] * gamma[(i % G) * C + c];
        dx[i * C + c] = rstd[i] * (dxhat - sum[i] / C - (xhat[i * C + c] * dot[i]) / C);
      }
    }
  },
  cost: ([m, C]) => ({ flops: 7 * m * C, bytes: 12 * m * C }),
};
