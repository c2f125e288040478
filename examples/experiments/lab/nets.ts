/** The lab's networks: 784 → hidden layers of 100, as in the paper's first experiment → 10. */
import {
  BatchNorm1d,
  Dense,
  Dropout,
  glorotNormal,
  GroupNorm,
  heNormal,
  type Initializer,
  type Layer,
  LayerNorm,
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

/** The kinds of normalization: over the batch, over the units of a layer, or over each group of ten units. */
export const kinds = ['batch', 'layer', 'group'] as const;
export type Kind = (typeof kinds)[number];

/** The settings that the claims vary. Defaults, given in each comment, are those of the base network. */
export interface Net {
  readonly norm: Norm;
  /** Default `batch`. */
  readonly kind?: Kind;
  /** Whether the normalization learns γ and β; default true. */
  readonly affine?: boolean;
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

/** Ten units are a group. */
const GROUP = 10;

function normalization(net: Net, width: number): Layer {
  const { kind = 'batch', affine = true } = net;
  if (kind === 'layer') return new LayerNorm(width, { affine });
  if (kind === 'group') return new GroupNorm(width / GROUP, width, { affine });
  return new BatchNorm1d(width, { affine });
}

/** Initialized with He's method for ReLU and LeakyReLU, with Glorot's for the others, both normal. */
export function network(net: Net): Sequential {
  const { norm, activation = 'relu', depth = 3, width = 100, scale = 1, dropout = 0 } = net;
  const { bias = norm !== 'before' || (net.kind ?? 'batch') !== 'batch' } = net;
  const init = scaled(activation === 'relu' || activation === 'leakyRelu' ? heNormal : glorotNormal, scale);
  const hidden = (inFeatures: number): Layer[] => [
    new Dense(inFeatures, width, { init, bias }),
    ...(norm === 'before' ? [normalization(net, width)] : []),
    activationLayers[activation](),
    ...(norm === 'after' ? [normalization(net, width)] : []),
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
