/** Saving and loading the state of an optimizer. */
import { describe, expect, it } from 'vitest';
import {
  DeviceLostError,
  OptimizerStateError,
  type OptimizerState,
  SGD,
  type SGDOptions,
  type Tensor,
  tensor,
  ValueError,
} from '../../src/index.ts';
import type { Slots } from '../../src/optim/optimizer-state.ts';
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
        [optimizers[other]([a, b], { lr: 9 }).stateDict(), new RegExp(`optimizer is ${other}, not ${kind}`)],
        [
          one.stateDict(),
          /groups is \[0\], not \[0, 1\]; slots is a list of 1 objects, not a list of 2 objects/,
        ],
        [grouped.stateDict(), /groups is \[0\] \+ \[1\], not \[0, 1\]/],
        [{ ...state, slots: state.slots.slice(1) }, /slots is a list of 1 objects, not a list of 2 objects/],
        [
          { ...state, slots: [{}, { q: 1, buffer: wide([1]) }] },
          /parameter 1: .*(?:unexpected: .*buffer|buffer is a tensor of shape \[1\], not a tensor of shape \[3\])/,
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

    it('is restored entirely or not at all: no slot may be missing, renamed or impossible', () => {
      const { params, optimizer } = halfway();
      const before = remembered(optimizer);
      const state = optimizer.stateDict();
      const refused = (slots: Record<string, unknown>) => {
        const changed = { ...state, slots: [state.slots[0], slots] } as OptimizerState;
        const message = refusal(() => optimizer.loadStateDict(changed), OptimizerStateError);
        expect(remembered(optimizer)).toEqual(before);
        return message;
      };
      const own = state.slots[1];
      for (const [name, slot] of Object.entries(own)) {
        const others = Object.fromEntries(Object.entries(own).filter(([other]) => other !== name));
        expect(refused({ ...others, q: slot })).toContain(`parameter 1: missing: ${name}; unexpected: q. `);
        if (Object.keys(others).length > 0)
          expect(refused(others)).toContain(`parameter 1: missing: ${name}. `);
        const wrong =
          typeof slot === 'number' ? ['1', null, wide([1, 1, 1])] : [1, null, [1, 2, 3], wide([1])];
        const form = typeof slot === 'number' ? 'a number' : 'a tensor of shape [3]';
        for (const value of wrong) {
          const message = refused({ ...own, [name]: value });
          expect(message).toContain(`the state does not fit parameter 1: ${name} is `);
          expect(message).toContain(`, not ${form}. Hint: `);
        }
        for (const value of typeof slot === 'number' ? [-1, 1.5, NaN] : []) {
          expect(refused({ ...own, [name]: value })).toContain(
            `${name} of parameter 1 cannot be loaded: the count is ${value}. Hint: `,
          );
        }
        if (!['v', 'largest'].includes(name)) continue;
        expect(refused({ ...own, [name]: wide([0, -1, 0]) })).toContain(
          `${name} of parameter 1 cannot be loaded: it has the value -1. Hint: values ≥ 0 are expected`,
        );
      }
      expect(refused({ ...own, more: wide([1, 1, 1]) })).toContain('parameter 1: unexpected: more. ');
      takeSteps(optimizer, params, 5, 6);
    });

    it('is not changed if a tensor cannot be read', () => {
      const { optimizer } = halfway();
      const before = remembered(optimizer);
      const state = others().optimizer.stateDict();
      const lost = wide([0, 0, 0]);
      const read = (): never => {
        throw new DeviceLostError('dataSync', 'lost', 'start again');
      };
      lost.home = { ...lost.home, readSync: read, run: read };
      const slots = state.slots.map((of, i) => (i === 0 ? of : { ...optimizer.stateDict().slots[1] }));
      const name = Object.keys(slots[1]).find((slot) => slot !== 'step');
      if (name === undefined) return; // SGD without momentum keeps nothing
      slots[1][name] = lost;
      const saved = { ...optimizer.stateDict(), slots };
      expect(() => optimizer.loadStateDict(saved)).toThrow(DeviceLostError);
      expect(remembered(optimizer)).toEqual(before);
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
    it.each([
      ['null', null, 'it is null'],
      ['an array', [], 'it is an Array of 0'],
      ['a Map', new Map(), 'it is a Map'],
      ['a file name', 'state.json', "it is 'state.json' (a string)"],
      [
        'an object without slots',
        { optimizer: 'SGD', groups: [{ params: [0, 1], options: {} }] },
        'slots is undefined, not a list of 2 objects',
      ],
      [
        'groups that are numbers',
        { optimizer: 'SGD', groups: [1], slots: [{}, {}] },
        'groups is 1, not [0, 1]',
      ],
      [
        'groups without options',
        { optimizer: 'SGD', groups: [{ params: [0, 1] }], slots: [{}, {}] },
        'groups is an Object, not [0, 1]',
      ],
      [
        'groups whose parameters are in another order',
        { optimizer: 'SGD', groups: [{ params: [1, 0], options: {} }], slots: [{}, {}] },
        'groups is [1, 0], not [0, 1]',
      ],
      [
        'groups whose parameters are text',
        { optimizer: 'SGD', groups: [{ params: ['0', '1'], options: {} }], slots: [{}, {}] },
        "groups is ['0' (a string), '1' (a string)], not [0, 1]",
      ],
      [
        'slots that are null',
        { optimizer: 'SGD', groups: [{ params: [0, 1], options: {} }], slots: [{}, null] },
        'slots is an Array of 2, not a list of 2 objects',
      ],
      [
        'more than an optimizer has',
        { optimizer: 'SGD', groups: [{ params: [0, 1], options: {} }], slots: [{}, {}], step: 1 },
        'unexpected: step',
      ],
    ])('is not %s', (_, state, problem) => {
      const optimizer = new SGD(parameters(), { lr: 0.1 });
      const message = refusal(() => optimizer.loadStateDict(state as never), OptimizerStateError);
      expect(message).toBe(
        `SGD: the state does not fit: ${problem}. ` +
          'Hint: build the optimizer that was saved, over the same parameters, and pass its stateDict()',
      );
    });

    it('may hold anything if a subclass has its own update', () => {
      class Counting extends SGD {
        protected override update(w: Tensor, g: Tensor, slots: Slots, options: SGDOptions): void {
          slots.updates = (typeof slots.updates === 'number' ? slots.updates : 0) + 1;
          super.update(w, g, slots, options);
        }
      }
      const make = () => new Counting(parameters(), { lr: 0.1, momentum: 0.5 });
      const [saved, loaded] = [make(), make()];
      takeSteps(saved, saved.parameters, 0, 3);
      loaded.loadStateDict(saved.stateDict());
      expect(remembered(loaded)).toEqual(remembered(saved));
      expect(remembered(loaded)[0].updates).toBe(3);
    });

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
  it('loadStateDict refuses a state that float32 cannot hold, and changes nothing', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
    const state = optimizer.stateDict();
    const slots = [{ velocity: tensor([1, 1e300], { dtype: 'float64' }) }];
    expect(refusal(() => optimizer.loadStateDict({ ...state, slots }), OptimizerStateError)).toContain(
      'velocity of parameter 0 cannot be loaded: it has the value 1e+300. Hint: float32 holds at most',
    );
    expect(optimizer.stateDict()).toEqual(state);
  });

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
