/** `gammabeta/networks`: the networks of the experiment, with the layer sizes 784 → 300 → 100 → 10. */
import {
  BatchNorm1d,
  Dense,
  glorotUniform,
  heNormal,
  type Layer,
  LeakyReLU,
  ReLU,
  Sequential,
} from './index.ts';

/**
 * Batch normalization with Keras' constants. Keras' momentum 0.99 weighs the old value; 0.01 is the weight of the new
 * one.
 */
const batchNorm = (features: number): Layer =>
  new BatchNorm1d(features, { eps: 1e-3, momentum: 0.01, runningVariance: 'biased' });

const glorot = { init: glorotUniform };
const withoutBias = { init: glorotUniform, bias: false };

/** Functions that make the networks. */
export const nets = {
  /** Without batch normalization. */
  plain: (): Sequential =>
    new Sequential(
      new Dense(784, 300, { init: heNormal }),
      new LeakyReLU(0.3),
      new Dense(300, 100, { init: heNormal }),
      new LeakyReLU(0.3),
      new Dense(100, 10, glorot),
    ),

  /** Batch normalization of the input, and after each activation. */
  bn: (): Sequential =>
    new Sequential(
      batchNorm(784),
      new Dense(784, 300, glorot),
      new ReLU(),
      batchNorm(300),
      new Dense(300, 100, glorot),
      new ReLU(),
      batchNorm(100),
      new Dense(100, 10, glorot),
    ),

  /** Batch normalization between each hidden layer and its activation, as in the paper. β replaces the bias. */
  'bn-pre': (): Sequential =>
    new Sequential(
      new Dense(784, 300, withoutBias),
      batchNorm(300),
      new ReLU(),
      new Dense(300, 100, withoutBias),
      batchNorm(100),
      new ReLU(),
      new Dense(100, 10, glorot),
    ),
};

export type NetName = keyof typeof nets;

export const netNames = Object.keys(nets) as NetName[];
