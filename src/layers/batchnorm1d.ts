/**
 * Batch normalization (Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167): the op, forward and backward, and the
 * layer.
 *
 * x is [m, C]: one row per example, one column per feature. Each column is normalized separately, and all sums run over
 * the rows i = 1 … m. Each line of the table is one kernel, a plain loop. The kernels are in `kernels/batchnorm.ts`,
 * which begins with the whole computation for one column; `colSum` and `colDot` are in `kernels/reduce.ts`.
 * `kernels/batchnorm.md` derives dx.
 *
 * | name                   | equation                                        | kernel         |
 * | ---------------------- | ----------------------------------------------- | -------------- |
 * | mean                   | μ = (1/m) Σ xᵢ                                  | colMean        |
 * | variance               | σ² = (1/m) Σ (xᵢ − μ)²                          | colVariance    |
 * | rstd                   | 1/√(σ² + ε)                                     | reciprocalStd  |
 * | xhat                   | x̂ᵢ = (xᵢ − μ)·rstd                              | normalize      |
 * | y                      | yᵢ = γ·x̂ᵢ + β                                   | scaleShift     |
 * | runningMean            | E ← (1−α)·E + α·μ                               | runningAverage |
 * | runningVar             | Var ← (1−α)·Var + α·m/(m−1)·σ²                  | runningAverage |
 * | scale in evaluation    | γ/√(Var + ε)                                    | foldedScale    |
 * | shift in evaluation    | β − scale·E                                     | foldedShift    |
 * | y in evaluation        | yᵢ = scale·xᵢ + shift                           | scaleShift     |
 * | dbeta                  | Σ gᵢ                                            | colSum         |
 * | dgamma                 | Σ gᵢ·x̂ᵢ                                         | colDot         |
 * | dx                     | γ·rstd·(gᵢ − dbeta/m − x̂ᵢ·dgamma/m)             | batchnormDx    |
 *
 * The forward pass keeps x, mean and rstd for the backward pass, which computes x̂ again. `kernels/fused/batchnorm.ts`
 * composes the kernels into the forward and the backward pass. `fuse.ts` merges batch normalization at the input of a
 * network with the dense layer after it, on devices with fused kernels.
 */
import * as kernels from '../../kernels/batchnorm.ts';
import { colDot, colSum } from '../../kernels/reduce.ts';
import * as fused from '../../kernels/fused/batchnorm.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { assign, copy } from '../tensor/assign.ts';
import { full, ones, zeros } from '../tensor/fill.ts';
import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  ShapeError,
  ValueError,
} from '../tensor/errors.ts';
import { composite, constant, op, run, runFused } from '../tensor/op.ts';
import type { Kept, Op } from '../tensor/op-definition.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tiny } from '../tensor/tiny.ts';
import type { Value } from '../tensor/value.ts';
import { Layer } from './layer.ts';
import type { BatchNorm1dOptions } from './layer-options.ts';

/** The mean and variance that each column is normalized with, [C] each. */
type Statistics = Readonly<Record<'mean' | 'variance', Value>>;

/**
 * The running statistics, which each training batch updates in place with the weight α (`kernels.runningAverage`). The
 * correction is the factor of the batch's variance: m/(m−1) for an unbiased running variance, 1 for a biased one.
 */
export type Running = Statistics & Readonly<Record<'alpha' | 'correction', number>>;

type Training = [x: Value, gamma: Value, beta: Value, eps: number, running?: Running];
type Folded = Kept & { scale: Value; rstd: Value; mean: Value };
type Evaluation = [x: Value, gamma: Value, beta: Value, statistics: Statistics, eps: number];

/**
 * Training: mean and variance are computed from x. So y depends on x along three paths: directly, through μ and through
 * σ². x [m, C], gamma, beta [C] → y [m, C].
 */
export const batchNorm: Op<Training> = op<Training, Kept & { mean: Value; rstd: Value }>({
  name: 'batchNorm',
  forward: (x, gamma, beta, eps, running) => {
    if (running === undefined) {
      const [y, mean, , rstd] = runFused(fused.batchnormForward, [x, gamma, beta], { eps });
      return { y, mean, rstd };
    }
    const { alpha, correction } = running;
    const inputs = [x, gamma, beta, running.mean, running.variance];
    const [y, mean, rstd] = runFused(fused.batchnormTraining, inputs, { eps, alpha, correction });
    return { y, mean, rstd };
  },
  backward: (g, { mean, rstd }, x, gamma) => {
    // dx = γ·rstd·(g − dbeta/m − xhat·dgamma/m), dgamma = Σ g·xhat, dbeta = Σ g
    const [dx, dgamma, dbeta] = x.requiresGrad
      ? runFused(fused.batchnormBackward, [g, x, mean, rstd, gamma])
      : [g, ...runFused(fused.batchnormSums, [g, x, mean, rstd])]; // dx is not used
    return [() => dx, () => dgamma, () => dbeta];
  },
});

