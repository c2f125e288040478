/** Random small networks in float64, for the laws of training. */
import fc from 'fast-check';
import {
  BatchNorm1d,
  Dense,
  Dropout,
  GroupNorm,
  type Layer,
  LayerNorm,
  LeakyReLU,
  manualSeed,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
  type Tensor,
  uniform,
} from '../../src/index.ts';

const float64 = { dtype: 'float64' } as const;
/** Of normalizations: with ε = 0.1, errors stay small. */
const options = { ...float64, eps: 0.1 };

/** Layers by name: from the number of features that come in, and the number that a dense layer puts out. */
const makers: Record<string, (features: number, outputs: number) => Layer> = {
  Dense: (features, outputs) => new Dense(features, outputs, float64),
  'Dense without bias': (features, outputs) => new Dense(features, outputs, { ...float64, bias: false }),
  BatchNorm1d: (features) => withParameters(new BatchNorm1d(features, options)),
  LayerNorm: (features) => withParameters(new LayerNorm(features, options)),
  GroupNorm: (features) => withParameters(new GroupNorm(features % 2 === 0 ? 2 : 1, features, options)),
  ReLU: () => new ReLU(),
  LeakyReLU: () => new LeakyReLU(0.3),
  Sigmoid: () => new Sigmoid(),
  Tanh: () => new Tanh(),
  Dropout: () => new Dropout(0),
};

/** Sets γ and β to other values than 1 and 0. */
function withParameters(layer: BatchNorm1d | LayerNorm | GroupNorm): Layer {
  const shape = layer.parameters()[0].shape;
  const [weight, bias] = [0, 1].map(() => uniform(shape, 0.5, 1.5, float64));
  layer.loadStateDict({ weight, bias }, { strict: false });
  return layer;
}

interface LayerSpec {
  readonly kind: string;
  readonly outputs: number;
}

export interface NetworkSpec {
  readonly seed: number;
  readonly batch: number;
  readonly features: number;
  /** An inner array is a nested `Sequential`. */
  readonly layers: readonly (LayerSpec | readonly LayerSpec[])[];
}

const outputs = fc.integer({ min: 1, max: 5 });
const layer = fc.record({ kind: fc.constantFrom(...Object.keys(makers)), outputs });
const nested = fc.array(layer, { minLength: 1, maxLength: 4, size: 'max' });

/** Networks of up to 8 layers, with or without batch normalization in front. */
export const networkSpecs: fc.Arbitrary<NetworkSpec> = fc.record({
  seed: fc.nat(),
  batch: fc.integer({ min: 3, max: 7 }),
  features: fc.integer({ min: 1, max: 5 }),
  layers: fc.array(fc.oneof({ arbitrary: layer, weight: 5 }, { arbitrary: nested, weight: 1 }), {
    minLength: 1,
    maxLength: 8,
    size: 'max',
  }),
});

/** The network, its input, and its layers without the nesting. The last layer is dense, so there are parameters. */
export function build({ seed, batch, features, layers }: NetworkSpec): {
  readonly model: Sequential;
  readonly x: Tensor;
  readonly flat: readonly Layer[];
} {
  manualSeed(seed);
  const x = uniform([batch, features], -1, 1, float64);
  const flat: Layer[] = [];
  let width = features;
  const make = ({ kind, outputs }: LayerSpec): Layer => {
    const made = makers[kind](width, outputs);
    if (made instanceof Dense) width = outputs;
    flat.push(made);
    return made;
  };
  const outer = layers.map((spec) => ('kind' in spec ? make(spec) : new Sequential(...spec.map(make))));
  return { model: new Sequential(...outer, make({ kind: 'Dense', outputs: 2 })), x, flat };
}

/** The distance of the closest value to the kink of a ReLU or LeakyReLU, at 0, where there is no derivative. */
export function distanceToKink(flat: readonly Layer[], x: Tensor): number {
  let distance = Infinity;
  flat.reduce((y, layer) => {
    const hasKink = layer instanceof ReLU || layer instanceof LeakyReLU;
    if (hasKink) distance = Math.min(distance, ...y.abs().dataSync());
    return layer.forward(y);
  }, x);
  return distance;
}
