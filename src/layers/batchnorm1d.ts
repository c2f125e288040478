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
 *
 * At the input of a network, `batchnorm-dense.ts` beside this file computes the same together with the dense layer that
 * follows, and has less to do.
 */
import * as kernels from '../../kernels/batchnorm.ts';
import { colDot, colSum } from '../../kernels/reduce.ts';
import * as fused from '../../kernels/fused/batchnorm.ts';
import { formatShape } from '../../kernels/shape.ts';
import { full, ones, zeros } from '../tensor/create.ts';
import type { DType } from '../tensor/device/device.ts';
import { expectInteger, expectNumber, expectOptions, ShapeError, ValueError } from '../tensor/errors.ts';
import { builtin, type Kept, once, type Op, run, runFused } from '../tensor/op.ts';
import { enclosed } from '../tensor/memory.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { assign, copy } from '../tensor/assign.ts';
import { batchNormDense } from './batchnorm-dense.ts';
import type { Dense } from './dense.ts';
import { Layer } from './layer.ts';

/** What a column is normalized by: the batch's mean and variance in training, the running ones afterwards. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** The running statistics, which a batch moves: see `kernels.runningAverage`. */
export interface Running extends Statistics {
  readonly alpha: number;
  readonly correction: number;
}

type Training = [x: Tensor, gamma: Tensor, beta: Tensor, eps: number, running?: Running];
type Evaluation = [x: Tensor, gamma: Tensor, beta: Tensor, statistics: Statistics, eps: number];

