/**
 * The kernels of `layernorm.ts` composed to forward and backward passes. As in batch normalization, the forward pass keeps
 * x, mean and rstd for the backward pass, which computes xhat again. With `groups` > 1 it is group normalization.
 */
import { reciprocalStd, scaleShift } from '../batchnorm.ts';
import {
  type Groups,
  layernormDx,
  normalizeRows,
  rowDot,
  rowMean,
  rowSum,
  rowVariance,
} from '../layernorm.ts';
import { colDot, colSum } from '../reduce.ts';
import type { Fusion } from './fusion.ts';

/** x [m, C], gamma [C], beta [C] → y [m, C], mean [m·groups], rstd [m·groups]. */
export const layernormForward: Fusion<{ eps: number } & Groups> = {
  name: 'layernormForward',
  compose: ({ run }, [x, gamma, beta], { eps, groups }) => {
    const mean = run(rowMean, [x], { groups });
    const variance = run(rowVariance, [x, mean], { groups });
    const rstd = run(reciprocalStd, [variance], { eps });
    const xhat = run(normalizeRows, [x, mean, rstd], { groups });
    const y = run(scaleShift, [xhat, gamma, beta]);
    return [y, mean, rstd];
  },
  shapedBy: 'groups',
};

/** Backward, if x needs no gradient: g, x [m, C], mean, rstd [m·groups] → dgamma [C], dbeta [C]. */
export const layernormSums: Fusion<Groups> = {
  name: 'layernormSums',
  compose: ({ run }, [g, x, mean, rstd], { groups }) => {
    const xhat = run(normalizeRows, [x, mean, rstd], { groups });
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    return [dgamma, dbeta];
  },
  shapedBy: 'groups',
};

/** Backward, with dx in three-term form: g, x [m, C], mean, rstd [m·groups], gamma [C] → dx [m, C], dgamma, dbeta [C]. */
export const layernormBackward: Fusion<Groups> = {
  name: 'layernormBackward',
  compose: ({ run }, [g, x, mean, rstd, gamma], { groups }) => {
    const xhat = run(normalizeRows, [x, mean, rstd], { groups });
    const dgamma = run(colDot, [g, xhat]);
    const dbeta = run(colSum, [g]);
    const sum = run(rowSum, [g, gamma], { groups });
    const dot = run(rowDot, [g, xhat, gamma], { groups });
    const dx = run(layernormDx, [g, xhat, gamma, rstd, dot, sum], { groups });
    return [dx, dgamma, dbeta];
  },
  shapedBy: 'groups',
};
