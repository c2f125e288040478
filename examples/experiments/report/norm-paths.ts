/** Records γ and β of a network during training. */
import { BatchNorm1d, Dense, type Sequential, type Tensor } from '../../../src/index.ts';
import { quantile } from '../cli/quantile.ts';
import { placeName } from './places.ts';

/** Quantiles of γ or β over all units, after a number of batches. */
export interface PathPoint {
  readonly batch: number;
  /** The quantiles of {@link shares}. */
  readonly values: readonly number[];
}

export const shares = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export interface NormPath {
  /** The index of the layer in the network. */
  readonly layer: number;
  /** Its position in words. */
  readonly place: string;
  readonly gamma: PathPoint[];
  readonly beta: PathPoint[];
}

export function pathsOf(model: Sequential): NormPath[] {
  return model.layers.flatMap((layer, i) => {
    if (!(layer instanceof BatchNorm1d) || layer.gamma === null) return [];
    const dense = model.layers.slice(0, i).filter((before) => before instanceof Dense).length;
    return [{ layer: i, place: placeName('batch norm', dense), gamma: [], beta: [] }];
  });
}

/** Appends the current γ and β. */
export async function record(paths: readonly NormPath[], model: Sequential, batch: number): Promise<void> {
  for (const { layer: place, gamma, beta } of paths) {
    const layer = model.layers[place];
    if (!(layer instanceof BatchNorm1d) || layer.gamma === null || layer.beta === null) continue;
    gamma.push({ batch, values: await quantiles(layer.gamma) });
    beta.push({ batch, values: await quantiles(layer.beta) });
  }
}

async function quantiles(values: Tensor): Promise<number[]> {
  const sorted = Float32Array.from(await values.data()).sort();
  return shares.map((share) => quantile(sorted, share));
}
