/**
 * Batch normalization, forward and backward (Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167).
 *
 * x is [m, C], and every sum runs over the batch i, for each feature column on its own. The kernels are
 * one equation each, in `kernels/batchnorm.ts`; `kernels/batchnorm.md` derives the last line.
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
 * | y in evaluation        | γ/√(Var+ε)·x + (β − γ·E/√(Var+ε))               | scaleShift     |
 * | dbeta                  | Σ gᵢ                                            | colSum         |
 * | dgamma                 | Σ gᵢ·x̂ᵢ                                         | colDot         |
 * | dx                     | γ·rstd·(gᵢ − dbeta/m − x̂ᵢ·dgamma/m)             | batchnormDx    |
 */
import * as kernels from '../../kernels/batchnorm.ts';
import { colDot, colSum } from '../../kernels/reduce.ts';
import * as fused from '../../kernels/fused/batchnorm.ts';
import { formatShape } from '../../kernels/shape.ts';
import { assign, copy } from '../tensor/assign.ts';
import { full, ones, zeros } from '../tensor/fill.ts';
import type { DType } from '../tensor/device/device.ts';
import {
  expectInteger,
  expectNumber,
  expectOneOf,
  expectOptions,
  ShapeError,
  ValueError,
} from '../tensor/errors.ts';
import { composite, constant, type Kept, once, op, type Op, run, runFused } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Value } from '../tensor/value.ts';
import { Layer } from './layer.ts';

/** What a column is normalized by: the batch's mean and variance in training, the running ones afterwards. */
export interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
}

/** The running statistics, which a batch moves: see `kernels.runningAverage`. */
export interface Running extends Statistics {
  readonly alpha: number;
  readonly correction: number;
}

type Training = [x: Value, gamma: Value, beta: Value, eps: number, running?: Running];
type Evaluation = [x: Value, gamma: Value, beta: Value, statistics: Statistics, eps: number];

/** Training: the statistics are those of x, so x reaches y on three paths: directly, through μ, through σ². */
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
    const all = once(() => runFused(fused.batchnormBackward, [g, x, mean, rstd, gamma]));
    const sums = once(() =>
      x.requiresGrad ? all().slice(1) : runFused(fused.batchnormSums, [g, x, mean, rstd]),
    );
    return [
      () => all()[0], // dx = γ·rstd·(g − dbeta/m − xhat·dgamma/m)
      () => sums()[0], // dgamma = Σ g·xhat
      () => sums()[1], // dbeta = Σ g
    ];
  },
});

/** Evaluation: the statistics are constants, so y = scale·x + shift is linear in x. */
export const batchNormEval: Op<Evaluation> = op<
  Evaluation,
  Kept & { scale: Value; rstd: Value; mean: Value }
>({
  name: 'batchNormEval',
  forward: (x, gamma, beta, { mean, variance }, eps) => {
    const [y, scale, rstd] = runFused(fused.batchnormInference, [x, gamma, beta, mean, variance], { eps });
    return { y, scale, rstd, mean: copy(mean) }; // a later batch may move the running mean
  },
  backward: (g, { scale, rstd, mean }, x, _gamma, beta) => [
    () => run(kernels.scaleShift, [g, scale, constant(beta, new Float64Array(beta.size), beta.shape)]),
    () => run(colDot, [g, run(kernels.normalize, [x, mean, rstd])]),
    () => run(colSum, [g]),
  ],
});

export interface BatchNorm1dOptions {
  /** ε, added to the variance. 1e-5, as in PyTorch; Keras has 1e-3. */
  readonly eps?: number;
  /** α, the weight of the NEW batch in the running statistics; `null` averages all batches alike. 0.1. */
  readonly momentum?: number | null;
  /** Whether to learn γ and β. True. */
  readonly affine?: boolean;
  /** Whether to keep running statistics; without, evaluation uses the batch's. True. */
  readonly trackRunningStats?: boolean;
  /** Which batch variance the running one averages: m/(m−1)·σ² (paper, PyTorch) or σ² (Keras). `'unbiased'`. */
  readonly runningVariance?: 'unbiased' | 'biased';
  readonly dtype?: DType;
}

const optionNames = ['eps', 'momentum', 'affine', 'trackRunningStats', 'runningVariance', 'dtype'];
const kinds = ['unbiased', 'biased'] as const;

