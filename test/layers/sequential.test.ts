/** Sequential and user-defined layers: names, order and modes. */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  Dropout,
  Flatten,
  gradcheck,
  Layer,
  LeakyReLU,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  Softmax,
  type Tensor,
  zeros,
} from '../../src/index.ts';
import { expectClose, refusal } from './helpers.ts';
import { leaf, values, wide, widest } from '../tensors.ts';
import { expectParameterGradients } from './parameter-gradients.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

/** y = x + scale·tanh(f(x)): a layer with a parameter and an inner layer. */
class Residual extends Layer {
  readonly scale: Tensor;
  readonly f: Dense;

  constructor(features: number) {
    super();
    this.f = this.addLayer('f', new Dense(features, features, { dtype: widest() }));
    this.scale = this.addParameter('scale', leaf([0.5]));
  }

  override forward(x: Tensor): Tensor {
    return x.add(this.f.forward(x).tanh().mul(this.scale));
  }
}

class Step extends Layer {
  readonly does: (x: Tensor) => Tensor;

  constructor(does: (x: Tensor) => Tensor) {
    super();
    this.does = does;
  }

  override forward(x: Tensor): Tensor {
    return this.does(x);
  }
}

onDevices(() => {
  describe('Sequential', () => {
    it('applies its layers in order', () => {
      const model = new Sequential(
        new Step((x) => x.add(1)),
        new Step((x) => x.mul(2)),
        new Step((x) => x.pow(2)),
      );
      expect(values(model.forward(wide([0, 2])))).toEqual([4, 36]);
    });

    it('is the identity without layers', () => {
      const x = wide([1, 2]);
      expect(new Sequential().forward(x)).toBe(x);
      expect(new Sequential().parameters()).toEqual([]);
    });

    it('keeps its layers, and toString lists them', () => {
      const layers = [
        new Flatten(),
        new Dense(2, 3),
        new BatchNorm1d(3),
        new LeakyReLU(),
        new Dropout(0.5),
        new Softmax(),
      ];
      const model = new Sequential(...layers);
      expect(model.layers).toEqual(layers);
      expect(model.layers.every((layer, i) => layer === layers[i])).toBe(true);
      expect(model.toString()).toBe(
        'Sequential(Flatten, Dense(2 → 3), BatchNorm1d(3), LeakyReLU(0.01), Dropout(0.5), Softmax)',
      );
    });
  });

  describe('names', () => {
    const inner = new Sequential(new ReLU(), new BatchNorm1d(3));
    const model = new Sequential(new Dense(2, 3, { bias: false }), inner, new Residual(3));

    it("start with the index of each layer at every depth; a layer's own parameters come first", () => {
      expect(model.namedParameters().map(([name]) => name)).toEqual([
        '0.weight',
        '1.1.weight',
        '1.1.bias',
        '2.scale',
        '2.f.weight',
        '2.f.bias',
      ]);
      expect(Object.keys(model.stateDict())).toEqual([
        '0.weight',
        '1.1.weight',
        '1.1.bias',
        '1.1.running_mean',
        '1.1.running_var',
        '1.1.num_batches_tracked',
        '2.scale',
        '2.f.weight',
        '2.f.bias',
      ]);
    });

    it('are in the order of parameters(), which returns the same tensors', () => {
      const named = model.namedParameters().map(([, parameter]) => parameter);
      const parameters = model.parameters();
      expect(parameters).toHaveLength(6);
      expect(parameters.every((parameter, i) => parameter === named[i])).toBe(true);
      expect(parameters.every((parameter) => parameter.requiresGrad)).toBe(true);
      const [, norm] = inner.layers;
      expect(norm instanceof BatchNorm1d && parameters[1] === norm.gamma && parameters[2] === norm.beta).toBe(
        true,
      );
    });

    it('of a shared layer appear once, so that an optimizer accepts the model', () => {
      const shared = new Dense(3, 3);
      const tied = new Sequential(shared, new ReLU(), shared);
      expect(tied.namedParameters().map(([name]) => name)).toEqual(['0.weight', '0.bias']);
      expect(new SGD(tied.parameters(), { lr: 1 }).parameters).toHaveLength(2);
    });

    it('appear in error messages with the whole path', () => {
      const nested = new Sequential(new Sequential(new ReLU(), new Residual(3)));
      expect(refusal(() => nested.forward(zeros([2, 4])), ShapeError)).toMatch(
        /^layer 0\.1\.f, Dense\(3 → 3\): expected x \[batch, 3\]: \[2, 4\]/,
      );
      expect(refusal(() => new Dense(3, 3).forward(zeros([2, 4])), ShapeError)).toMatch(/^Dense\(3 → 3\): /);
    });
  });

  describe('modes', () => {
    const norm = new BatchNorm1d(2, { dtype: widest() });
    const block = new Residual(2);
    const inner = new Sequential(norm, block);
    const model = new Sequential(inner, new Dropout(0.5));

    it('start as training', () => {
      expect(model.modules().every((layer) => layer.training)).toBe(true);
    });

    it('train() and eval() set the mode of all inner layers and return the model', () => {
      expect(model.eval()).toBe(model);
      expect(model.modules().map((layer) => layer.training)).toEqual(Array(6).fill(false));
      expect(model.train()).toBe(model);
      expect(model.modules().map((layer) => layer.training)).toEqual(Array(6).fill(true));
      expect(
        model
          .train(false)
          .modules()
          .some((layer) => layer.training),
      ).toBe(false);
      inner.train();
      expect([model.training, inner.training, block.f.training]).toEqual([false, true, true]);
    });

    it('determine the behavior of inner layers', () => {
      const x = wide([[1, 2], [3, 5]]); // prettier-ignore
      norm.resetRunningStats();
      inner.train().forward(x);
      expect(norm.numBatchesTracked).toBe(1);
      const y = model.eval().forward(x);
      expect(norm.numBatchesTracked).toBe(1);
      expectClose(model.forward(x), y, 0); // no dropout, and the running statistics are unchanged
    });

    it('modules() lists the layer itself and then all inner layers, depth first', () => {
      const [, dropout] = model.layers;
      const expected = [model, inner, norm, block, block.f, dropout];
      expect(model.modules()).toHaveLength(expected.length);
      expect(model.modules().every((layer, i) => layer === expected[i])).toBe(true);
    });
  });
});

inFloat64(() => {
  const float64 = { dtype: 'float64' } as const;

  it('passes the gradient check with layers of all kinds', () => {
    const model = new Sequential(
      new Flatten(),
      new Dense(4, 5, { ...float64, bias: false }),
      new BatchNorm1d(5, float64),
      new LeakyReLU(0.3),
      new Sequential(new Residual(5), new Softmax()),
    );
    const x = leaf([[[1, 2], [0.5, -1]], [[2, 0], [1, 1]], [[-1, 3], [0, 2]]]); // prettier-ignore
    expect(gradcheck((input) => model.forward(input), [x])).toBe(true);
    expectParameterGradients(model, x.detach());
  });
});
