/**
 * The kernels of `layernorm.ts` composed to forward and backward passes. As in batch normalization, the forward pass keeps
 * x, mean and rstd for the backward pass, which computes xhat again.
 */
import { reciprocalStd, scaleShift } from '../batchnorm.ts';
import type { NoParams, Shape } from '../kernel.ts';
import { layernormDx, normalizeRows, rowDot, rowMean, rowSum, rowVariance } from '../layernorm.ts';
import { colDot, colSum } from '../reduce.ts';
import type { Fusion } from './fusion.ts';

const sizes = ([first]: readonly Shape[]) => [first[0], first[1]];
/** The sums of dgamma and dbeta for each block of 32 rows, each [C]. */
const scratch = ([m, C]: readonly number[]) => 2 * (C + 3) * Math.ceil(m / 32);

/** x [m, C], gamma [C], beta [C] → y [m, C], mean [m], rstd [m]. */
export const layernormForward: Fusion<{ eps: number }> = {
  name: 'layernormForward',
  inputs: ['x', 'gamma', 'beta'],
  outputs: ['y', 'mean', 'rstd'],
  compose: ({ run }, [x, gamma, beta], { eps }) => {
    const mean = run(rowMean, [x]);
    const variance = run(rowVariance, [x, mean]);
    const rstd = run(reciprocalStd, [variance], { eps });
    const xhat = run(normalizeRows, [x, mean, rstd]);
    const y = run(scaleShift, [xhat, gamma, beta]);
    return [y, mean, rstd];
  },
  sizes,
  params: ['eps'],
  cost: ([m, C]) => ({ flops: 9 * m * C, bytes: 8 * m * C }),
};

/** Backward, if x needs no gradient: g [m, C], x [m, C], mean [m], rstd [m] → dgamma [C], dbeta [C]. */
export const layernormSums: Fusion<NoParams> = {
  name: 'layernormSums',
  inputs: ['g', 'x', 'mean', 'rstd'],
  outputs: ['dgamma', 'dbeta'],
  compose: ({ run }, [g, x, mean, rstd]) => {
    const xhat = run(normalizeRows, [x, mean, rstd]);
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    return [dgamma, dbeta];
  },
  sizes,
  scratch,
  cost: ([m, C]) => ({ flops: 4 * m * C, bytes: 8 * m * C }),
};

/** Backward, with dx in three-term form: g, x [m, C], mean, rstd [m], gamma [C] → dx [m, C], dgamma, dbeta [C]. */
export const layernormBackward: Fusion<NoParams> = {
  name: 'layernormBackward',
  inputs: ['g', 'x', 'mean', 'rstd', 'gamma'],
  outputs: ['dx', 'dgamma', 'dbeta'],
  compose: ({ run }, [g, x, mean, rstd, gamma]) => {
    const xhat = run(normalizeRows, [x, mean, rstd]);
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    const sum = run(rowSum, [g, gamma]);
    const dot = run(rowDot, [g, xhat, gamma]);
    const dx = run(layernormDx, [g, xhat, gamma, rstd, dot, sum]);
    return [dx, dgamma, dbeta];
  },
  sizes,
  scratch,
  cost: ([m, C]) => ({ flops: 13 * m * C, bytes: 12 * m * C }),
};
