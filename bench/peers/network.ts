/** A description of a network from which other libraries can build the same network. */
import {
  BatchNorm1d,
  Dense,
  GammaBetaError,
  type Layer,
  LeakyReLU,
  manualSeed,
  ReLU,
} from '../../src/index.ts';
import { type NetName, nets } from '../../src/networks.ts';
import type { NamedTensor } from './contenders/tensor-file.js';

/** One layer. `key` is its index in the network, and the prefix of its names in the state. */
export type LayerDescription = { readonly key: string } & (
  | { readonly type: 'dense'; readonly inputs: number; readonly outputs: number; readonly bias: boolean }
  | { readonly type: 'relu' }
  | { readonly type: 'leakyRelu'; readonly slope: number }
  | {
      readonly type: 'batchNorm';
      readonly features: number;
      readonly eps: number;
      /** The weight of the new batch. */
      readonly momentum: number | null;
      readonly runningVariance: 'unbiased' | 'biased';
    }
);

export interface Network {
  readonly layers: readonly LayerDescription[];
  /** Weights and running statistics, named as in a state dict. Weights are [in, out]. */
  readonly state: Readonly<Record<string, NamedTensor>>;
}

/** The network with its initial weights, as in `npm run mnist`. */
export async function networkOf(net: NetName, seed: number): Promise<Network> {
  manualSeed(seed);
  const model = nets[net]();
  const state: Record<string, NamedTensor> = {};
  for (const [name, value] of Object.entries(model.stateDict())) {
    // Not every library counts the batches, and with these constants no result depends on the count.
    if (name.endsWith('num_batches_tracked')) continue;
    state[name] = { shape: value.shape, data: Float32Array.from(await value.data()) };
  }
  return { layers: model.layers.map((layer, i) => described(layer, String(i))), state };
}

function described(layer: Layer, key: string): LayerDescription {
  if (layer instanceof Dense) {
    const [inputs, outputs] = layer.weight.shape;
    return { key, type: 'dense', inputs, outputs, bias: layer.bias !== null };
  }
  if (layer instanceof ReLU) return { key, type: 'relu' };
  if (layer instanceof LeakyReLU) return { key, type: 'leakyRelu', slope: layer.slope };
  if (layer instanceof BatchNorm1d) {
    const { features, eps, momentum, runningVariance } = layer;
    return { key, type: 'batchNorm', features, eps, momentum, runningVariance };
  }
  throw new GammaBetaError(
    'peers',
    `layer ${key} has no description: ${layer.toString()}`,
    'add it to bench/peers/network.ts and to each contender',
  );
}
