import { expectAtMost, expectNumber, expectTensors, ValueError } from '../tensor/errors.ts';
import { ones } from '../tensor/fill.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite } from '../tensor/op.ts';
import { noGrad } from '../tensor/tape.ts';
import { PARAMETERS } from './optimizer.ts';

/** Avoids a division by 0 if all gradients are 0. The value is PyTorch's. */
const TINY = 1e-6;

/**
 * Clips the norm of the gradients: multiplies all of them by min(1, max/(‖g‖ + 1e-6)), where ‖g‖ = √Σ g² is the norm
 * over all parameters (Pascanu et al. 2013; PyTorch's `clip_grad_norm_`). Call it between `backward()` and `step()`.
 *
 * @param max The largest norm, > 0.
 * @returns The norm before clipping, as a single value on the device of the parameters.
 * @throws {ValueError} params is not an array of tensors, max is not a finite number > 0, or no parameter has a gradient.
 * @example
 * ```ts
 * import { clipGradNorm, tensor } from 'gammabeta';
 *
 * const w = tensor([0, 0], { requiresGrad: true });
 * w.mul(tensor([3, 4])).sum().backward();
 * console.log(clipGradNorm([w], 1).item()); // 5
 * console.log(Array.from(w.grad?.dataSync() ?? [], (x) => x.toFixed(3))); // [ '0.600', '0.800' ]
 * ```
 */
export const clipGradNorm: (params: readonly Tensor[], max: number) => Tensor = composite(
  (params, max, ...none: never[]) => {
    expectAtMost('clipGradNorm', 2 + none.length, 2, 'the norm is the L2 norm');
    expectTensors('clipGradNorm', 'params', params, PARAMETERS);
    expectNumber('clipGradNorm', 'max', max, { above: 0 });
    const parameters = [...new Set(params)]; // a shared one counts once
    const gradients = parameters.flatMap(({ grad }) => grad ?? []);
    if (gradients.length === 0) {
      throw new ValueError('clipGradNorm', 'no parameter has a gradient', 'call it after backward()');
    }
    return noGrad(() => {
      const squares = gradients.map((g) => g.mul(g).sum());
      const norm = squares.reduce((total, square) => total.add(square)).sqrt();
      const one = ones([], { dtype: norm.dtype, device: norm.home });
      const factor = one.div(norm.add(TINY)).mul(-max).maximum(-1).neg(); // min(1, max/(norm + TINY))
      for (const w of parameters) if (w.grad !== null) w.grad = w.grad.mul(factor);
      return norm;
    });
  },
);
