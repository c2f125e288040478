/** Where γ and β of a network go while it is trained. */
import { BatchNorm1d, Dense, type Sequential, type Tensor } from '../../../src/index.ts';
import { quantile } from '../cli/quantile.ts';
import { placeName } from './places.ts';

/** γ or β of all units after so many batches. */
export interface PathPoint {
  readonly batch: number;
  /** {@link shares} of the units have at most these values. */
  readonly values: readonly number[];
}

export const shares = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export interface NormPath {
  /** The layer's place among the network's layers. */
  readonly layer: number;
  /** The same in words. */
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

/** Adds where they are now. */
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
