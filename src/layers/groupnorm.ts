/** Group normalization: layer normalization of each group of channels. */
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOptions,
  ShapeError,
  ValueError,
} from '../tensor/errors.ts';
import { ones, zeros } from '../tensor/fill.ts';
import { composite, constant } from '../tensor/op.ts';
import { expand } from '../tensor/ops.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tiny } from '../tensor/tiny.ts';
import { Layer } from './layer.ts';
import { complete } from './registered.ts';
import { layerNorm } from './layernorm.ts';
import type { LayerNormOptions } from './layer-options.ts';

/** The options of `GroupNorm`, which are those of `LayerNorm`. */
export type GroupNormOptions = LayerNormOptions;

/**
 * Group normalization (Wu & He 2018, https://arxiv.org/abs/1803.08494): the channels of each example are split into
 * groups of neighbours, and each group is normalized separately: y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² are the mean
 * and the biased variance of the values of a group, and γ and β have one value per channel.
 *
 * x [N, channels] or [N, channels, …] → the same shape. Behaves as PyTorch's `GroupNorm`, with its state-dict keys
 * `weight` and `bias`. One group on [N, channels] is {@link LayerNorm}; as many groups as channels is instance
 * normalization. A group of equal values, such as a group of one value, gives exactly β.
 *
 * @throws {ValueError} groups or channels is not an integer ≥ 1, channels is not a multiple of groups, eps is not a
 *   finite number ≥ 2⁻¹²⁶ (float32) or 2⁻¹⁰²² (float64), or an option is unknown or not of its type. From `forward`: x is
 *   not a tensor.
 * @throws {ShapeError} From `forward`: x has another number of channels, or fewer than two axes.
 * @example
 * ```ts
 * import { GroupNorm, tensor } from 'gammabeta';
 *
 * const norm = new GroupNorm(2, 4, { eps: 1e-12 });
 * console.log(norm.forward(tensor([[1, 3, 70, 50]])).toArray()); // [ [ -1, 1, 1, -1 ] ]
 * ```
 */
export class GroupNorm extends Layer {
  static {
    complete.add(this);
  }

  readonly groups: number;
  readonly channels: number;
  readonly eps: number;
  /** γ, [channels]; null with `affine: false`. */
  readonly gamma: Tensor | null;
  /** β, [channels]; null with `affine: false`. */
  readonly beta: Tensor | null;

  constructor(groups: number, channels: number, options: GroupNormOptions = {}) {
    super();
    expectOptions('GroupNorm', options, ['eps', 'affine', 'dtype']);
    const { eps = 1e-5, affine = true, dtype = 'float32' } = options;
    expectBoolean('GroupNorm', 'affine', affine);
    this.groups = expectInteger('GroupNorm', 'groups', groups, 1);
    this.channels = expectInteger('GroupNorm', 'channels', channels, 1);
    if (channels % groups !== 0) {
      const problem = `${channels} channels in ${groups} groups`;
      throw new ValueError('GroupNorm', problem, 'channels must be a multiple of groups');
    }
    this.eps = expectNumber('GroupNorm', 'eps', eps, { from: tiny[dtype] });
    const learned = { dtype, requiresGrad: true };
    this.gamma = affine ? this.addParameter('weight', ones([channels], learned)) : null;
    this.beta = affine ? this.addParameter('bias', zeros([channels], learned)) : null;
  }

  override forward(x: Tensor): Tensor {
    const { channels, groups, eps, gamma, beta } = this;
    const { extents: shape } = this.input(x);
    if (shape.length < 2 || shape[1] !== channels) {
      const problem = `expected x [N, ${channels}] or [N, ${channels}, …]: ${formatShape(shape)}`;
      throw new ShapeError(
        this.op,
        problem,
        'x has one row per example, and its second axis has the channels',
      );
    }
    const isPlain = shape.length === 2 && gamma !== null && beta !== null;
    return isPlain ? layerNorm(x, gamma, beta, groups, eps) : inRows(x, gamma, beta, groups, eps);
  }

  override toString(): string {
    return `GroupNorm(${this.groups}, ${this.channels})`;
  }
}

type Arguments = [x: Tensor, gamma: Tensor | null, beta: Tensor | null, groups: number, eps: number];

/**
 * Normalizes the groups of x [N, C, …] as those of a matrix [N, C·L], where L is the size of the other axes. There, γ and
 * β of a channel are repeated L times; so their gradients are summed over these columns.
 */
const inRows: (...args: Arguments) => Tensor = composite((x, gamma, beta, groups, eps) => {
  const [N, C, ...inner] = x.extents;
  const L = sizeOf(inner);
  const perColumn = (v: Tensor | null, without: number) => {
    const perChannel = v?.reshape([C, 1]) ?? constant(x, Array<number>(C).fill(without), [C, 1]);
    return expand(perChannel, [C, L]).reshape([C * L]);
  };
  const [rows, scale, shift] = [x.reshape([N, C * L]), perColumn(gamma, 1), perColumn(beta, 0)];
  const y = L === 0 ? rows.mul(scale).add(shift) : layerNorm(rows, scale, shift, groups, eps);
  return y.reshape(x.extents);
});