/** Evaluation: mean and variance are constants, so y = scale·x + shift is linear in x. */
export const batchNormEval: Op<Evaluation> = op<Evaluation, Folded>({
  name: 'batchNormEval',
  forward: (x, gamma, beta, { mean, variance }, eps) => {
    const [y, scale, rstd] = runFused(fused.batchnormInference, [x, gamma, beta, mean, variance], { eps });
    return { y, scale, rstd, mean: copy(mean) }; // a copy, because a later batch may update the running mean
  },
  backward: (g, { scale, rstd, mean }, x, _gamma, beta) => [
    // dx = scale·g: scaleShift with a shift of 0
    () => run(kernels.scaleShift, [g, scale, constant(beta, new Float64Array(beta.size), beta.extents)]),
    () => run(colDot, [g, run(kernels.normalize, [x, mean, rstd])]), // dgamma = Σ g·xhat
    () => run(colSum, [g]), // dbeta = Σ g
  ],
});

const optionNames = ['eps', 'momentum', 'affine', 'trackRunningStats', 'runningVariance', 'dtype'];
const kinds = ['unbiased', 'biased'] as const;

/**
 * Batch normalization (Ioffe & Szegedy 2015): y = γ·(x − μ)/√(σ² + ε) + β, for each feature separately.
 *
 * x [m, features] → y [m, features], or [N, features, L] → [N, features, L], where m = N·L values are normalized
 * together. In training, μ and σ² are the mean and the biased variance of the batch. In evaluation, they are the
 * running mean and variance. Behaves as PyTorch's `BatchNorm1d`. Keras' `BatchNormalization` has other constants: its
 * momentum 0.99 is the weight of the OLD value (use `momentum: 0.01`), its ε is 1e-3, and its running variance is
 * biased (use `runningVariance: 'biased'`).
 *
 * A bias in the layer before it has no effect, and its gradient is 0 up to rounding. So leave it out:
 * `new Dense(…, { bias: false })`.
 *
 * @throws {ValueError} features is not an integer ≥ 1, eps is not a finite number ≥ 2⁻¹²⁶ (float32) or 2⁻¹⁰²² (float64),
 *   momentum is neither in [0, 1] nor null, or an option is unknown or not of its type. From `forward`: x is not a
 *   tensor; in training, the batch has fewer than two values per feature. The running statistics are then unchanged.
 * @throws {ShapeError} From `forward`: x has another number of features, or neither two nor three axes.
 * @example
 * ```ts
 * import { BatchNorm1d, tensor } from 'gammabeta';
 *
 * const norm = new BatchNorm1d(2, { eps: 1e-12 });
 * const y = norm.forward(tensor([[1, 10], [3, 30]]));
 * console.log(y.toArray()); // [ [ -1, -1 ], [ 1, 1 ] ]
 * console.log(norm.runningMean?.toArray(), norm.numBatchesTracked); // [ 0.20000000298023224, 2 ] 1
 * ```
 */
export class BatchNorm1d extends Layer {
  /** @internal */
  override readonly hasModes = true;
  readonly features: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly runningVariance: 'unbiased' | 'biased';
  /** γ, [features]; null with `affine: false`. */
  readonly gamma: Tensor | null;
  /** β, [features]; null with `affine: false`. */
  readonly beta: Tensor | null;
  /** The running mean E, [features]; null with `trackRunningStats: false`. */
  readonly runningMean: Tensor | null;
  /** The running variance Var, [features]; null with `trackRunningStats: false`. */
  readonly runningVar: Tensor | null;
  /** γ and β; the constants 1 and 0 with `affine: false`. */
  private readonly scaleAndShift: readonly [gamma: Tensor, beta: Tensor];
  private batches = 0;
  private warned = false;

  constructor(features: number, options: BatchNorm1dOptions = {}) {
    super();
    expectOptions('BatchNorm1d', options, optionNames);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    const { runningVariance = 'unbiased', dtype = 'float32' } = options;
    expectBoolean('BatchNorm1d', 'affine', affine);
    expectBoolean('BatchNorm1d', 'trackRunningStats', trackRunningStats);
    this.features = expectInteger('BatchNorm1d', 'features', features, 1);
    this.eps = expectNumber('BatchNorm1d', 'eps', eps, { from: tiny[dtype] });
    this.momentum =
      momentum === null ? null : expectNumber('BatchNorm1d', 'momentum', momentum, { from: 0, to: 1 });
    this.runningVariance = expectOneOf('BatchNorm1d', 'runningVariance', runningVariance, kinds);

    const shape = [features];
    const [gamma, beta] = [ones, zeros].map((make) => make(shape, { dtype, requiresGrad: affine }));
    this.scaleAndShift = [gamma, beta];
    for (const constant of this.scaleAndShift) this.addConstant(constant);
    this.gamma = affine ? this.addParameter('weight', gamma) : null;
    this.beta = affine ? this.addParameter('bias', beta) : null;

    this.runningMean = trackRunningStats ? this.addBuffer('running_mean', zeros(shape, { dtype })) : null;
    this.runningVar = trackRunningStats ? this.addBuffer('running_var', ones(shape, { dtype }), 0) : null;
    if (!trackRunningStats) return;
    const read = (): Tensor => full([], this.batches, { dtype });
    const write = (source: Tensor): void => void (this.batches = source.item());
    const check = (source: Tensor): void => void expectInteger(this.op, 'the count', source.item(), 0);
    this.addSlot('num_batches_tracked', { shape: [], read, check, write });
  }

