/**
 * How `wasm` calls the fused forms. What a fusion computes does not depend on it; only that device, tests and benchmarks
 * import this file.
 *
 * The fused form of a fusion is the WebAssembly export of its name. It takes the outputs, the inputs, the scratch memory,
 * the sizes and the parameters, in this order.
 */
import type { FusionParams } from './fusion.ts';
import type * as fusions from './index.ts';
import type { Params, Shape } from '../kernel.ts';
import { sizeOf } from '../shape.ts';

/** How a fused form is called. */
export interface FusedForm<P extends Params = Params> {
  /** The loop bounds. */
  sizes(shapes: readonly Shape[], params: P): readonly number[];
  /** The number of floats that it needs as working memory. */
  scratch?(sizes: readonly number[]): number;
  /** The names of the parameters that it takes after the sizes, in order. Parameters among the sizes are not listed. */
  readonly params?: readonly string[];
}

/** Of a batch: m and C. */
const batch = ([first]: readonly Shape[]) => first;
const batchInGroups = ([[m, C]]: readonly Shape[], { groups }: Params) => [m, C, groups];
/** The sums of dgamma and dbeta for each block of 32 rows, with room after each group. */
const blockSums = ([m, C, groups]: readonly number[]) => 2 * (C + 3 * groups) * Math.ceil(m / 32);

/** The number of elements of a parameter. */
const elements = ([w]: readonly Shape[]) => [sizeOf(w)];
const adam: FusedForm = {
  sizes: elements,
  params: ['stepSize', 'beta1', 'beta2', 'correction', 'eps', 'weightDecay', 'decoupled'],
};
const rmsprop: FusedForm = { sizes: elements, params: ['lr', 'alpha', 'eps', 'momentum', 'weightDecay'] };

/** A form for every fusion. A missing one does not compile. */
export const forms: {
  readonly [Name in keyof typeof fusions]: FusedForm<FusionParams<(typeof fusions)[Name]>>;
} = {
  batchnormForward: { sizes: batch, params: ['eps'] },
  runningStatistics: { sizes: ([mean]) => [mean[0]], params: ['alpha', 'correction'] },
  batchnormTraining: { sizes: batch, params: ['eps', 'alpha', 'correction'] },
  batchnormSums: { sizes: batch },
  batchnormBackward: { sizes: batch },
  batchnormInference: { sizes: batch, params: ['eps'] },

  batchnormDense: {
    sizes: ([x, , , W]) => [x[0], x[1], W[1]],
    scratch: ([m, k, n]) => m * k + k + n,
    params: ['eps', 'slope'],
  },
  batchnormDenseSums: {
    sizes: ([dz, x]) => [dz[0], x[1], dz[1]],
    scratch: ([m, k, n]) => m * k + 2 * k + n,
  },

  layernormForward: { sizes: batchInGroups, params: ['eps'] },
  layernormSums: { sizes: batchInGroups, scratch: blockSums },
  layernormBackward: { sizes: batchInGroups, scratch: blockSums },

  dense: { sizes: ([x, W]) => [x[0], x[1], W[1]], params: ['slope'] },
  denseDz: { sizes: batch, params: ['slope'] },

  softmaxCrossEntropy: { sizes: batch, scratch: ([m]) => 2 * m, params: ['smoothing'] },

  sgdUpdate: { sizes: elements, params: ['lr', 'weightDecay'] },
  momentumUpdate: { sizes: elements, params: ['lr', 'momentum', 'dampening', 'nesterov', 'weightDecay'] },
  adamUpdate: adam,
  amsgradUpdate: adam,
  rmspropUpdate: rmsprop,
  rmspropMomentumUpdate: rmsprop,
  rmspropCenteredUpdate: rmsprop,
  rmspropCenteredMomentumUpdate: rmsprop,
};
