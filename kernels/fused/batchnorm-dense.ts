/**
 * Batch normalization and the dense layer after it, as at the input of a network: n = γ·xhat + β, y = activation(n·W + b).
 * If x needs no gradient, the gradients of γ, β and W share one product, xhatᵀ·dz, and dn = dz·Wᵀ is not needed.
 * `kernels/simd/README.md` derives them.
 */
import { normalize, scaleShift } from '../batchnorm.ts';
import { batchnormForward } from './batchnorm.ts';
import { dense } from './dense.ts';
import type { Fusion } from './fusion.ts';
import type { NoParams } from '../kernel.ts';
import { matmulTransposedA, matmulTransposedB } from '../matmul.ts';
import { colDot, colSum } from '../reduce.ts';

/** x [m, k], gamma, beta [k], W [k, n], b [n] → y [m, n], mean, variance, rstd [k]. */
export const batchnormDense: Fusion<{ eps: number; slope: number }> = {
  name: 'batchnormDense',
  compose: (composer, [x, gamma, beta, W, b], { eps, slope }) => {
    const [n, mean, variance, rstd] = batchnormForward.compose(composer, [x, gamma, beta], { eps });
    const [y] = dense.compose(composer, [n, W, b], { slope });
    return [y, mean, variance, rstd];
  },
};

/**
 * Backward, if x needs no gradient; dz is the gradient of z = n·W + b. dz [m, n], x [m, k], mean, rstd, gamma,
 * beta [k], W [k, n] → dgamma, dbeta [k], dW [k, n].
 */
export const batchnormDenseSums: Fusion<NoParams> = {
  name: 'batchnormDenseSums',
  compose: ({ run }, [dz, x, mean, rstd, gamma, beta, W]) => {
    const xhat = run(normalize, [x, mean, rstd]);
    const n = run(scaleShift, [xhat, gamma, beta]);
    const dn = run(matmulTransposedB, [dz, W]);
    const dgamma = run(colDot, [dn, xhat]);
    const dbeta = run(colSum, [dn]);
    const dW = run(matmulTransposedA, [n, dz]);
    return [dgamma, dbeta, dW];
  },
};
