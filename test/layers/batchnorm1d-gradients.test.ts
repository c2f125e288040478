/** The backward pass of batch normalization: finite differences, the equations of the paper, and its laws. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  batchnormColumn,
  batchnormColumnBackward,
  type BatchnormColumnGradients,
} from '../../kernels/batchnorm.ts';
import * as kernels from '../../kernels/index.ts';
import { BatchNorm1d, gradcheck, type Tensor } from '../../src/index.ts';
import { batchNorm, batchNormEval } from '../../src/layers/batchnorm1d.ts';
import { batches, batchNorm1d, type BatchNormInputs } from './batchnorm-cases.ts';
import { columnsOf, dot, expectClose, mean, variance } from './helpers.ts';
import { f64, leaf, values } from '../tensors.ts';
import { expectParameterGradients } from './parameter-gradients.ts';
import { inFloat64 } from '../on-devices.ts';

inFloat64(() => {
  const epsilons = fc.constantFrom(1e-5, 1e-3, 0.1, 1);

  /** The gradients of the layer in training. */
  function shipped(
    { x, g, gamma, beta }: BatchNormInputs,
    eps: number,
  ): Record<'dx' | 'dgamma' | 'dbeta', Tensor> {
    const norm = batchNorm1d({ gamma, beta }, { eps });
    const input = leaf(x);
    norm.forward(input).backward(f64(g));
    const [dx, dgamma, dbeta] = [input.grad, norm.gamma?.grad, norm.beta?.grad];
    if (!dx || !dgamma || !dbeta) throw new Error('a gradient is missing');
    return { dx, dgamma, dbeta };
  }

  /** The equations of the paper for column c; `more` is an error of the variance. */
  function byPaper(
    { x, g, gamma }: BatchNormInputs,
    c: number,
    eps: number,
    more = 0,
  ): BatchnormColumnGradients {
    const columnOf = (rows: readonly (readonly number[])[]) => Float64Array.from(rows, (row) => row[c]);
    const { mean, variance } = batchnormColumn(columnOf(x), gamma[c], 0, eps);
    const rstd = 1 / Math.sqrt(variance + more + eps);
    return batchnormColumnBackward(columnOf(g), columnOf(x), { mean, rstd }, gamma[c]);
  }

  describe('dx in training', () => {
    it('sums to 0 in every column, because shifting the batch does not change y', () => {
      fc.assert(
        fc.property(batches(), epsilons, (inputs, eps) => {
          for (const column of columnsOf(shipped(inputs, eps).dx)) {
            expect(column.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
          }
        }),
      );
    });

    it('is orthogonal to x̂ as ε → 0: Σ dxᵢ·x̂ᵢ = rstd·ε/(σ² + ε)·Σ γ·gᵢ·x̂ᵢ', () => {
      fc.assert(
        fc.property(batches(), epsilons, (inputs, eps) => {
          const dx = columnsOf(shipped(inputs, eps).dx);
          const g = columnsOf(f64(inputs.g));
          columnsOf(f64(inputs.x)).forEach((column, c) => {
            const rstd = 1 / Math.sqrt(variance(column) + eps);
            const xhat = column.map((value) => (value - mean(column)) * rstd);
            const expected = rstd * (eps / (variance(column) + eps)) * inputs.gamma[c] * dot(g[c], xhat);
            expect(Math.abs(dot(dx[c], xhat) - expected)).toBeLessThan(1e-9 * (1 + Math.abs(expected)));
          });
        }),
      );
    });
  });

  describe('the backward pass of the paper', () => {
    it('gives the dx, dgamma and dbeta of the layer, column by column', () => {
      fc.assert(
        fc.property(batches(), epsilons, (inputs, eps) => {
          const { dx, dgamma, dbeta } = shipped(inputs, eps);
          columnsOf(dx).forEach((column, c) => {
            const paper = byPaper(inputs, c, eps);
            expectClose(f64(column), [...paper.dxByPaper], 1e-9);
            expectClose(f64([values(dgamma)[c], values(dbeta)[c]]), [paper.dgamma, paper.dbeta], 1e-10);
          });
        }),
      );
    });

    it('gives another dx if the variance is wrong', () => {
      fc.assert(
        fc.property(batches({ distinct: true }), (inputs) => {
          const gamma = inputs.gamma.map((value) => value || 1);
          const [right, wrong] = [0, 1].map((more) => byPaper({ ...inputs, gamma }, 0, 0.1, more).dxByPaper);
          fc.pre(Math.max(...right.map(Math.abs)) > 0.01);
          expect(() => expectClose(f64([...wrong]), [...right], 1e-9)).toThrow();
        }),
      );
    });

    it('is not the gradient without the paths through the mean and the variance', () => {
      const inputs = { x: [[1], [2], [4]], g: [[1], [-2], [3]], gamma: [2], beta: [0] };
      const { dx } = shipped(inputs, 1e-5);
      const sigma2 = 14 / 9;
      const direct = inputs.g.map(([g]) => (2 * g) / Math.sqrt(sigma2 + 1e-5));
      const throughMean = direct.map((value) => value - mean(direct));
      expect(() => expectClose(dx, direct, 1e-2)).toThrow();
      expect(() => expectClose(dx, throughMean, 1e-2)).toThrow();
    });
  });

  describe('gradcheck accepts', () => {
    const x2 = leaf([
      [0.5, -1, 2],
      [1.5, 0.25, -0.75],
      [-2, 1, 0.1],
      [0.3, 3, 1],
    ]);
    const x3 = leaf([
      [
        [1, 2, -1],
        [0.5, 0.1, 3],
      ],
      [
        [-2, 0.7, 1.1],
        [2, -0.4, 0.9],
      ],
    ]);
    const two = leaf([
      [1, 4, -2],
      [2, 1, 0.5],
    ]);
    const inputs = { '2-D': x2, '3-D': x3, 'two rows': two };
    const options = {
      'default options': {},
      'affine off': { affine: false },
      'running statistics off': { trackRunningStats: false },
      'both off': { affine: false, trackRunningStats: false },
      'a large ε': { eps: 0.5 },
    };
    const cases = Object.entries(inputs).flatMap(([shape, x]) =>
      Object.entries(options).flatMap(([name, option]) =>
        ['train', 'eval'].map((mode) => ({ shape, name, mode, x, option })),
      ),
    );

    it.each(cases)('the layer in $mode: $shape, $name', ({ x, option, mode }) => {
      const features = x.shape[1];
      const gamma = [1.5, -0.5, 2].slice(0, features);
      const norm = batchNorm1d({ gamma, beta: [0.1, 1, -1].slice(0, features) }, option);
      norm.forward(x.detach().mul(2).add(1)); // running statistics that differ from those of x
      norm.train(mode === 'train');
      expect(gradcheck((input) => norm.forward(input), [x])).toBe(true);
      if (norm.gamma !== null) expectParameterGradients(norm, x.detach());
    });

    it('the ops, for x, gamma and beta', () => {
      const [gamma, beta] = [leaf([1.5, -0.5, 2]), leaf([0.1, 1, -1])];
      const train = (x: Tensor, gamma: Tensor, beta: Tensor) => batchNorm(x, gamma, beta, 1e-3);
      const running = { mean: f64([0.2, -0.1, 0.5]), variance: f64([2, 0.5, 1]) };
      const evaluate = (x: Tensor, gamma: Tensor, beta: Tensor) =>
        batchNormEval(x, gamma, beta, running, 1e-3);
      expect(gradcheck(train, [x2, gamma, beta])).toBe(true);
      expect(gradcheck(evaluate, [x2, gamma, beta])).toBe(true);
    });
  });

  describe('the kernels of the backward pass', () => {
    const trace = (requiresGrad: boolean) => {
      const dx = vi.spyOn(kernels.batchnormDx, 'reference');
      const dgamma = vi.spyOn(kernels.colDot, 'reference');
      const norm = new BatchNorm1d(2, { dtype: 'float64' });
      const x = requiresGrad ? leaf([[1, 2], [3, 5]]) : f64([[1, 2], [3, 5]]); // prettier-ignore
      norm.forward(x).sum().backward();
      const calls = { dx: dx.mock.calls.length, dgamma: dgamma.mock.calls.length };
      vi.restoreAllMocks();
      return calls;
    };

    it('do not compute a dx that x does not need', () => {
      expect(trace(false)).toEqual({ dx: 0, dgamma: 1 });
    });

    it('compute dgamma only once, although dx needs it too', () => {
      expect(trace(true)).toEqual({ dx: 1, dgamma: 1 });
    });
  });
});
