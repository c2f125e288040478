/**
 * The launches of WebGPU's own kernels: for each fusion, and for kernels whose form of gpu.js leaves a GPU idle. What
 * they compute is defined by the fusion or kernel of the same name; these plans are checked against it.
 */
import * as batchnorm from '../../../../kernels/gpu/wgsl/batchnorm.ts';
import * as columns from '../../../../kernels/gpu/wgsl/columns.ts';
import * as layernorm from '../../../../kernels/gpu/wgsl/layernorm.ts';
import { MOST_GROUPS, type WgslForm, type Workgroups } from '../../../../kernels/gpu/wgsl/form.ts';
import * as products from '../../../../kernels/gpu/wgsl/product.ts';
import * as softmax from '../../../../kernels/gpu/wgsl/softmax.ts';
import * as update from '../../../../kernels/gpu/wgsl/update.ts';
import type * as fusions from '../../../../kernels/fused/index.ts';
import type { FusionParams } from '../../../../kernels/fused/fusion.ts';
import type { Params, Shape } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';

/** Launches kernels on arrays of type B. */
export interface Launcher<B> {
  /**
   * Launches a form. Its outputs are new arrays of the given sizes; the arrays that it updates come after them. What a
   * plan does not return is freed after it.
   */
  launch(
    form: WgslForm,
    reads: readonly B[],
    outputs: readonly number[],
    numbers: Readonly<Record<string, number>>,
    groups: Workgroups,
    updates?: readonly B[],
  ): readonly B[];
}

export interface Plan<P = Params> {
  /** All forms that it may launch. */
  readonly forms: readonly WgslForm[];
  /** The sizes m, k and n of its product, if it launches one in tiles. */
  product?(shapes: readonly Shape[]): readonly number[];
  run<B>(on: Launcher<B>, inputs: readonly B[], shapes: readonly Shape[], params: P): readonly B[];
}

// ── products ───────────────────────────────────────────────────────────────────────────────────────────

const tileNames = Object.keys(products.tiles) as products.TileName[];

const formsOf = (name: products.ProductName) =>
  Object.fromEntries(
    tileNames.map((tile) => [tile, products.product(name, products.tiles[tile])]),
  ) as Readonly<Record<products.TileName, WgslForm>>;

const tiled = {
  matmul: formsOf('matmul'),
  matmulTransposedA: formsOf('matmulTransposedA'),
  matmulTransposedB: formsOf('matmulTransposedB'),
};

const productForms = (name: products.ProductName) => [...Object.values(tiled[name]), products.productSum];

/** No activation: see `LINEAR` in kernels/fused/dense.ts. */
const LINEAR = 1;

/** y = activation(a·b + bias), for the transposes that `name` says. */
function multiply<B>(
  on: Launcher<B>,
  name: products.ProductName,
  [a, b, bias]: readonly [B, B, B?],
  [m, k, n]: readonly number[],
  slope = LINEAR,
): B {
  const { tile, groups, parts, chunk } = products.divide(m, k, n);
  const biased = bias === undefined ? 0 : 1;
  const finish = parts === 1 ? 1 : 0;
  const numbers = { m, k, n, chunk, finish, biased, slope };
  const [y] = on.launch(tiled[name][tile], [a, b, bias ?? a], [parts * m * n], numbers, groups);
  if (parts === 1) return y;
  const elements = m * n;
  const sum = { parts, elements, n, biased, slope };
  return on.launch(products.productSum, [y, bias ?? a], [elements], sum, update.groupsOf(elements))[0];
}

/** The launches of a kernel, from the loop bounds of its reference. */
export interface KernelPlan {
  readonly forms: readonly WgslForm[];
  /** Whether it launches a product in tiles. */
  readonly multiplies?: boolean;
  /** Whether it is for these sizes. */
  fits(sizes: readonly number[]): boolean;
  readonly run: <B>(on: Launcher<B>, inputs: readonly B[], sizes: readonly number[]) => B;
}

/** Whether workgroups that take 32 rows or columns each are within WebGPU's limits. */
const withinLimits = (extent: number): boolean => extent > 0 && extent <= 32 * MOST_GROUPS;

