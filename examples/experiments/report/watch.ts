/** Measures a network before, during and after training, for the report. */
import { DataLoader, type Dataset, type Sequential, take } from '../../../src/index.ts';
import { type NormPath, pathsOf, record } from './norm-paths.ts';
import { predict } from './predictions.ts';
import { type LayerValues, measureLayers } from './layer-values.ts';

/** The measurements. */
export interface Inside {
  readonly start: readonly LayerValues[];
  readonly end: readonly LayerValues[];
  readonly paths: readonly NormPath[];
  /** The prediction of the trained network for each held-out image. */
  readonly predictions: Uint8Array;
}

export interface Watch {
  /** Call it after each batch. */
  readonly batch: () => Promise<void>;
  /** Call it after training. */
  readonly end: () => Promise<Inside>;
}

/** The number of images for which activations and gradients are measured. */
export const PROBED = 256;
const POINTS = 50;

/**
 * Starts measuring; it does not change the training.
 *
 * @param batches The total number of batches in the training.
 */
export async function watch(model: Sequential, heldOut: Dataset, batches: number): Promise<Watch> {
  const count = heldOut.labels.length;
  const batchSize = Math.min(PROBED, count);
  const [images] = new DataLoader(take(heldOut, batchSize), { batchSize });
  const look = () => (count < 2 ? Promise.resolve([]) : measureLayers(model, images)); // one image has no variance
  const start = await look();
  const paths = pathsOf(model);
  await record(paths, model, 0);
  const every = Math.max(1, Math.round(batches / POINTS));
  let seen = 0;
  return {
    batch: async () => {
      seen++;
      if (seen % every === 0) await record(paths, model, seen);
    },
    end: async () => {
      if (seen % every !== 0) await record(paths, model, seen);
      return { start, end: await look(), paths, predictions: await predict(model, heldOut) };
    },
  };
}
