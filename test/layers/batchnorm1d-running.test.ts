/** The running statistics of batch normalization. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BatchNorm1d, type BatchNorm1dOptions, noGrad, Sequential } from '../../src/index.ts';
import { batches, batchNorm1d } from './batchnorm-cases.ts';
import { columnsOf, expectClose, mean, snapshot, variance } from './helpers.ts';
import { leaf, values, wide, widest } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ either }) => {
  afterEach(() => vi.restoreAllMocks());

  const first = [[1, 10], [3, 30], [8, 20]]; // prettier-ignore
  const second = [[-1, 0], [1, 4]]; // prettier-ignore
  const statistics = (x: number[][]) => {
    const columns = columnsOf(wide(x));
    return { m: x.length, means: columns.map(mean), variances: columns.map(variance) };
  };

  function trained(options: BatchNorm1dOptions, ...batchesSeen: number[][][]): BatchNorm1d {
    const norm = new BatchNorm1d(2, { dtype: widest(), ...options });
    for (const batch of batchesSeen) norm.forward(wide(batch));
    return norm;
  }

  describe('the running statistics', () => {
    it('start at mean 0, variance 1 and 0 batches tracked', () => {
      const norm = new BatchNorm1d(3);
      expect(values(norm.runningMean)).toEqual([0, 0, 0]);
      expect(values(norm.runningVar)).toEqual([1, 1, 1]);
      expect(norm.numBatchesTracked).toBe(0);
    });

    it('average with momentum as the weight of the new batch, and the unbiased variance', () => {
      const momenta = fc.constantFrom(0, 0.01, 0.1, 0.5, 1);
      fc.assert(
        fc.property(batches(), momenta, ({ x }, momentum) => {
          const norm = new BatchNorm1d(x[0].length, { momentum, dtype: widest() });
          norm.forward(wide(x));
          const columns = columnsOf(wide(x));
          const m = x.length;
          expectClose(
            norm.runningMean,
            columns.map((column) => momentum * mean(column)),
            either(1e-12, 1e-6),
          );
          expectClose(
            norm.runningVar,
            columns.map((column) => 1 - momentum + (momentum * m * variance(column)) / (m - 1)),
            either(1e-12, 1e-6),
          );
        }),
      );
    });

    it('with momentum 1 are those of the last batch; with momentum 0 they do not change', () => {
      const last = trained({ momentum: 1 }, first, second);
      expect(values(last.runningMean)).toEqual([0, 2]);
      expect(values(last.runningVar)).toEqual([2, 8]);
      const still = trained({ momentum: 0 }, first, second);
      expect(values(still.runningMean)).toEqual([0, 0]);
      expect(values(still.runningVar)).toEqual([1, 1]);
      expect([last.numBatchesTracked, still.numBatchesTracked]).toEqual([2, 2]);
    });

    it('with momentum null are the mean over all batches', () => {
      const batchesSeen = [first, second, [[5, 5], [6, 7]], first]; // prettier-ignore
      const norm = trained({ momentum: null }, ...batchesSeen);
      const all = batchesSeen.map(statistics);
      for (const c of [0, 1]) {
        expect(values(norm.runningMean)[c]).toBeCloseTo(
          mean(all.map(({ means }) => means[c])),
          either(12, 5),
        );
        const unbiased = all.map(({ m, variances }) => (variances[c] * m) / (m - 1));
        expect(values(norm.runningVar)[c]).toBeCloseTo(mean(unbiased), either(12, 5));
      }
    });

    it("with runningVariance: 'biased' average the biased variance, as in Keras", () => {
      const keras = trained({ momentum: 0.01, eps: 1e-3, runningVariance: 'biased' }, first);
      const { means, variances } = statistics(first);
      expectClose(
        keras.runningMean,
        means.map((value) => 0.01 * value),
        either(1e-12, 1e-6),
      );
      expectClose(
        keras.runningVar,
        variances.map((value) => 0.99 + 0.01 * value),
        either(1e-12, 1e-6),
      );
      const explicit = trained({ runningVariance: 'unbiased' }, first);
      expect(values(explicit.runningVar)).toEqual(values(trained({}, first).runningVar));
    });

    it('normalize in evaluation, which does not change them', () => {
      const norm = trained({ momentum: 0.5 }, first, second).eval();
      const before = snapshot(norm);
      const y = columnsOf(norm.forward(wide(second)));
      expect(snapshot(norm)).toEqual(before);
      const [E, Var] = [values(norm.runningMean), values(norm.runningVar)];
      columnsOf(wide(second)).forEach((column, c) => {
        column.forEach((value, i) => {
          expect(y[c][i]).toBeCloseTo((value - E[c]) / Math.sqrt(Var[c] + norm.eps), either(12, 5));
        });
      });
    });

    it('are updated in training under noGrad too', () => {
      const norm = new BatchNorm1d(2, { momentum: 1, dtype: widest() });
      noGrad(() => norm.forward(wide(second)));
      expect(values(norm.runningMean)).toEqual([0, 2]);
    });

    it('are reset in place by resetRunningStats; γ and β are kept', () => {
      const norm = batchNorm1d({ gamma: [2, 3], beta: [4, 5] });
      norm.forward(wide(first));
      const { runningMean } = norm;
      norm.resetRunningStats();
      expect(norm.runningMean).toBe(runningMean);
      expect(values(norm.runningMean)).toEqual([0, 0]);
      expect(values(norm.runningVar)).toEqual([1, 1]);
      expect(norm.numBatchesTracked).toBe(0);
      expect([values(norm.gamma), values(norm.beta)]).toEqual([[2, 3], [4, 5]]); // prettier-ignore
      const untracked = new BatchNorm1d(2, { trackRunningStats: false });
      untracked.resetRunningStats();
      expect(untracked.runningMean).toBeNull();
    });
  });

  describe('without running statistics', () => {
    it('evaluation uses the statistics of the batch, and the state dict has none', () => {
      const norm = trained({ trackRunningStats: false }, first);
      const y = values(norm.forward(wide(first)));
      expect(values(norm.eval().forward(wide(first)))).toEqual(y);
      expect([norm.runningMean, norm.runningVar, norm.numBatchesTracked]).toEqual([null, null, 0]);
      expect(Object.keys(norm.stateDict())).toEqual(['weight', 'bias']);
    });

    it('evaluation before training does not warn', () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      new BatchNorm1d(2, { trackRunningStats: false, dtype: widest() }).eval().forward(wide(first));
      expect(warn).not.toHaveBeenCalled();
    });
  });

  describe('without γ and β', () => {
    it('there are no parameters, and y requires a gradient only if x does', () => {
      const norm = new BatchNorm1d(2, { affine: false, dtype: widest() });
      expect([norm.gamma, norm.beta, norm.parameters()]).toEqual([null, null, []]);
      expect(Object.keys(norm.stateDict())).toEqual(['running_mean', 'running_var', 'num_batches_tracked']);
      for (const mode of [true, false]) {
        expect(norm.train(mode).forward(wide(first)).requiresGrad).toBe(false);
        expect(norm.train(mode).forward(leaf(first)).requiresGrad).toBe(true);
      }
    });
  });

  describe('the graph', () => {
    it('does not include the running statistics: they are not parameters and get no gradient', () => {
      const norm = new BatchNorm1d(2, { dtype: widest() });
      for (const mode of [true, false]) norm.train(mode).forward(leaf(first)).sum().backward();
      for (const statistic of [norm.runningMean, norm.runningVar]) {
        expect(statistic).toMatchObject({ requiresGrad: false, grad: null, node: null });
      }
      expect(norm.parameters()).toEqual([norm.gamma, norm.beta]);
    });

    it.each(['train', 'eval'])(
      'keeps the statistics of a batch when another batch follows, in %s',
      (mode) => {
        const gradients = (interrupted: boolean) => {
          const norm = batchNorm1d({ gamma: [2, 3], beta: [4, 5] });
          norm.forward(wide(second));
          const x = leaf(first);
          const y = norm.train(mode === 'train').forward(x);
          if (interrupted) norm.train().forward(wide(second));
          y.mul(y).sum().backward();
          return [x.grad, norm.gamma?.grad, norm.beta?.grad].map(values);
        };
        expect(gradients(true)).toEqual(gradients(false));
      },
    );
  });

  describe('evaluation before any training', () => {
    it('warns once, with the layer and a hint, and uses mean 0 and variance 1', () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const model = new Sequential(new BatchNorm1d(2, { dtype: widest(), eps: 1e-15 })).eval();
      expectClose(model.forward(wide(first)), first.flat(), either(1e-12, 1e-6));
      model.forward(wide(first));
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn.mock.calls[0][0]).toMatch(/^layer 0, BatchNorm1d\(2\): .+\. Hint: .*load a state dict/);
    });

    it('does not warn after training or after loading the state of a trained layer', () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const norm = trained({}, first);
      norm.eval().forward(wide(first));
      const loaded = trained({});
      loaded.loadStateDict(norm.stateDict());
      expect(loaded.numBatchesTracked).toBe(1);
      expect(values(loaded.eval().forward(wide(second)))).toEqual(values(norm.forward(wide(second))));
      expect(warn).not.toHaveBeenCalled();
    });
  });
});