const productPlan = (name: products.ProductName): KernelPlan => ({
  forms: productForms(name),
  multiplies: true,
  fits: ([m, k, n]) => k > 0 && withinLimits(m) && withinLimits(n),
  run: (on, [a, b], sizes) => multiply(on, name, [a, b], sizes),
});

// ── sums over columns ──────────────────────────────────────────────────────────────────────────────────

/** Launches a form of columns.ts, and adds up the sums of its blocks: its last one or two outputs. */
function sumColumns<B>(
  on: Launcher<B>,
  form: WgslForm,
  reads: readonly B[],
  [m, C]: readonly number[],
  numbers: Readonly<Record<string, number>> = {},
): readonly B[] {
  const { blocks, rows, groups } = columns.blocksOf(m, C);
  const isMatrix = (name: string) => name === 'dz';
  const sizes = form.writes.map((name) => (isMatrix(name) ? m * C : blocks * C));
  const found = on.launch(form, reads, sizes, { m, C, rows, ...numbers }, groups);
  if (blocks === 1) return found;
  const [matrices, sums] = [found.filter((_, k) => isMatrix(form.writes[k])), found.filter((_, k) => !isMatrix(form.writes[k]))]; // prettier-ignore
  const again = columns.blocksOf(blocks, C);
  const adding = sums.length === 1 ? columns.colSum : columns.colSum2;
  const totals = on.launch(
    adding,
    sums,
    sums.map(() => C),
    { m: blocks, C, rows: again.rows },
    again.groups,
  );
  return [...matrices, ...totals];
}

const adding = [columns.colSum, columns.colSum2];

// ── batch normalization ────────────────────────────────────────────────────────────────────────────────

interface Tracking {
  readonly alpha: number;
  readonly correction: number;
}

/** The numbers of an update of running statistics. 1 − α is computed here, in float64. */
const tracking = ({ alpha, correction }: Tracking) => ({ alpha, keep: 1 - alpha, correction });

/** Mean, variance and rstd of each column; with running statistics, mean and rstd, and these are updated. */
function statisticsOf<B>(
  on: Launcher<B>,
  x: B,
  [m, C]: Shape,
  eps: number,
  running?: { readonly arrays: readonly B[]; readonly params: Tracking },
): readonly B[] {
  const { blocks, rows, groups } = columns.blocksOf(m, C);
  const [one, ofBlocks] =
    running === undefined
      ? [columns.statistics, columns.statisticsOfBlocks]
      : [columns.statisticsTracking, columns.statisticsTrackingOfBlocks];
  const outputs = running === undefined ? [C, C, C] : [C, C];
  const numbers = { m, C, rows, eps, ...(running && tracking(running.params)) };
  if (blocks === 1) return on.launch(one, [x], outputs, numbers, groups, running?.arrays);
  const parts = on.launch(columns.moments, [x], [blocks * C, blocks * C], { m, C, rows }, groups);
  const all = { ...numbers, blocks };
  return on.launch(ofBlocks, parts, outputs, all, [groups[0], 1, 1], running?.arrays);
}

const statisticsForms = [columns.statistics, columns.statisticsOfBlocks, columns.moments];

function normalized<B>(on: Launcher<B>, inputs: readonly B[], [m, C]: Shape): B {
  const form = inputs.length === 5 ? batchnorm.normalizeScaleShift : batchnorm.normalize;
  return on.launch(form, inputs, [m * C], { m, C }, batchnorm.groupsOf(m, C))[0];
}

// ── updates of optimizers ──────────────────────────────────────────────────────────────────────────────

/** Updates the parameter w and the state of an optimizer. `shares` are numbers such as 1 − β₂, computed in float64. */
const updatePlan = <P extends Params>(
  form: WgslForm,
  shares: (params: P) => Params = () => ({}),
): Plan<P> => ({
  forms: [form],
  run: (on, [w, g, ...state], [shape], params) => {
    const size = sizeOf(shape);
    const numbers = { size, ...params, ...shares(params) };
    on.launch(form, [g], [], numbers, update.groupsOf(size), [w, ...state]);
    return [];
  },
});

const adamShares = ({ beta1, beta2 }: Params) => ({ share1: 1 - beta1, share2: 1 - beta2 });
const rmspropShare = ({ alpha }: Params) => ({ share: 1 - alpha });

// ── all plans ──────────────────────────────────────────────────────────────────────────────────────────

