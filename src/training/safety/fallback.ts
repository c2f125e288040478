import type { Layer } from '../../layers/layer.ts';
import type { LearningRate, Optimizer } from '../../optim/optimizer.ts';
import { DeviceLostError } from '../../tensor/errors.ts';
import { Recovery } from './recovery.ts';

/** Runs a part of training, such as one step. */
export type Attempt = <T>(part: () => Promise<T>) => Promise<T>;

export const withoutFallback: Attempt = (part) => part();

/**
 * Returns a function that runs one part of training after the other. If the GPU is lost during a part, training moves
 * to the `wasm` device and repeats the part, from the state that the previous part left. The state is saved after
 * each part, but only on devices that can be lost.
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
      console.warn(`fit: ${error.problem}; training continues on wasm from the last step`);
      await recovery.resume('wasm');
      isGone = true;
      return part();
    }
  };
}