  /** The number of batches in the running statistics. */
  get numBatchesTracked(): number {
    return this.batches;
  }

  override forward(x: Tensor): Tensor {
    this.expectInput(x);
    if (x.extents.length === 2) return this.normalizeColumns(x);
    return inColumns(x, (columns) => this.normalizeColumns(columns));
  }

  /** Resets the running statistics: E = 0, Var = 1, no batches. */
  resetRunningStats(): void {
    if (this.runningMean === null || this.runningVar === null) return;
    assign(this.runningMean, zeros([this.features]));
    assign(this.runningVar, ones([this.features]));
    this.batches = 0;
  }

  override toString(): string {
    return `BatchNorm1d(${this.features})`;
  }

  /** x [m, C] → [m, C]. */
  private normalizeColumns(x: Tensor): Tensor {
    const { runningMean, runningVar } = this;
    if (!this.usesBatch && runningMean !== null && runningVar !== null) {
      this.warnIfUntrained();
      return batchNormEval(x, ...this.scaleAndShift, { mean: runningMean, variance: runningVar }, this.eps);
    }
    const y = batchNorm(x, ...this.trainingArguments(x.extents[0]));
    this.countBatch();
    return y;
  }

  /** @internal Whether x is normalized with its own statistics: in training, and without running statistics. */
  get usesBatch(): boolean {
    return this.training || this.runningMean === null;
  }

  /** @internal The arguments of `batchNorm` after x, for m values per feature. Throws {@link ValueError} if m < 2. */
  trainingArguments(m: number): [gamma: Tensor, beta: Tensor, eps: number, running: Running | undefined] {
    this.expectBatch(m);
    const { runningMean: mean, runningVar: variance, eps } = this;
    const [gamma, beta] = this.scaleAndShift;
    if (mean === null || variance === null) return [gamma, beta, eps, undefined];
    const alpha = this.momentum ?? 1 / (this.batches + 1);
    const correction = this.runningVariance === 'unbiased' ? m / (m - 1) : 1;
    return [gamma, beta, eps, { mean, variance, alpha, correction }];
  }

  /** @internal Counts a batch that updated the running statistics. */
  countBatch(): void {
    if (this.runningMean !== null) this.batches++;
  }

  private expectInput(x: Tensor): void {
    const { features } = this;
    const { extents: shape } = this.input(x);
    const hasAxes = shape.length === 2 || shape.length === 3;
    if (hasAxes && shape[1] === features) return;
    const problem = `expected x [m, ${features}] or [N, ${features}, L]: ${formatShape(shape)}`;
    const misfit = `x has ${shape[1] ?? x.size} features, this layer expects ${features}`;
    const fitting = shape.length < 2 ? [-1, features] : [shape[0], features, -1];
    const canReshape = !hasAxes && x.size % sizeOf(fitting) === 0; // −1 changes only the sign
    throw new ShapeError(this.op, problem, canReshape ? `pass x.reshape(${formatShape(fitting)})` : misfit);
  }

  private expectBatch(m: number): void {
    if (m >= 2) return;
    const problem = `${m} value${m === 1 ? '' : 's'} per feature, in a batch of ${this.features} features`;
    const orEvaluate = this.training ? ', or eval()' : '';
    const hint = `a variance needs at least two values: use a larger batch, dropLast: true${orEvaluate}`;
    throw new ValueError(this.op, problem, hint);
  }

  private warnIfUntrained(): void {
    if (this.batches > 0 || this.warned) return;
    this.warned = true;
    const problem = 'evaluation before any batch was tracked, with a running mean of 0 and variance of 1';
    console.warn(`${this.op}: ${problem}. Hint: train first, or load a state dict`);
  }
}

/**
 * Applies `normalize` to x [N, C, L] as a matrix [N·L, C]. A column holds one feature, at all positions of all
 * examples.
 */
const inColumns: (x: Tensor, normalize: (columns: Tensor) => Tensor) => Tensor = composite((x, normalize) => {
  const [N, C, L] = x.extents;
  const columns = x.transpose().reshape([N * L, C]);
  return normalize(columns).reshape([N, L, C]).transpose();
});
