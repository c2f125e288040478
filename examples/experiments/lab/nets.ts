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

/** Where batch normalization stands in a hidden layer: nowhere, before its activation (the paper), or after. */
export const norms = ['none', 'before', 'after'] as const;
export type Norm = (typeof norms)[number];

/** What the claims vary; all but `norm` have the values of the base network. */
export interface Net {
  readonly norm: Norm;
  /** `relu`. */
  readonly activation?: Activation;
  /** The number of hidden layers, 3. */
  readonly depth?: number;
  /** Their width, 100. */
  readonly width?: number;
  /** The initial weights are multiplied by it, 1. */
  readonly scale?: number;
  /** Whether the hidden dense layers have a bias: all but those right before batch normalization, where it is redundant. */
  readonly bias?: boolean;
  /** The share of each hidden layer's outputs that is dropped in training, 0. */
  readonly dropout?: number;
}

const activationLayers: Record<Activation, () => Layer> = {
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
};

/** He's initialization for the rectifiers, Glorot's for the others; normal, so that a scale only scales it. */
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
