import { blend } from '../../kernels/update.ts';
import { run } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** g + λ·w: the gradient with L2 weight decay, as PyTorch's Adam and RMSprop apply it. */
export function decayed(g: Tensor, w: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? g : run(blend, [g, w], { alpha: 1, beta: weightDecay });
}
