import type { Layer } from '../../layers/layer.ts';
import type { LearningRate, Optimizer } from '../../optim/optimizer.ts';
import { DeviceLostError } from '../../tensor/errors.ts';
import { Recovery } from './recovery.ts';

/** A way to do a part of training. */
export type Attempt = <T>(part: () => Promise<T>) => Promise<T>;

export const withoutFallback: Attempt = (part) => part();

/**
 * Parts of training, of which one is done again on the CPU, from where the one before ended, if the GPU goes away. On a
 * device that cannot, nothing is saved.
 */
export async function fallingBack(model: Layer, optimizer: Optimizer<LearningRate>): Promise<Attempt> {
  if (model.parameters().every(({ home }) => home.lost === undefined)) return withoutFallback;
  const recovery = new Recovery({ model, optimizer });
  await recovery.save();
  let isGone = false;
  return async (part) => {
    if (isGone) return part();
    try {
      const result = await part();
      await recovery.save();
      return result;
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      console.warn(`fit: ${error.problem}; training goes on on wasm, from the last step`);
      await recovery.resume('wasm');
      isGone = true;
      return part();
    }
  };
}
