/** The options of layers and losses. */
import type { DType } from '../tensor/device/device.ts';
import type { TensorData } from '../tensor/nested.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Initializer } from './init.ts';

export interface DenseOptions {
  /** Whether to add b. Default true. Use false in front of batch normalization, which subtracts any constant. */
  readonly bias?: boolean;
  /** The initializer of the weight, called with [in, out] and the dtype. Default: uniform over ±1/√in. */
  readonly init?: Initializer;
  /** The element type of the parameters. Default `float32`. */
  readonly dtype?: DType;
}

export interface BatchNorm1dOptions {
  /**
   * ε, added to the variance: at least 2⁻¹²⁶ ≈ 1.2e-38 in float32, 2⁻¹⁰²² in float64. Default 1e-5, as in PyTorch;
   * Keras' default is 1e-3.
   */
  readonly eps?: number;
  /**
   * α in [0, 1], the weight of the NEW batch in the running statistics. `null`: the mean of all batches. Default 0.1.
   */
  readonly momentum?: number | null;
  /** Whether to learn γ and β; otherwise γ = 1 and β = 0. Default true. */
  readonly affine?: boolean;
  /** Whether to keep running statistics; otherwise evaluation uses the statistics of the batch. Default true. */
  readonly trackRunningStats?: boolean;
  /**
   * The batch variance in the running average: `'unbiased'`, m/(m−1)·σ² (paper, PyTorch; default), or `'biased'`, σ²
   * (Keras).
   */
  readonly runningVariance?: 'unbiased' | 'biased';
  /** The element type of the parameters and buffers. Default `float32`. */
  readonly dtype?: DType;
}

export interface LayerNormOptions {
  /** ε, added to the variance: at least 2⁻¹²⁶ ≈ 1.2e-38 in float32, 2⁻¹⁰²² in float64. Default 1e-5, as in PyTorch. */
  readonly eps?: number;
  /** Whether to learn γ and β; otherwise γ = 1 and β = 0. PyTorch's `elementwise_affine`. Default true. */
  readonly affine?: boolean;
  /** The element type of the parameters. Default `float32`. */
  readonly dtype?: DType;
}

export interface EmbeddingOptions {
  /** The initializer of the weight. Default `randn`, as in PyTorch. */
  readonly init?: Initializer;
  /** The element type of the weight. Default `float32`. */
  readonly dtype?: DType;
}

/** How the losses of a batch are reduced: to their mean, to their sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Class indices, as an array or a tensor of integers. */
export type Labels = ArrayLike<number> | Tensor;

export interface CrossEntropyOptions {
  /** `'mean'` (default) averages over the labels that are not ignored; with class weights, it is a weighted mean. */
  readonly reduction?: Reduction;
  /** s in [0, 1]: the target of class k, of K classes, is s/K, plus 1−s if k is the label. Default 0. */
  readonly labelSmoothing?: number;
  /** Rows with this label are ignored: their loss and gradient are 0. Default −100, as in PyTorch. */
  readonly ignoreIndex?: number;
  /** w [classes], numbers ≥ 0: the loss of a row with label k is multiplied by w[k]. Default: 1 for all classes. */
  readonly weight?: ArrayLike<number> | Tensor;
}

export interface BceWithLogitsOptions {
  /** `'mean'` (default) over all values, also with weights; `'sum'`, or `'none'`: one loss per value. */
  readonly reduction?: Reduction;
  /** w ≥ 0, by which each loss is multiplied. Its shape broadcasts to that of the logits. Default 1. */
  readonly weight?: TensorData | Tensor;
  /** p ≥ 0, by which the part of the loss for y = 1 is multiplied. Its shape broadcasts. Default 1. */
  readonly posWeight?: TensorData | Tensor;
}

export interface HuberOptions {
  /** δ > 0: errors up to δ are squared, larger ones count linearly. Default 1. */
  readonly delta?: number;
  /** `'mean'` (default), `'sum'`, or `'none'`: one loss per value. */
  readonly reduction?: Reduction;
}
