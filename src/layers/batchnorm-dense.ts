/**
 * Batch normalization in training and the dense layer behind it as one op, for the input of a network: where x needs no
 * gradient, there is less to compute (`kernels/batchnorm.md`, section 12), and n = γ·x̂ + β is not kept.
 */
import { batchnormBackward, runningStatistics } from '../../kernels/fused/batchnorm.ts';
import { batchnormDense, batchnormDenseSums } from '../../kernels/fused/batchnorm-dense.ts';
import { matmulTransposedB } from '../../kernels/matmul.ts';
import { builtin, type Kept, once, type Op, run, runFused } from '../tensor/op.ts';
import { throughActivation } from '../tensor/activation.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Running } from './batchnorm1d.ts';

interface Constants {
  readonly eps: number;
  /** Of the activation, below 0: see `ops.dense`. */
  readonly slope: number;
  readonly running?: Running | undefined;
}

type Arguments = [x: Tensor, gamma: Tensor, beta: Tensor, W: Tensor, b: Tensor, constants: Constants];

/** y = activation((γ·x̂ + β)·W + b). */
export const batchNormDense: Op<Arguments> = builtin<Arguments, Kept & { mean: Tensor; rstd: Tensor }>({
  name: 'batchNormDense',
  forward: (x, gamma, beta, W, b, { eps, slope, running }) => {
    const [y, mean, variance, rstd] = runFused(batchnormDense, [x, gamma, beta, W, b], { eps, slope });
    if (running !== undefined) {
      const { alpha, correction } = running;
      runFused(runningStatistics, [running.mean, running.variance, mean, variance], { alpha, correction });
    }
    return { y, mean, rstd };
  },
  backward: (g, { y, mean, rstd }, x, gamma, beta, W, _b, { slope }) => {
    const { dz, db } = throughActivation(g, y, slope);
    const sums = once(() => runFused(batchnormDenseSums, [dz(), x, mean, rstd, gamma, beta, W]));
    const dn = () => run(matmulTransposedB, [dz(), W]);
    return [
      () => runFused(batchnormBackward, [dn(), x, mean, rstd, gamma])[0], // dx
      () => sums()[0], // dgamma
      () => sums()[1], // dbeta
      () => sums()[2], // dW
      db,
    ];
  },
});
