/** Freezes layers: training leaves them as they are. */
import { expectLayer } from './expect-layer.ts';
import type { Layer } from './layer.ts';

/**
 * Freezes a layer and all layers inside it, for fine-tuning. A frozen layer is in evaluation mode, so batch
 * normalization uses its running statistics and does not change them. Its parameters require no gradient, so optimizers
 * skip them. `train()` and `fit` leave a frozen layer in evaluation mode.
 *
 * @returns The layer.
 * @throws {ValueError} The argument is not a layer.
 * @example
 * ```ts
 * import { BatchNorm1d, Dense, freeze, Sequential } from 'gammabeta';
 *
 * const backbone = new Sequential(new Dense(4, 8), new BatchNorm1d(8));
 * const model = new Sequential(backbone, new Dense(8, 2));
 * freeze(backbone);
 * model.train();
 * console.log(backbone.training, backbone.parameters().some((p) => p.requiresGrad)); // false false
 * ```
 */
export function freeze<L extends Layer>(layer: L): L {
  for (const inner of expectLayer('freeze', layer).modules()) {
    if (inner.frozen !== null) continue;
    const stopped = inner.parameters().filter((p) => p.requiresGrad);
    for (const p of stopped) {
      p.requiresGrad = false;
      p.grad = null;
    }
    inner.frozen = { stopped, training: inner.training };
    inner.training = false;
  }
  return layer;
}

/**
 * Undoes `freeze` for a layer and all layers inside it: the parameters whose gradients `freeze` stopped require them
 * again, and each layer is in the mode in which it would be without `freeze`.
 *
 * @returns The layer.
 * @throws {ValueError} The argument is not a layer.
 * @example
 * ```ts
 * import { Dense, freeze, unfreeze } from 'gammabeta';
 *
 * const dense = unfreeze(freeze(new Dense(4, 8)));
 * console.log(dense.training, dense.weight.requiresGrad); // true true
 * ```
 */
export function unfreeze<L extends Layer>(layer: L): L {
  for (const inner of expectLayer('unfreeze', layer).modules()) {
    if (inner.frozen === null) continue;
    for (const p of inner.frozen.stopped) p.requiresGrad = true;
    inner.training = inner.frozen.training;
    inner.frozen = null;
  }
  return layer;
}
