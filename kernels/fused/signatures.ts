/**
 * The names of the inputs and outputs of fusions, and the cost of their fused forms. For tests and benchmarks: the library
 * does not import this file.
 */
import type * as fusions from './index.ts';
import type { Cost } from '../kernel.ts';

export interface Signature {
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** The names of the outputs, in order. Empty if the fusion only updates inputs. */
  readonly outputs: readonly string[];
  /** The memory traffic and arithmetic of the fused form, from its sizes. */
  cost(sizes: readonly number[]): Cost;
}

/** The update of a parameter w with the given state: the cost per element. */
const update = (state: readonly string[], flops: number, bytes: number): Signature => ({
  inputs: ['w', 'g', ...state],
  outputs: [],
  cost: ([n]) => ({ flops: flops * n, bytes: bytes * n }),
});

/** A signature for every fusion. A missing one does not compile. */
export const signatures: Readonly<Record<keyof typeof fusions, Signature>> = {
  batchnormForward: {
    inputs: ['x', 'gamma', 'beta'],
    outputs: ['y', 'mean', 'variance', 'rstd'],
    cost: ([m, C]) => ({ flops: 9 * m * C, bytes: 16 * m * C }),
  },
  runningStatistics: {
    inputs: ['runningMean', 'runningVar', 'mean', 'variance'],
    outputs: [],
    cost: ([C]) => ({ flops: 7 * C, bytes: 32 * C }),
  },
  batchnormTraining: {
    inputs: ['x', 'gamma', 'beta', 'runningMean', 'runningVar'],
    outputs: ['y', 'mean', 'rstd'],
    cost: ([m, C]) => ({ flops: 9 * m * C, bytes: 16 * m * C }),
  },
  batchnormSums: {
    inputs: ['g', 'x', 'mean', 'rstd'],
    outputs: ['dgamma', 'dbeta'],
    cost: ([m, C]) => ({ flops: 4 * m * C, bytes: 8 * m * C }),
  },
  batchnormBackward: {
    inputs: ['g', 'x', 'mean', 'rstd', 'gamma'],
    outputs: ['dx', 'dgamma', 'dbeta'],
    cost: ([m, C]) => ({ flops: 9 * m * C, bytes: 20 * m * C }),
  },
  batchnormInference: {
    inputs: ['x', 'gamma', 'beta', 'mean', 'variance'],
    outputs: ['y', 'scale', 'rstd'],
    cost: ([m, C]) => ({ flops: 3 * m * C, bytes: 8 * m * C }),
  },

  batchnormDense: {
    inputs: ['x', 'gamma', 'beta', 'W', 'b'],
    outputs: ['y', 'mean', 'variance', 'rstd'],
    cost: ([m, k, n]) => ({
      flops: 2 * m * k * n + 9 * m * k + 2 * m * n,
      bytes: 4 * (3 * m * k + k * n + m * n),
    }),
  },
  batchnormDenseSums: {
    inputs: ['dz', 'x', 'mean', 'rstd', 'gamma', 'beta', 'W'],
    outputs: ['dgamma', 'dbeta', 'dW'],
    cost: ([m, k, n]) => ({
      flops: 2 * m * k * n + 8 * k * n,
      bytes: 4 * (3 * m * k + 2 * k * n + m * n),
    }),
  },

  layernormForward: {
    inputs: ['x', 'gamma', 'beta'],
    outputs: ['y', 'mean', 'rstd'],
    cost: ([m, C]) => ({ flops: 9 * m * C, bytes: 8 * m * C }),
  },
  layernormSums: {
    inputs: ['g', 'x', 'mean', 'rstd'],
    outputs: ['dgamma', 'dbeta'],
    cost: ([m, C]) => ({ flops: 4 * m * C, bytes: 8 * m * C }),
  },
  layernormBackward: {
    inputs: ['g', 'x', 'mean', 'rstd', 'gamma'],
    outputs: ['dx', 'dgamma', 'dbeta'],
    cost: ([m, C]) => ({ flops: 13 * m * C, bytes: 12 * m * C }),
  },

  dense: {
    inputs: ['x', 'W', 'b'],
    outputs: ['y'],
    cost: ([m, k, n]) => ({ flops: 2 * m * k * n + 2 * m * n, bytes: 4 * (m * k + k * n + m * n) }),
  },
  denseDz: {
    inputs: ['g', 'y'],
    outputs: ['dz', 'db'],
    cost: ([m, n]) => ({ flops: 2 * m * n, bytes: 12 * m * n }),
  },

  softmaxCrossEntropy: {
    inputs: ['logits', 'labels', 'weights'],
    outputs: ['loss', 'dlogits'],
    cost: ([m, K]) => ({ flops: 8 * m * K, bytes: 8 * m * K }),
  },

  sgdUpdate: update([], 4, 12),
  momentumUpdate: update(['v'], 8, 20),
  adamUpdate: update(['m', 'v'], 16, 28),
  amsgradUpdate: update(['m', 'v', 'largest'], 17, 36),
  rmspropUpdate: update(['v'], 11, 20),
  rmspropMomentumUpdate: update(['v', 'buffer'], 16, 28),
  rmspropCenteredUpdate: update(['v', 'average'], 16, 28),
  rmspropCenteredMomentumUpdate: update(['v', 'average', 'buffer'], 21, 36),
};
