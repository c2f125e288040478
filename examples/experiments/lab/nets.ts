/** The lab's networks: 784 → hidden layers of 100, as in the paper's first experiment → 10. */
import {
  BatchNorm1d,
  Dense,
  Dropout,
  glorotNormal,
  heNormal,
  type Initializer,
  type Layer,
  LeakyReLU,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
} from '../../../src/index.ts';

export const activations = ['relu', 'leakyRelu', 'sigmoid', 'tanh'] as const;
export type Activation = (typeof activations)[number];

/** The position of batch normalization in a hidden layer: none, before the activation (as in the paper), or after. */
export const norms = ['none', 'before', 'after'] as const;
export type Norm = (typeof norms)[number];

/** The settings that the claims vary. Defaults, given in each comment, are those of the base network. */
export interface Net {
  readonly norm: Norm;
  /** Default `relu`. */
  readonly activation?: Activation;
  /** The number of hidden layers; default 3. */
  readonly depth?: number;
  /** The number of units in each hidden layer; default 100. */
  readonly width?: number;
  /** A factor for the initial weights; default 1. */
  readonly scale?: number;
  /** Whether the hidden dense layers have a bias. By default true, except right before batch normalization. */
  readonly bias?: boolean;
  /** The share of each hidden layer's outputs that is dropped in training; default 0. */
  readonly dropout?: number;
}

const activationLayers: Record<Activation, () => Layer> = {
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
};

/** Initialized with He's method for ReLU and LeakyReLU, with Glorot's for the others, both normal. */
export function network(net: Net): Sequential {
  const { norm, activation = 'relu', depth = 3, width = 100, scale = 1, dropout = 0 } = net;
  const { bias = norm !== 'before' } = net;
  const init = scaled(activation === 'relu' || activation === 'leakyRelu' ? heNormal : glorotNormal, scale);
  const hidden = (inFeatures: number): Layer[] => [
    new Dense(inFeatures, width, { init, bias }),
    ...(norm === 'before' ? [new BatchNorm1d(width)] : []),
    activationLayers[activation](),
    ...(norm === 'after' ? [new BatchNorm1d(width)] : []),
    ...(dropout > 0 ? [new Dropout(dropout)] : []),
  ];
  return new Sequential(
    ...Array.from({ length: depth }, (_, i) => hidden(i === 0 ? 784 : width)).flat(),
    new Dense(width, 10, { init: scaled(glorotNormal, scale) }),
  );
}

function scaled(init: Initializer, scale: number): Initializer {
  if (scale === 1) return init;
  return (shape, { requiresGrad = false } = {}) => {
    const weight = init(shape).mul(scale);
    weight.requiresGrad = requiresGrad;
    return weight;
  };
}
