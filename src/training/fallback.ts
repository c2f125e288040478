import type { Layer } from '../layers/layer.ts';
import type { LearningRate, Optimizer } from '../optim/optimizer.ts';
import { DeviceLostError } from '../tensor/errors.ts';
import { Recovery } from './recovery.ts';

/** A way to do a part of training. */
export type Attempt = <T>(part: () => Promise<T>) => Promise<T>;

export const once: Attempt = (part) => part();

/** Parts of training that are done again on the CPU, from where the one before ended, if the GPU goes away. */
export async function fallingBack(model: Layer, optimizer: Optimizer<LearningRate>): Promise<Attempt> {
  const recovery = new Recovery({ model, optimizer });
  await recovery.save();
  return async (part) => {
    const saved = async () => {
      const result = await part();
      await recovery.save();
      return result;
    };
    try {
      return await saved();
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      console.warn(`fit: ${error.problem}; training goes on on wasm, from the last step`);
      await recovery.resume('wasm');
      return saved();
    }
  };
}
