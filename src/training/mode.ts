import type { Layer } from '../layers/layer.ts';

/** Runs `work` and leaves every layer in the mode it was found in, whatever happens. */
export async function keepingMode<T>(model: Layer, work: () => Promise<T>): Promise<T> {
  const modes = model.modules().map((layer): [Layer, boolean] => [layer, layer.training]);
  try {
    return await work();
  } finally {
    for (const [layer, training] of modes) layer.training = training;
  }
}
