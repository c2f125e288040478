/** A network of the experiment, described so that other libraries can build the same. */
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

/** One layer; `key` is its place in the network, which begins the names of its state. */
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
  /** Weights and running statistics, as in a state dict: weights are [in, out]. */
  readonly state: Readonly<Record<string, NamedTensor>>;
}

/** The network as `npm run mnist` begins with it. */
export async function networkOf(net: NetName, seed: number): Promise<Network> {
  manualSeed(seed);
  const model = nets[net]();
  const state: Record<string, NamedTensor> = {};
  for (const [name, value] of Object.entries(model.stateDict())) {
    // How many batches were seen: not every library counts, and with these constants nothing depends on it.
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
    `no description of layer ${key}: ${layer.toString()}`,
    'add it to bench/peers/network.ts, and to each contender',
  );
}