/**
 * Batch normalization over a batch of features: y = γ·(x − μ)/√(σ² + ε) + β, for each column on its own.
 *
 * x is [m, features], or [N, features, L] with m = N·L. In training μ and σ² are the batch's mean and
 * biased variance; in evaluation the running ones. The behaviour is PyTorch's `BatchNorm1d`. Keras'
 * differs in its constants: its momentum 0.99 weighs the OLD value (write `momentum: 0.01`), its ε is 1e-3,
 * and its running variance is biased (write `runningVariance: 'biased'`).
 *
 * A bias before it has no effect, and a gradient of zero up to rounding: use `new Dense(…, { bias: false })`.
 *
 * @throws {ValueError} features is not an integer ≥ 1, eps is not a finite number > 0, momentum is neither
 *   in [0, 1] nor null, or an option is unknown. From `forward` in training: fewer than two values per
 *   feature; the running statistics are left as they were.
 * @throws {ShapeError} From `forward`: another number of features, or neither two nor three axes.
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
  readonly features: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly runningVariance: 'unbiased' | 'biased';
  /** γ, [features]; null with `affine: false`. */
  readonly gamma: Tensor | null;
  /** β, [features]; null with `affine: false`. */
  readonly beta: Tensor | null;
  /** E, [features]; null with `trackRunningStats: false`. */
  readonly runningMean: Tensor | null;
  /** Var, [features]; null with `trackRunningStats: false`. */
  readonly runningVar: Tensor | null;
  /** How many batches the running statistics have seen. */
  numBatchesTracked = 0;

  /** γ and β, or the constants 1 and 0 in their place. */
  private readonly scaleAndShift: readonly [gamma: Tensor, beta: Tensor];
  private warned = false;

  constructor(features: number, options: BatchNorm1dOptions = {}) {
    super();
    expectOptions('BatchNorm1d', options, optionNames);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    const { runningVariance = 'unbiased', dtype = 'float32' } = options;
    this.features = expectInteger('BatchNorm1d', 'features', features, 1);
    this.eps = expectNumber('BatchNorm1d', 'eps', eps, { above: 0 });
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
    this.runningVar = trackRunningStats ? this.addBuffer('running_var', ones(shape, { dtype })) : null;
    if (!trackRunningStats) return;
    const read = (): Tensor => full([], this.numBatchesTracked, { dtype });
    const write = (source: Tensor): void => void (this.numBatchesTracked = source.item());
    this.addSlot('num_batches_tracked', { shape: [], read, write });
  }

  override forward(x: Tensor): Tensor {
    this.expectInput(x);
    return x.shape.length === 2
      ? this.normalizeColumns(x)
      : inColumns(x, (columns) => this.normalizeColumns(columns));
  }

  /** Forgets all batches: E = 0, Var = 1. */
  resetRunningStats(): void {
    if (this.runningMean === null || this.runningVar === null) return;
    assign(this.runningMean, zeros([this.features]));
    assign(this.runningVar, ones([this.features]));
    this.numBatchesTracked = 0;
  }

  override toString(): string {
    return `BatchNorm1d(${this.features})`;
  }

  /** x is [m, C]. */
  private normalizeColumns(x: Tensor): Tensor {
    const { runningMean, runningVar } = this;
    if (!this.usesBatch && runningMean !== null && runningVar !== null) {
      const [gamma, beta] = this.scaleAndShift;
      this.warnIfUntrained();
      return batchNormEval(x, gamma, beta, { mean: runningMean, variance: runningVar }, this.eps);
    }
    const y = batchNorm(x, ...this.trainingArguments(x.shape[0]));
    this.countBatch();
    return y;
  }

  /** @internal Whether x is normalized by its own statistics: in training, or where no others are kept. */
  get usesBatch(): boolean {
    return this.training || this.runningMean === null;
  }

  /** @internal The arguments of `batchNorm` for a batch of m values per feature. Throws if m < 2. */
  trainingArguments(m: number): [gamma: Tensor, beta: Tensor, eps: number, running: Running | undefined] {
    this.expectBatch(m);
    const { runningMean: mean, runningVar: variance, eps } = this;
    if (mean === null || variance === null) return [...this.scaleAndShift, eps, undefined];
    const alpha = this.momentum ?? 1 / (this.numBatchesTracked + 1);
    const correction = this.runningVariance === 'unbiased' ? m / (m - 1) : 1;
    return [...this.scaleAndShift, eps, { mean, variance, alpha, correction }];
  }

  /** @internal Counts a batch that moved the running statistics. */
  countBatch(): void {
    if (this.runningMean !== null) this.numBatchesTracked++;
  }

  private expectInput(x: Tensor): void {
    const { shape } = x;
    const hasAxes = shape.length === 2 || shape.length === 3;
    if (hasAxes && shape[1] === this.features) return;
    const problem = `expected x [m, ${this.features}] or [N, ${this.features}, L]: ${formatShape(shape)}`;
    const misfit = `x has ${shape[1]} features, this layer was made for ${this.features}`;
    throw new ShapeError(this.op, problem, hasAxes ? misfit : 'put Flatten() in front, or reshape');
  }

  private expectBatch(m: number): void {
    if (m >= 2) return;
    throw new ValueError(
      this.op,
      `${m} value${m === 1 ? '' : 's'} per feature, in a batch of ${this.features} features`,
      `a batch has no variance with fewer than two: use a larger batch, dropLast: true${this.training ? ', or eval()' : ''}`,
    );
  }

  private warnIfUntrained(): void {
    if (this.numBatchesTracked > 0 || this.warned) return;
    this.warned = true;
    const problem =
      'evaluation before any batch was tracked: the running statistics are still mean 0, variance 1';
    console.warn(`${this.op}: ${problem}. Hint: train first, or load a state dict`);
  }
}

/** [N, C, L] as columns: a column holds one feature of all N·L positions. */
const inColumns: (x: Tensor, normalize: (columns: Tensor) => Tensor) => Tensor = composite((x, normalize) => {
  const [N, C, L] = x.shape;
  const columns = x.transpose().reshape([N * L, C]);
  return normalize(columns).reshape([N, L, C]).transpose();
});
