/** Invalid inputs and options of BatchNorm1d: the errors, and that the state does not change. */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  type BatchNorm1dOptions,
  Dense,
  DTypeError,
  Flatten,
  type Layer,
  Sequential,
  ShapeError,
  type Tensor,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { refusal, snapshot } from './helpers.ts';
import { wide, widest } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

/** The message of a failing forward pass, after which the state of the model must be unchanged. */
function refusedForward(
  model: Layer,
  x: Tensor,
  kind: typeof ValueError | typeof ShapeError | typeof DTypeError,
): string {
  const before = snapshot(model);
  const message = refusal(() => model.forward(x), kind);
  expect(snapshot(model)).toEqual(before);
  return message;
}

onDevices(() => {
  describe('fewer than two values per feature in training', () => {
    const trained = () => {
      const norm = new BatchNorm1d(3, { dtype: widest() });
      norm.forward(wide([[1, 2, 3], [4, 6, 8]])); // prettier-ignore
      return norm;
    };

    it.each([
      { shape: [1, 3], count: '1 value per feature' },
      { shape: [1, 3, 1], count: '1 value per feature' },
      { shape: [0, 3], count: '0 values per feature' },
      { shape: [0, 3, 4], count: '0 values per feature' },
      { shape: [4, 3, 0], count: '0 values per feature' },
    ])('are refused, and the running statistics do not change: $shape', ({ shape, count }) => {
      const message = refusedForward(trained(), zeros(shape, { dtype: widest() }), ValueError);
      expect(message).toContain(`BatchNorm1d(3): ${count}, in a batch of 3 features`);
      for (const wayOut of ['larger batch', 'dropLast', 'eval()']) expect(message).toContain(wayOut);
    });

    it('are refused; the message names the layer by its index in the model', () => {
      const model = new Sequential(new Dense(2, 3), new BatchNorm1d(3));
      const message = refusedForward(model, zeros([1, 2]), ValueError);
      expect(message).toMatch(/^layer 1, BatchNorm1d\(3\): 1 value per feature/);
    });

    it('are refused; the message names a nested layer by its path, as in state-dict keys', () => {
      const inner = new Sequential(new Flatten(), new BatchNorm1d(2));
      const model = new Sequential(new Flatten(), new Flatten(), new Sequential(inner));
      const message = refusedForward(model, zeros([1, 2]), ValueError);
      expect(message).toMatch(/^layer 2\.0\.1, BatchNorm1d\(2\): /);
      expect(Object.keys(model.stateDict())[0]).toBe('2.0.1.weight');
    });

    it('are refused in evaluation without running statistics', () => {
      const norm = new BatchNorm1d(3, { trackRunningStats: false }).eval();
      expect(refusedForward(norm, zeros([1, 3]), ValueError)).toContain('1 value per feature');
    });

    it('are accepted in evaluation with running statistics', () => {
      expect(
        trained()
          .eval()
          .forward(wide([[1, 2, 3]])).shape,
      ).toEqual([1, 3]);
      expect(
        trained()
          .eval()
          .forward(zeros([0, 3], { dtype: widest() })).shape,
      ).toEqual([0, 3]);
    });

    it('a batch of one example with two positions has two values per feature', () => {
      const norm = new BatchNorm1d(3);
      expect(norm.forward(zeros([1, 3, 2])).shape).toEqual([1, 3, 2]);
      expect(norm.numBatchesTracked).toBe(1);
    });
  });

  describe('an input of another shape is refused', () => {
    const norm = () => new BatchNorm1d(3);

    it.each(
      [
        [4, 5],
        [4, 2],
        [4, 2, 3],
      ].map((shape) => ({ shape })),
    )('with another number of features; the message names both numbers: $shape', ({ shape }) => {
      for (const mode of [true, false]) {
        const message = refusedForward(norm().train(mode), zeros(shape), ShapeError);
        expect(message).toContain(`expected x [m, 3] or [N, 3, L]: [${shape.join(', ')}]`);
        expect(message).toContain(`x has ${shape[1]} features, this layer expects 3`);
      }
    });

    it.each([[], [3], [2, 3, 4, 5]].map((shape) => ({ shape })))(
      'with neither two nor three axes: $shape',
      ({ shape }) => {
        const message = refusedForward(norm(), zeros(shape), ShapeError);
        const hint = shape.length === 0 ? 'x has 1 features' : 'pass x.reshape(';
        expect(message).toContain(`: [${shape.join(', ')}]. Hint: ${hint}`);
      },
    );
  });

  describe('options out of range are refused', () => {
    const refused = (options: BatchNorm1dOptions) => refusal(() => new BatchNorm1d(3, options), ValueError);

    it.each([0, 2 ** -127, -1e-5, NaN, Infinity])('eps: %s', (eps) => {
      expect(refused({ eps })).toContain(`BatchNorm1d: eps is ${eps}`);
    });

    it.each([-0.1, 1.1, NaN, -Infinity])('momentum: %s', (momentum) => {
      expect(refused({ momentum })).toContain(`BatchNorm1d: momentum is ${momentum}`);
    });

    it.each([0, 1, null])('but a momentum of %s is accepted', (momentum) => {
      expect(new BatchNorm1d(3, { momentum }).momentum).toBe(momentum);
    });

    it.each([0, -1, 1.5, NaN])('features: %s', (features) => {
      expect(refusal(() => new BatchNorm1d(features), ValueError)).toContain(`features is ${features}`);
    });

    it('an unknown option; the message lists the known ones', () => {
      const misspelt: Record<string, unknown> = { epsilon: 1e-3 };
      const message = refused(misspelt);
      expect(message).toContain('unknown option: epsilon');
      expect(message).toContain('eps, momentum, affine, trackRunningStats, runningVariance, dtype');
    });

    it('an unknown kind of running variance', () => {
      const wrong: object = { runningVariance: 'sample' };
      expect(refused(wrong)).toContain("runningVariance is 'sample'. Hint: use 'unbiased' or 'biased'");
    });
  });
});

inFloat64(() => {
  it('an input of another element type is refused', () => {
    expect(refusedForward(new BatchNorm1d(3), zeros([4, 3], { dtype: 'float64' }), DTypeError)).toContain(
      'float64, float32',
    );
  });
});