/** Training: the statistics are those of x, so x reaches y on three paths: directly, through μ, through σ². */
export const batchNorm: Op<Training> = builtin<Training, Kept & { mean: Tensor; rstd: Tensor }>({
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
export const batchNormEval: Op<Evaluation> = builtin<
  Evaluation,
  Kept & { scale: Tensor; rstd: Tensor; mean: Tensor }
>({
  name: 'batchNormEval',
  forward: (x, gamma, beta, { mean, variance }, eps) => {
    const [y, scale, rstd] = runFused(fused.batchnormInference, [x, gamma, beta, mean, variance], { eps });
    return { y, scale, rstd, mean: copy(mean) }; // a later batch may move the running mean
  },
  backward: (g, { scale, rstd, mean }, x, _gamma, beta) => [
    () => run(kernels.scaleShift, [g, scale, zeros(beta.shape, { dtype: beta.dtype, device: beta.home })]),
    () => run(colDot, [g, run(kernels.normalize, [x, mean, rstd])]),
    () => run(colSum, [g]),
  ],
});

/**
 * The backward pass as the paper has it (§3), one equation a line; a line adds up every path by which its
 * value reaches the loss. For readers and tests: the shipped form above is these, simplified, and a
 * property test holds the two equal.
 */
export function paperBackward(
  g: Tensor,
  x: Tensor,
  gamma: Tensor,
  { mean, variance }: Statistics,
  eps: number,
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor } {
  const m = x.shape[0];
  const d = x.sub(mean); // xᵢ − μ
  const rstd = variance.add(eps).pow(-1 / 2);
  const xhat = d.mul(rstd);

  const dxhat = g.mul(gamma);
  const dvariance = dxhat
    .mul(d)
    .sum(0)
    .mul(rstd.pow(3))
    .mul(-1 / 2);
  const dmean = dxhat
    .mul(rstd)
    .sum(0)
    .neg()
    .add(dvariance.mul(d.mul(-2).mean(0)));
  const dx = dxhat
    .mul(rstd)
    .add(dvariance.mul(d).mul(2 / m))
    .add(dmean.mul(1 / m));
  const dgamma = g.mul(xhat).sum(0);
  const dbeta = g.sum(0);
  return { dx, dgamma, dbeta };
}

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
  /** @internal See `isBuiltin`. */
  static readonly builtin = true;

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
    const known = ['eps', 'momentum', 'affine', 'trackRunningStats', 'runningVariance', 'dtype'];
    expectOptions('BatchNorm1d', options, known);
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      trackRunningStats = true,
      dtype = 'float32',
    } = options;
    this.features = expectInteger('BatchNorm1d', 'features', features, 1);
    this.eps = expectNumber('BatchNorm1d', 'eps', eps, { above: 0 });
    this.momentum =
      momentum === null ? null : expectNumber('BatchNorm1d', 'momentum', momentum, { from: 0, to: 1 });
    this.runningVariance = expectKind(options.runningVariance ?? 'unbiased');

    const shape = [features];
    const [gamma, beta] = [ones, zeros].map((make) => make(shape, { dtype, requiresGrad: affine }));
    this.scaleAndShift = [gamma, beta];
    for (const constant of this.scaleAndShift) this.addConstant(constant);
    this.gamma = affine ? this.addParameter('weight', gamma) : null;
    this.beta = affine ? this.addParameter('bias', beta) : null;

    this.runningMean = trackRunningStats ? this.addBuffer('running_mean', zeros(shape, { dtype })) : null;
    this.runningVar = trackRunningStats ? this.addBuffer('running_var', ones(shape, { dtype })) : null;
    if (trackRunningStats) {
      this.addSlot('num_batches_tracked', {
        shape: [],
        read: () => full([], this.numBatchesTracked, { dtype }),
        write: (source) => {
          this.numBatchesTracked = source.item();
        },
      });
    }
  }

  override forward(x: Tensor): Tensor {
    this.expectInput(x);
    if (x.shape.length === 2) return this.normalizeColumns(x);
    const [N, C, L] = x.shape;
    return enclosed(() => {
      const columns = x.transpose().reshape([N * L, C]); // a column holds one feature of all N·L positions
      return this.normalizeColumns(columns).reshape([N, L, C]).transpose();
    });
  }

  /**
   * @internal This layer in training, the dense one behind it, and the activation behind that, in one op; see
   * `ops.dense` for the slope. Null where they are better, or only, computed one by one.
   */
  intoDense(x: Tensor, dense: Dense, slope: number): Tensor | null {
    const { weight, bias } = dense;
    const fits = x.shape.length === 2 && x.shape[1] === this.features && weight.shape[0] === this.features;
    if (!fits || bias === null || x.requiresGrad || !this.usesBatch) return null;
    const [gamma, beta] = this.scaleAndShift;
    const [m] = x.shape;
    this.expectBatch(m);
    const running = this.runningAt(m);
    const y = batchNormDense(x, gamma, beta, weight, bias, { eps: this.eps, slope, running });
    if (running !== undefined) this.numBatchesTracked++;
    return y;
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

  /** Whether x is normalized by its own statistics: in training, or where no others are kept. */
  private get usesBatch(): boolean {
    return this.training || this.runningMean === null;
  }

  /** x is [m, C]. */
  private normalizeColumns(x: Tensor): Tensor {
    const [gamma, beta] = this.scaleAndShift;
    const { runningMean, runningVar } = this;
    if (!this.usesBatch && runningMean !== null && runningVar !== null) {
      this.warnIfUntrained();
      return batchNormEval(x, gamma, beta, { mean: runningMean, variance: runningVar }, this.eps);
    }
    this.expectBatch(x.shape[0]);
    const running = this.runningAt(x.shape[0]);
    const y = batchNorm(x, gamma, beta, this.eps, running);
    if (running !== undefined) this.numBatchesTracked++;
    return y;
  }

  /** Algorithm 2: how a batch of m moves the running statistics, if they are kept. */
  private runningAt(m: number): Running | undefined {
    const { runningMean: mean, runningVar: variance } = this;
    if (mean === null || variance === null) return undefined;
    const alpha = this.momentum ?? 1 / (this.numBatchesTracked + 1);
    const correction = this.runningVariance === 'unbiased' ? m / (m - 1) : 1;
    return { mean, variance, alpha, correction };
  }

  private expectInput(x: Tensor): void {
    const axes = x.shape.length;
    if ((axes === 2 || axes === 3) && x.shape[1] === this.features) return;
    throw new ShapeError(
      this.op,
      `expected x [m, ${this.features}] or [N, ${this.features}, L]: ${formatShape(x.shape)}`,
      axes === 2 || axes === 3
        ? `x has ${x.shape[1]} features, this layer was made for ${this.features}`
        : 'put Flatten() in front, or reshape',
    );
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
    console.warn(
      `${this.op}: evaluation before any batch was tracked: the running statistics are still mean 0, variance 1. ` +
        'Hint: train first, or load a state dict',
    );
  }
}

function expectKind(kind: string): 'unbiased' | 'biased' {
  if (kind === 'unbiased' || kind === 'biased') return kind;
  throw new ValueError('BatchNorm1d', `runningVariance is '${kind}'`, "use 'unbiased' or 'biased'");
}
