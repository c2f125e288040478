/**
 * The kernels of `batchnorm.ts` composed to forward and backward passes. The forward pass keeps x, mean and rstd for the
 * backward pass, which computes xhat again: cheaper than writing it to memory and reading it back. How many passes over
 * the batch each device needs is in `batchnorm.md`, section 13.
 */
import * as kernels from '../batchnorm.ts';
import { colDot, colSum } from '../reduce.ts';
import type { Fusion } from './fusion.ts';
import type { NoParams } from '../kernel.ts';

/** Algorithm 1: x [m, C], gamma [C], beta [C] → y [m, C], mean [C], variance [C], rstd [C]. */
export const batchnormForward: Fusion<{ eps: number }> = {
  name: 'batchnormForward',
  compose: ({ run }, [x, gamma, beta], { eps }) => {
    const mean = run(kernels.colMean, [x]);
    const variance = run(kernels.colVariance, [x, mean]);
    const rstd = run(kernels.reciprocalStd, [variance], { eps });
    const xhat = run(kernels.normalize, [x, mean, rstd]);
    const y = run(kernels.scaleShift, [xhat, gamma, beta]);
    return [y, mean, variance, rstd];
  },
};

/** α, the weight of the new batch, and the correction: m/(m−1) for an unbiased running variance, else 1. */
type Tracking = Record<'alpha' | 'correction', number>;

/** Algorithm 2: E ← (1−α)·E + α·mean, Var ← (1−α)·Var + α·correction·variance; all [C]. */
export const runningStatistics: Fusion<Tracking> = {
  name: 'runningStatistics',
  compose: ({ update }, [runningMean, runningVar, mean, variance], { alpha, correction }) => {
    update(kernels.runningAverage, [runningMean, mean], { alpha, correction: 1 });
    update(kernels.runningAverage, [runningVar, variance], { alpha, correction });
    return [];
  },
};

/** Algorithm 1, then the update of the running statistics: x [m, C], the others [C] → y [m, C], mean, rstd [C]. */
export const batchnormTraining: Fusion<{ eps: number } & Tracking> = {
  name: 'batchnormTraining',
  compose: (composer, [x, gamma, beta, runningMean, runningVar], { eps, ...tracking }) => {
    const [y, mean, variance, rstd] = batchnormForward.compose(composer, [x, gamma, beta], { eps });
    runningStatistics.compose(composer, [runningMean, runningVar, mean, variance], tracking);
    return [y, mean, rstd];
  },
};

/** Backward, if x needs no gradient: g [m, C], x [m, C], mean [C], rstd [C] → dgamma [C], dbeta [C]. */
export const batchnormSums: Fusion<NoParams> = {
  name: 'batchnormSums',
  compose: ({ run }, [g, x, mean, rstd]) => {
    const xhat = run(kernels.normalize, [x, mean, rstd]);
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    return [dgamma, dbeta];
  },
};

/** Backward, with dx in three-term form: g, x [m, C], mean, rstd, gamma [C] → dx [m, C], dgamma, dbeta [C]. */
export const batchnormBackward: Fusion<NoParams> = {
  name: 'batchnormBackward',
  compose: ({ run }, [g, x, mean, rstd, gamma]) => {
    const xhat = run(kernels.normalize, [x, mean, rstd]);
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    const dx = run(kernels.batchnormDx, [g, xhat, gamma, rstd, dgamma, dbeta]);
    return [dx, dgamma, dbeta];
  },
};

/** Inference (Algorithm 2): x [m, C], gamma, beta, running mean and variance [C] → y [m, C], scale, rstd [C]. */
export const batchnormInference: Fusion<{ eps: number }> = {
  name: 'batchnormInference',
  compose: ({ run }, [x, gamma, beta, mean, variance], { eps }) => {
    const rstd = run(kernels.reciprocalStd, [variance], { eps });
    const scale = run(kernels.foldedScale, [gamma, rstd]);
    const shift = run(kernels.foldedShift, [beta, scale, mean]);
    const y = run(kernels.scaleShift, [x, scale, shift]);
    return [y, scale, rstd];
  },
};
