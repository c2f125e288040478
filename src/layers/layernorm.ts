/**
 * Layer normalization (Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450): the op, forward and backward, and the
 * layer.
 *
 * x is [m, C], as in `batchnorm1d.ts`, but each row is normalized separately, and the statistics are sums over its
 * columns c = 1 … C. So a row does not depend on the others, there are no running statistics, and training and evaluation
 * compute the same. Each line of the table is one kernel. `kernels/layernorm.md` derives dx. With several groups
 * (`groupnorm.ts`), the statistics and dx of each group of columns are those of a row.
 *
 * | name      | equation                                    | kernel         |
 * | --------- | ------------------------------------------- | -------------- |
 * | mean      | μᵢ = (1/C) Σ_c x                            | rowMean        |
 * | variance  | σ²ᵢ = (1/C) Σ_c (x − μᵢ)²                   | rowVariance    |
 * | rstd      | 1/√(σ²ᵢ + ε)                                | reciprocalStd  |
 * | xhat      | x̂ = (x − μᵢ)·rstdᵢ                          | normalizeRows  |
 * | y         | y = γ_c·x̂ + β_c                             | scaleShift     |
 * | dbeta     | Σᵢ g                                        | colSum         |
 * | dgamma    | Σᵢ g·x̂                                      | colDot         |
 * | sum, dot  | Σ_c g·γ_c ; Σ_c g·γ_c·x̂                     | rowSum, rowDot |
 * | dx        | rstdᵢ·(g·γ_c − sumᵢ/C − x̂·dotᵢ/C)           | layernormDx    |
 */
import { formatShape } from '../../kernels/shape.ts';
import * as fused from '../../kernels/fused/layernorm.ts';
import { expectBoolean, expectInteger, expectNumber, expectOptions, ShapeError } from '../tensor/errors.ts';
import { ones, zeros } from '../tensor/fill.ts';
import { once } from '../tensor/once.ts';
import { composite, op, runFused } from '../tensor/op.ts';
import type { Kept, Op } from '../tensor/op-definition.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tiny } from '../tensor/tiny.ts';
import type { Value } from '../tensor/value.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';
import type { LayerNormOptions } from './layer-options.ts';

type Arguments = [x: Value, gamma: Value, beta: Value, groups: number, eps: number];

/**
 * y = γ·x̂ + β, where x̂ is x with each group of a row normalized to mean 0 and variance 1. A row has `groups` groups of
 * C / `groups` neighbouring columns. x [m, C], gamma, beta [C] → y [m, C].
 */
export const layerNorm: Op<Arguments> = op<Arguments, Kept & { mean: Value; rstd: Value }>({
  name: 'layerNorm',
  forward: (x, gamma, beta, groups, eps) => {
    const [y, mean, rstd] = runFused(fused.layernormForward, [x, gamma, beta], { groups, eps });
    return { y, mean, rstd };
  },
  backward: (g, { mean, rstd }, x, gamma, _beta, groups) => {
    const all = once(() => runFused(fused.layernormBackward, [g, x, mean, rstd, gamma], { groups }));
    const sums = once(() =>
      x.requiresGrad ? all().slice(1) : runFused(fused.layernormSums, [g, x, mean, rstd], { groups }),
    );
    return [
      () => all()[0], // dx = rstd·(g·γ − sum/C − xhat·dot/C)
      () => sums()[0], // dgamma = Σᵢ g·xhat
      () => sums()[1], // dbeta = Σᵢ g
    ];
  },
});

/**
 * Layer normalization (Ba, Kiros & Hinton 2016): y = γ·(x − μ)/√(σ² + ε) + β, for each row separately.
 *
 * x [..., features] → the same shape. μ and σ² are the mean and the biased variance of the `features` values along the
 * last axis; γ and β have one value per feature. Behaves as PyTorch's `LayerNorm(features)`, with its state-dict keys
 * `weight` and `bias`. To normalize several axes, flatten them first. A row of equal values gives exactly β.
 *
 * Unlike {@link BatchNorm1d}, it takes batches of any size, also of one row, and evaluation computes the same as training.
 *
 * @throws {ValueError} features is not an integer ≥ 1, eps is not a finite number ≥ 2⁻¹²⁶ (float32) or 2⁻¹⁰²² (float64),
 *   or an option is unknown or not of its type. From `forward`: x is not a tensor.
 * @throws {ShapeError} From `forward`: the last axis of x has another number of features.
 * @example
 * ```ts
 * import { LayerNorm, tensor } from 'gammabeta';
 *
 * const norm = new LayerNorm(2, { eps: 1e-12 });
 * console.log(norm.forward(tensor([[1, 3], [30, 10]])).toArray()); // [ [ -1, 1 ], [ 1, -1 ] ]
 * ```
 */
export class LayerNorm extends Layer {
  static {
    complete.add(this);
  }

  readonly features: number;
  readonly eps: number;
  /** γ, [features]; null with `affine: false`. */
  readonly gamma: Tensor | null;
  /** β, [features]; null with `affine: false`. */
  readonly beta: Tensor | null;
  /** γ and β; the constants 1 and 0 with `affine: false`. */
  private readonly scaleAndShift: readonly [gamma: Tensor, beta: Tensor];

  constructor(features: number, options: LayerNormOptions = {}) {
    super();
    expectOptions('LayerNorm', options, ['eps', 'affine', 'dtype']);
    const { eps = 1e-5, affine = true, dtype = 'float32' } = options;
    expectBoolean('LayerNorm', 'affine', affine);
    this.features = expectInteger('LayerNorm', 'features', features, 1);
    this.eps = expectNumber('LayerNorm', 'eps', eps, { from: tiny[dtype] });
    const [gamma, beta] = [ones, zeros].map((make) => make([features], { dtype, requiresGrad: affine }));
    this.scaleAndShift = [gamma, beta];
    for (const constant of this.scaleAndShift) this.addConstant(constant);
    this.gamma = affine ? this.addParameter('weight', gamma) : null;
    this.beta = affine ? this.addParameter('bias', beta) : null;
  }

  override forward(x: Tensor): Tensor {
    const { features, eps } = this;
    const { extents: shape } = this.input(x);
    if (shape.at(-1) !== features) {
      const problem = `expected x [..., ${features}]: ${formatShape(shape)}`;
      const found = shape.length === 0 ? 'x is a scalar' : `the last axis of x has ${shape.at(-1)} features`;
      throw new ShapeError(this.op, problem, `${found}, this layer expects ${features}`);
    }
    const [gamma, beta] = this.scaleAndShift;
    return shape.length === 2 ? layerNorm(x, gamma, beta, 1, eps) : inRows(x, gamma, beta, eps);
  }

  override toString(): string {
    return `LayerNorm(${this.features})`;
  }
}

/** Applies `layerNorm` to x [..., C] as a matrix [m, C]. */
const inRows: (x: Tensor, gamma: Tensor, beta: Tensor, eps: number) => Tensor = composite(
  (x, gamma, beta, eps) => {
    const rows = x.reshape([x.size / gamma.size, gamma.size]);
    return layerNorm(rows, gamma, beta, 1, eps).reshape(x.extents);
  },
);
