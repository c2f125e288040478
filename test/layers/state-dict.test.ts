import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  manualSeed,
  randn,
  ReLU,
  Sequential,
  SGD,
  type StateDict,
  StateDictError,
  tensor,
  useDevice,
  zeros,
} from '../../src/index.ts';
import { refusal, snapshot } from './helpers.ts';
import { values } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

const model = () =>
  new Sequential(
    new BatchNorm1d(3),
    new Dense(3, 4, { bias: false }),
    new BatchNorm1d(4),
    new ReLU(),
    new Dense(4, 2),
  );

/** A model after three steps, so that no value is the initial one. */
function trained(): Sequential {
  manualSeed(1);
  const net = model();
  const optimizer = new SGD(net.parameters(), { lr: 0.1 });
  for (let step = 0; step < 3; step++) {
    optimizer.zeroGrad();
    net
      .forward(randn([6, 3]))
      .pow(2)
      .sum()
      .backward();
    optimizer.step();
  }
  return net;
}

onDevices(() => {
  describe('a state dict', () => {
    it("has PyTorch's keys and shapes, except that weights are [in, out]", () => {
      const shapes = Object.entries(trained().stateDict()).map(([name, { shape }]) => [name, shape]);
      expect(shapes).toEqual([
        ['0.weight', [3]],
        ['0.bias', [3]],
        ['0.running_mean', [3]],
        ['0.running_var', [3]],
        ['0.num_batches_tracked', []],
        ['1.weight', [3, 4]],
        ['2.weight', [4]],
        ['2.bias', [4]],
        ['2.running_mean', [4]],
        ['2.running_var', [4]],
        ['2.num_batches_tracked', []],
        ['4.weight', [4, 2]],
        ['4.bias', [2]],
      ]);
    });

    it('restores the state and the outputs of a model bit for bit', () => {
      const [from, to] = [trained(), model()];
      expect(snapshot(to)).not.toEqual(snapshot(from));
      to.loadStateDict(from.stateDict());
      expect(snapshot(to)).toEqual(snapshot(from));
      const x = randn([5, 3]);
      expect(values(to.eval().forward(x))).toEqual(values(from.eval().forward(x)));
      expect(values(to.train().forward(x))).toEqual(values(from.train().forward(x)));
      expect(snapshot(to)).toEqual(snapshot(from));
    });

    it('holds copies: training changes neither the state dict nor another model that loaded it', () => {
      const [from, to] = [trained(), model()];
      const state = from.stateDict();
      const before = snapshot(from);
      to.loadStateDict(state);
      for (const net of [from, to]) {
        net
          .forward(randn([4, 3]))
          .sum()
          .backward();
        new SGD(net.parameters(), { lr: 1 }).step();
      }
      expect(Object.fromEntries(Object.entries(state).map(([name, x]) => [name, values(x)]))).toEqual(before);
      for (const name of ['4.weight', '2.running_mean', '2.num_batches_tracked']) {
        expect(snapshot(from)[name]).not.toEqual(before[name]);
        expect(snapshot(to)[name]).not.toEqual(before[name]);
      }
      expect(Object.values(state).some((x) => x.requiresGrad)).toBe(false);
    });
  });

  describe('loading a state dict', () => {
    it('keeps the parameter tensors, so that an existing optimizer still works', () => {
      const net = model();
      const parameters = net.parameters();
      const optimizer = new SGD(parameters, { lr: 0.5 });
      net.loadStateDict(trained().stateDict());
      expect(net.parameters().every((parameter, i) => parameter === parameters[i])).toBe(true);
      const before = snapshot(net)['4.bias'];
      net
        .forward(randn([4, 3]))
        .sum()
        .backward();
      optimizer.step();
      expect(snapshot(net)['4.bias']).toEqual(before.map((value) => Math.fround(value - 0.5 * 4)));
    });

    it('refuses a state that does not fit, lists all entries, and changes nothing', () => {
      const net = trained();
      const before = snapshot(net);
      const left = Object.entries(trained().stateDict()).filter(
        ([name]) => !['0.bias', '2.running_var'].includes(name),
      );
      const state: StateDict = {
        ...Object.fromEntries(left),
        '1.weight': zeros([4, 3]),
        '4.bias': zeros([3]),
        '1.bias': zeros([4]),
        extra: zeros([1]),
      };
      const message = refusal(() => net.loadStateDict(state), StateDictError);
      expect(message).toContain('missing: 0.bias, 2.running_var;');
      expect(message).toContain('unexpected: 1.bias, extra;');
      expect(message).toContain('of another shape: 1.weight is [4, 3], not [3, 4], 4.bias is [3], not [2].');
      expect(snapshot(net)).toEqual(before);
    });

    it('lists only the kinds of mismatch that occur', () => {
      const message = refusal(() => new Dense(2, 2).loadStateDict({ weight: zeros([2, 2]) }), StateDictError);
      expect(message).toBe(
        'loadStateDict: the state does not fit Dense(2 → 2): missing: bias. ' +
          'Hint: build the model that was saved, or pass { strict: false }',
      );
    });

    it('ignores missing and unexpected entries with strict: false, and loads the rest', () => {
      const net = trained();
      const before = snapshot(net);
      net.loadStateDict({ '4.bias': tensor([7, 8]), extra: zeros([1]) }, { strict: false });
      expect(snapshot(net)).toEqual({ ...before, '4.bias': [7, 8] });
    });

    it('refuses another shape even with strict: false, and changes nothing', () => {
      const net = trained();
      const before = snapshot(net);
      const state = { '4.bias': tensor([7, 8]), '0.bias': zeros([4]) };
      const message = refusal(() => net.loadStateDict(state, { strict: false }), StateDictError);
      expect(message).toContain('of another shape: 0.bias is [4], not [3]');
      expect(message).not.toContain('missing');
      expect(snapshot(net)).toEqual(before);
    });

    it('makes backward() fail for a graph that needs the old values', () => {
      const net = trained();
      const x = randn([4, 3], { requiresGrad: true });
      const loss = net.forward(x).sum();
      net.loadStateDict(model().stateDict());
      expect(() => loss.backward()).toThrow(/was changed in place/);
    });
  });
});

inFloat64(() => {
  it('a state dict can be loaded into another element type', () => {
    const from = new Dense(2, 2, { dtype: 'float64' });
    const to = new Dense(2, 2);
    to.loadStateDict(from.stateDict());
    expect(to.weight.dtype).toBe('float32');
    expect(values(to.weight)).toEqual(values(from.weight).map(Math.fround));
  });

  it('a state dict can be loaded on another device, bit for bit', async () => {
    const from = trained();
    await useDevice('wasm');
    const to = model();
    to.loadStateDict(from.stateDict());
    expect(to.parameters().map(({ device }) => device)).toEqual(Array(7).fill('wasm'));
    expect(snapshot(to)).toEqual(snapshot(from));
  });
});
