/** The options of optimizers. */
import type { Tensor } from '../tensor/tensor.ts';

/** The option that every optimizer has. */
export interface LearningRate {
  /** The learning rate. */
  readonly lr: number;
}

/** Parameters with their own options, which override those of the optimizer. */
export type ParameterGroup<O> = { readonly params: readonly Tensor[] } & Partial<O>;
export interface SGDOptions {
  /** The learning rate, > 0. */
  readonly lr: number;
  /** μ in [0, 1). Default 0. */
  readonly momentum: number;
  /** τ in [0, 1]: the velocity adds (1 − τ)·g. Default 0. */
  readonly dampening: number;
  /** Whether to use Nesterov momentum, which needs momentum > 0 and dampening 0. Default false. */
  readonly nesterov: boolean;
  /** λ ≥ 0, added to the gradient as λ·w. Default 0. */
  readonly weightDecay: number;
}

export interface AdamOptions {
  /** The learning rate, > 0. Default 1e-3. */
  readonly lr: number;
  /** β₁ and β₂ in [0, 1): the weights of the old values in the moving averages m and v. Default [0.9, 0.999]. */
  readonly betas: readonly [number, number];
  /** ε ≥ 2⁻¹²⁶ ≈ 1.2e-38, added to the root. Default 1e-8. */
  readonly eps: number;
  /** λ ≥ 0. Adam adds λ·w to the gradient (default 0); AdamW subtracts lr·λ·w from the parameter (default 0.01). */
  readonly weightDecay: number;
  /** Whether to divide by the root of the largest second moment so far (Reddi et al. 2018). Default false. */
  readonly amsgrad: boolean;
}

export interface RMSpropOptions {
  /** The learning rate, > 0. Default 0.01. */
  readonly lr: number;
  /** α in [0, 1): the weight of the old value in the moving averages. Default 0.99. */
  readonly alpha: number;
  /** ε ≥ 2⁻¹²⁶ ≈ 1.2e-38, added to the root. Default 1e-8. */
  readonly eps: number;
  /** μ in [0, 1). Default 0. */
  readonly momentum: number;
  /** Whether to divide by the standard deviation of the gradients instead of their root mean square. Default false. */
  readonly centered: boolean;
  /** λ ≥ 0, added to the gradient as λ·w. Default 0. */
  readonly weightDecay: number;
}
