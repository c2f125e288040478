import type { Layer } from '../layers/layer.ts';

/** Runs `work`, then restores the mode (training or evaluation) of each layer, even if `work` throws. */
export async function keepingMode<T>(model: Layer, work: () => Promise<T>): Promise<T> {
  const modes = model.modules().map((layer): [Layer, boolean] => [layer, layer.training]);
  try {
    return await work();
  } finally {
    for (const [layer, training] of modes) layer.training = training;
  }
}
