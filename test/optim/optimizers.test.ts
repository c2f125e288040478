/** Behavior of all optimizers: steps, groups, learning rates, missing gradients. */
import { describe, expect, it } from 'vitest';
import { Dense, manualSeed, randn, SGD, ShapeError, tensor } from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import { refusal } from '../layers/helpers.ts';
import { wide, leaf, values } from '../tensors.ts';
import { optimizers, parameters, remembered, setGradients, takeSteps, variants } from './helpers.ts';
import { onDevices } from '../on-devices.ts';

onDevices(() => {
  describe.each(variants)('$kind $options', ({ kind, options }) => {
    const make = () => {
      const params = parameters();
      return { params, optimizer: optimizers[kind](params, options) };
    };

    it('updates parameters in place, and they remain leaves', () => {
      const { params, optimizer } = make();
      const storages = params.map((w) => w.storage);
      const before = params.map(values);
      takeSteps(optimizer, params, 0, 3);
      params.forEach((w, i) => {
        expect(values(w)).not.toEqual(before[i]);
        expect(w.storage).toBe(storages[i]);
        expect(w).toMatchObject({ node: null, requiresGrad: true });
      });
    });

    it('does not change the gradients; zeroGrad sets them to null', () => {
      const { params, optimizer } = make();
      setGradients(params, 0);
      const gradients = params.map((w) => w.grad);
      const before = gradients.map(values);
      optimizer.step();
      expect(params.every((w, i) => w.grad === gradients[i])).toBe(true);
      takeSteps(optimizer, params, 1, 3);
      expect(gradients.map(values)).toEqual(before);
      optimizer.zeroGrad();
      expect(params.map((w) => w.grad)).toEqual([null, null]);
    });

    it('changes neither a parameter without a gradient nor its slots', () => {
      const { params, optimizer } = make();
      takeSteps(optimizer, params, 0, 3);
      const [, second] = params;
      const before = values(second);
      const [first, slots] = remembered(optimizer);
      for (let t = 3; t < 6; t++) {
        setGradients(params, t);
        second.grad = null;
        optimizer.step();
      }
      expect(values(second)).toEqual(before);
      expect(remembered(optimizer)[1]).toEqual(slots);
      if (Object.keys(first).length > 0) expect(remembered(optimizer)[0]).not.toEqual(first);
    });

    it('continues after a missing gradient as if that step had not happened for the parameter', () => {
      const paused = make();
      const straight = make();
      for (const t of [0, 1, 2]) {
        setGradients(paused.params, t);
        if (t === 1) paused.params[1].grad = null;
        paused.optimizer.step();
      }
      for (const t of [0, 2]) {
        setGradients(straight.params, t);
        straight.params[0].grad = null;
        straight.optimizer.step();
      }
      expect(values(paused.params[1])).toEqual(values(straight.params[1]));
    });

    it('does nothing if no parameter has a gradient', () => {
      const { params, optimizer } = make();
      const before = params.map(values);
      optimizer.step();
      expect(params.map(values)).toEqual(before);
      expect(remembered(optimizer)).toEqual([{}, {}]);
    });

    it('refuses a gradient of another shape, dtype or device before it changes any parameter', () => {
      const { params, optimizer } = make();
      const before = params.map(values);
      const elsewhere = tensor([1, 2, 3], { device: { ...cpu } }); // float32, which differs from float64 parameters too
      for (const wrong of [wide([1, 2]), wide([[1, 2, 3]]), elsewhere]) {
        setGradients(params, 0);
        params[1].grad = wrong;
        const message = refusal(() => optimizer.step(), ShapeError);
        expect(message).toMatch(
          new RegExp(`^${kind}: a gradient is Tensor\\(.+, but its value is Tensor\\(\\[3\\]`),
        );
        expect(params.map(values)).toEqual(before);
        expect(remembered(optimizer)).toEqual([{}, {}]);
      }
    });
  });

  describe('the learning rate', () => {
    it('can be read and set, also to 0, and scales the step', () => {
      const w = leaf([1, 2]);
      const optimizer = new SGD([w], { lr: 0.5 });
      expect(optimizer.lr).toBe(0.5);
      w.grad = wide([1, -1]);
      optimizer.step();
      expect(values(w)).toEqual([0.5, 2.5]);
      optimizer.lr = 0;
      optimizer.step();
      expect(values(w)).toEqual([0.5, 2.5]);
      optimizer.lr = 1;
      optimizer.step();
      expect([optimizer.lr, ...values(w)]).toEqual([1, -0.5, 3.5]);
    });

    it('is that of the first group; setting it keeps the ratios between the groups', () => {
      const [a, b] = parameters();
      const optimizer = new SGD([{ params: [a], lr: 0.25 }, { params: [b] }], { lr: 0.5 });
      const rates = () => optimizer.stateDict().groups.map(({ options }) => options);
      expect(optimizer.lr).toBe(0.25);
      optimizer.lr = 0;
      expect(rates()).toMatchObject([{ lr: 0 }, { lr: 0 }]);
      optimizer.lr = 0.125;
      expect(rates()).toMatchObject([{ lr: 0.125 }, { lr: 0.25 }]);
    });
  });

  describe('parameter groups', () => {
    it.each(variants)('behave like separate optimizers: $kind $options', ({ kind, options }) => {
      const [together, apart] = [parameters(), parameters()];
      const own = { lr: 0.02, weightDecay: 0.3 };
      const grouped = optimizers[kind](
        [{ params: [together[0]] }, { params: [together[1]], ...own }],
        options,
      );
      const two = [
        optimizers[kind]([apart[0]], options),
        optimizers[kind]([apart[1]], { ...options, ...own }),
      ];
      for (let t = 0; t < 5; t++) {
        setGradients(together, t);
        setGradients(apart, t);
        grouped.step();
        for (const optimizer of two) optimizer.step();
      }
      expect(together.map(values)).toEqual(apart.map(values));
    });

    it('keep the order of the parameters', () => {
      const [a, b] = parameters();
      const c = leaf([1]);
      const optimizer = new SGD([{ params: [c, a] }, { params: [b] }], { lr: 1 });
      expect(optimizer.parameters.map((w) => [c, a, b].indexOf(w))).toEqual([0, 1, 2]);
    });
  });

  describe('an optimizer with a model', () => {
    it('uses gradients that backward() accumulates until zeroGrad()', () => {
      manualSeed(1);
      const model = new Dense(3, 2);
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const x = randn([4, 3]);
      model.forward(x).sum().backward();
      const once = values(model.weight.grad);
      model.forward(x).sum().backward();
      expect(values(model.weight.grad)).toEqual(once.map((g) => 2 * g));
      optimizer.zeroGrad();
      model.forward(x).sum().backward();
      expect(values(model.weight.grad)).toEqual(once);
    });
  });
});
