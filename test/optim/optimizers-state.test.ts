/** Saving and loading the state of an optimizer. */
import { describe, expect, it } from 'vitest';
import { OptimizerStateError, type OptimizerState, SGD, tensor, ValueError } from '../../src/index.ts';
import { refusal } from '../layers/helpers.ts';
import { wide, leaf, values } from '../tensors.ts';
import { optimizers, parameters, remembered, takeSteps, variants } from './helpers.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

onDevices(() => {
  describe.each(variants)('the state of $kind $options', ({ kind, options }) => {
    /** The parameters and the optimizer after five steps. */
    const halfway = () => {
      const params = parameters();
      const optimizer = optimizers[kind](params, options);
      takeSteps(optimizer, params, 0, 5);
      return { params, optimizer };
    };
    const others = () => {
      const { params } = halfway();
      return { params, optimizer: optimizers[kind](params, { lr: 0.7 }) };
    };

    it('makes 5 + 5 steps equal to 10 steps, bit for bit, including the options', () => {
      const straight = halfway();
      const resumed = others(); // the same parameters, as if loaded from a file
      resumed.optimizer.loadStateDict(straight.optimizer.stateDict());
      takeSteps(straight.optimizer, straight.params, 5, 10);
      takeSteps(resumed.optimizer, resumed.params, 5, 10);
      expect(resumed.params.map(values)).toEqual(straight.params.map(values));
      expect(remembered(resumed.optimizer)).toEqual(remembered(straight.optimizer));
      expect(resumed.optimizer.stateDict().groups).toEqual(straight.optimizer.stateDict().groups);
    });

    it('is copied by stateDict() and by loadStateDict()', () => {
      const saved = halfway();
      const state = saved.optimizer.stateDict();
      const before = remembered(saved.optimizer);
      const [first, second] = [others(), others()];
      first.optimizer.loadStateDict(state);
      takeSteps(saved.optimizer, saved.params, 5, 7);
      saved.optimizer.lr = 5;
      takeSteps(first.optimizer, first.params, 5, 7);
      second.optimizer.loadStateDict(state);
      expect(remembered(second.optimizer)).toEqual(before);
      expect(second.optimizer.lr).toBe(options.lr);
    });

    it('of another optimizer, other parameters or other shapes is refused, and nothing changes', () => {
      const { params, optimizer } = halfway();
      const before = remembered(optimizer);
      const state = optimizer.stateDict();
      const [a, b] = parameters();
      const other = kind === 'SGD' ? 'Adam' : 'SGD';
      const one = optimizers[kind]([a], { ...options, lr: 9 });
      const grouped = optimizers[kind]([{ params: [a] }, { params: [b] }], { ...options, lr: 9 });
      const misfits: [OptimizerState, RegExp][] = [
        [optimizers[other]([a, b], { lr: 9 }).stateDict(), new RegExp(`it is of ${other}`)],
        [one.stateDict(), /it is of 1 parameters, this optimizer has 2/],
        [grouped.stateDict(), /it is of 1 \+ 1 parameters, this optimizer has 2/],
        [{ ...state, slots: state.slots.slice(1) }, /it has 1 entries for 2 parameters/],
        [
          { ...state, slots: [{}, { step: 1, buffer: wide([1]) }] },
          /entry of parameter 1 is not of shape \[3\]/,
        ],
      ];
      for (const [misfit, message] of misfits) {
        expect(refusal(() => optimizer.loadStateDict(misfit), OptimizerStateError)).toMatch(message);
        expect(remembered(optimizer)).toEqual(before);
        expect(optimizer.lr).toBe(options.lr);
      }
      takeSteps(optimizer, params, 5, 6); // it still works
      expect(remembered(optimizer)).toHaveLength(2);
    });

    it('with options out of range is refused, and nothing changes', () => {
      const { optimizer } = halfway();
      const before = remembered(optimizer);
      const { slots, groups, ...rest } = optimizer.stateDict();
      const wrong = groups.map((group) => ({ ...group, options: { ...group.options, lr: -1 } }));
      const message = refusal(
        () => optimizer.loadStateDict({ ...rest, slots: slots.map(() => ({})), groups: wrong }),
        ValueError,
      );
      expect(message).toContain('lr is -1');
      expect(remembered(optimizer)).toEqual(before);
      expect(optimizer.lr).toBe(options.lr);
    });

    it('is empty before the first step, and can be loaded', () => {
      const fresh = optimizers[kind](parameters(), options);
      expect(fresh.stateDict()).toMatchObject({
        optimizer: kind,
        slots: [{}, {}],
        groups: [{ params: [0, 1] }],
      });
      const { optimizer } = halfway();
      optimizer.loadStateDict(fresh.stateDict());
      expect(remembered(optimizer)).toEqual([{}, {}]);
    });
  });

  describe('the state of an optimizer', () => {
    it('lists the parameter indices and all options of each group', () => {
      const [a, b] = parameters();
      const c = leaf([1]);
      const optimizer = new SGD([{ params: [c, a], lr: 0.2 }, { params: [b] }], { lr: 0.1, momentum: 0.9 });
      const complete = { momentum: 0.9, dampening: 0, nesterov: false, weightDecay: 0 };
      expect(optimizer.stateDict().groups).toEqual([
        { params: [0, 1], options: { ...complete, lr: 0.2 } },
        { params: [2], options: { ...complete, lr: 0.1 } },
      ]);
    });

    it('can be loaded when the learning rate is 0, as after a schedule', () => {
      const optimizer = new SGD(parameters(), { lr: 0.1 });
      optimizer.lr = 0;
      const resumed = new SGD(parameters(), { lr: 0.1 });
      resumed.loadStateDict(optimizer.stateDict());
      expect(resumed.lr).toBe(0);
    });
  });
});

inFloat64(() => {
  it('loadStateDict converts the state to the element type of the parameters', () => {
    const doubles = parameters();
    const saved = optimizers.Adam(doubles, { lr: 0.1 });
    takeSteps(saved, doubles, 0, 2);
    const floats = doubles.map((w) => tensor(w.dataSync(), { shape: w.shape, requiresGrad: true }));
    const resumed = optimizers.Adam(floats, { lr: 0.1 });
    resumed.loadStateDict(saved.stateDict());
    const rounded = remembered(saved).map(({ m }) => (m as number[]).map(Math.fround));
    expect(remembered(resumed).map(({ m }) => m)).toEqual(rounded);
    for (const w of floats) w.grad = tensor(Array(w.size).fill(1)).reshape(w.shape);
    resumed.step();
    expect(remembered(resumed).map(({ step }) => step)).toEqual([3, 3]);
  });
});