/** The plans of fusions. */
export const fusionPlans: {
  readonly [Name in keyof typeof fusions]: Plan<FusionParams<(typeof fusions)[Name]>>;
} = {
  batchnormForward: {
    forms: [...statisticsForms, batchnorm.normalizeScaleShift],
    run: (on, [x, gamma, beta], [shape], { eps }) => {
      const [mean, variance, rstd] = statisticsOf(on, x, shape, eps);
      return [normalized(on, [x, mean, rstd, gamma, beta], shape), mean, variance, rstd];
    },
  },
  runningStatistics: {
    forms: [batchnorm.runningStatistics],
    run: (on, [runningMean, runningVar, mean, variance], [[C]], params) => {
      const groups: Workgroups = [Math.ceil(C / 64), 1, 1];
      const arrays = [runningMean, runningVar];
      on.launch(
        batchnorm.runningStatistics,
        [mean, variance],
        [],
        { C, ...tracking(params) },
        groups,
        arrays,
      );
      return [];
    },
  },
  batchnormTraining: {
    forms: [
      columns.statisticsTracking,
      columns.statisticsTrackingOfBlocks,
      columns.moments,
      batchnorm.normalizeScaleShift,
    ],
    run: (on, [x, gamma, beta, runningMean, runningVar], [shape], { eps, alpha, correction }) => {
      const running = { arrays: [runningMean, runningVar], params: { alpha, correction } };
      const [mean, rstd] = statisticsOf(on, x, shape, eps, running);
      return [normalized(on, [x, mean, rstd, gamma, beta], shape), mean, rstd];
    },
  },
  batchnormSums: {
    forms: [columns.batchnormSums, ...adding],
    run: (on, inputs, [shape]) => sumColumns(on, columns.batchnormSums, inputs, shape),
  },
  batchnormBackward: {
    forms: [columns.batchnormSums, ...adding, batchnorm.batchnormDx],
    run: (on, [g, x, mean, rstd, gamma], [shape]) => {
      const [m, C] = shape;
      const [dgamma, dbeta] = sumColumns(on, columns.batchnormSums, [g, x, mean, rstd], shape);
      const inputs = [g, x, mean, rstd, gamma, dgamma, dbeta];
      const [dx] = on.launch(batchnorm.batchnormDx, inputs, [m * C], { m, C }, batchnorm.groupsOf(m, C));
      return [dx, dgamma, dbeta];
    },
  },
  batchnormInference: {
    forms: [batchnorm.batchnormInference],
    run: (on, inputs, [[m, C]], { eps }) =>
      on.launch(batchnorm.batchnormInference, inputs, [m * C, C, C], { m, C, eps }, batchnorm.groupsOf(m, C)),
  },
  batchnormDense: {
    forms: [...statisticsForms, batchnorm.normalizeScaleShift, ...productForms('matmul')],
    product: ([[m, k], , , [, n]]) => [m, k, n],
    run: (on, [x, gamma, beta, W, b], [shape, , , [k, n]], { eps, slope }) => {
      const [mean, variance, rstd] = statisticsOf(on, x, shape, eps);
      const between = normalized(on, [x, mean, rstd, gamma, beta], shape);
      const y = multiply(on, 'matmul', [between, W, b], [shape[0], k, n], slope);
      return [y, mean, variance, rstd];
    },
  },
  batchnormDenseSums: {
    forms: [
      batchnorm.normalize,
      batchnorm.batchnormDenseSums,
      ...adding,
      ...productForms('matmulTransposedA'),
    ],
    product: ([[m, n], [, k]]) => [m, k, n],
    run: (on, [dz, x, mean, rstd, gamma, beta, W], [[m, n], xShape]) => {
      const k = xShape[1];
      const xhat = normalized(on, [x, mean, rstd], xShape);
      const P = multiply(on, 'matmulTransposedA', [xhat, dz], [k, m, n]);
      const [db] = sumColumns(on, columns.colSum, [dz], [m, n]);
      const groups: Workgroups = [Math.min(k, MOST_GROUPS), 1, 1];
      return on.launch(
        batchnorm.batchnormDenseSums,
        [P, db, gamma, beta, W],
        [k, k, k * n],
        { k, n },
        groups,
      );
    },
  },

  layernormForward: {
    forms: [layernorm.layernormForward],
    run: (on, inputs, [[m, C]], { groups: G, eps }) => {
      const rows = m * G;
      const numbers = { m: rows, C: C / G, G, eps };
      return on.launch(
        layernorm.layernormForward,
        inputs,
        [m * C, rows, rows],
        numbers,
        layernorm.groupsOf(rows),
      );
    },
  },
  layernormSums: {
    forms: [columns.layernormSums, ...adding],
    run: (on, inputs, [shape], { groups: G }) => sumColumns(on, columns.layernormSums, inputs, shape, { G }),
  },
  layernormBackward: {
    forms: [layernorm.layernormDx, columns.layernormSums, ...adding],
    run: (on, [g, x, mean, rstd, gamma], [shape], { groups: G }) => {
      const [m, C] = shape;
      const rows = m * G;
      const inputs = [g, x, mean, rstd, gamma];
      const numbers = { m: rows, C: C / G, G };
      const [dx] = on.launch(layernorm.layernormDx, inputs, [m * C], numbers, layernorm.groupsOf(rows));
      return [dx, ...sumColumns(on, columns.layernormSums, [g, x, mean, rstd], shape, { G })];
    },
  },

  dense: {
    forms: productForms('matmul'),
    product: ([[m, k], [, n]]) => [m, k, n],
    run: (on, [x, W, b], [[m, k], [, n]], { slope }) => [multiply(on, 'matmul', [x, W, b], [m, k, n], slope)],
  },
  denseDz: {
    forms: [columns.denseDz, ...adding],
    run: (on, inputs, [shape], { slope }) => sumColumns(on, columns.denseDz, inputs, shape, { slope }),
  },

  softmaxCrossEntropy: {
    forms: [softmax.softmaxCrossEntropy, columns.colSum],
    run: (on, inputs, [[m, K]], { smoothing }) => {
      const { rows, groups } = softmax.rowsOf(m);
      const outputs = [groups[0], m * K];
      const numbers = { m, K, rows, smoothing };
      const [losses, dlogits] = on.launch(softmax.softmaxCrossEntropy, inputs, outputs, numbers, groups);
      const [loss] = groups[0] === 1 ? [losses] : sumColumns(on, columns.colSum, [losses], [groups[0], 1]);
      return [loss, dlogits];
    },
  },

  sgdUpdate: updatePlan(update.sgdUpdate),
  momentumUpdate: updatePlan(update.momentumUpdate, ({ dampening }) => ({ damped: 1 - dampening })),
  adamUpdate: updatePlan(update.adamUpdate, adamShares),
  amsgradUpdate: updatePlan(update.amsgradUpdate, adamShares),
  rmspropUpdate: updatePlan(update.rmspropUpdate, rmspropShare),
  rmspropMomentumUpdate: updatePlan(update.rmspropMomentumUpdate, rmspropShare),
  rmspropCenteredUpdate: updatePlan(update.rmspropCenteredUpdate, rmspropShare),
  rmspropCenteredMomentumUpdate: updatePlan(update.rmspropCenteredMomentumUpdate, rmspropShare),
};

const columnPlan = (form: WgslForm): KernelPlan => ({
  forms: [form, ...adding],
  fits: ([m, C]) => m > 0 && withinLimits(C),
  run: (on, inputs, sizes) => sumColumns(on, form, inputs, sizes)[0],
});

/** The plans of kernels, by name. A sum along the first axis is one over the rows of a matrix. */
export const kernelPlans: Readonly<Record<string, KernelPlan>> = {
  matmul: productPlan('matmul'),
  matmulTransposedA: productPlan('matmulTransposedA'),
  matmulTransposedB: productPlan('matmulTransposedB'),
  colSum: columnPlan(columns.colSum),
  colDot: columnPlan(columns.colDot),
  sumAxis: {
    forms: adding,
    fits: ([outer, n, inner]) => outer === 1 && n > columns.BLOCK && withinLimits(inner),
    run: (on, inputs, [, n, inner]) => sumColumns(on, columns.colSum, inputs, [n, inner])[0],
  },
};

/** Whether the workgroups of a fusion on inputs of these shapes are within WebGPU's limits. */
export function fits(shapes: readonly Shape[]): boolean {
  return shapes.every((shape) => sizeOf(shape) > 0 && (shape.length !== 2 || shape.every(withinLimits)));
}
