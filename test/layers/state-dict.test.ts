import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  DeviceError,
  DeviceLostError,
  Layer,
  manualSeed,
  randn,
  ReLU,
  Sequential,
  SGD,
  scope,
  type StateDict,
  StateDictError,
  type Tensor,
  tensor,
  useDevice,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
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

/** A layer whose parameters have the names of properties that every object inherits. */
class Odd extends Layer {
  static readonly names = ['toString', 'constructor', 'hasOwnProperty'];

  constructor() {
    super();
    for (const name of Odd.names) this.addParameter(name, zeros([1], { requiresGrad: true }));
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

function fail(reason: string): never {
  throw new DeviceLostError('dataSync', reason, 'start again');
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
      expect(message).toContain(
        '1.weight is a tensor of shape [4, 3], not a tensor of shape [3, 4]; 4.bias is a tensor of shape [3], not a tensor of shape [2].',
      );
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
      expect(message).toContain('0.bias is a tensor of shape [4], not a tensor of shape [3]');
      expect(message).not.toContain('missing');
      expect(snapshot(net)).toEqual(before);
    });

    it.each([
      ['null', null],
      ['undefined', undefined],
      ['a string', 'state.safetensors'],
      ['a number', 3],
      ['an array', [zeros([2, 2])]],
      ['a Map', new Map([['weight', zeros([2, 2])]])],
      ['a tensor', zeros([2, 2])],
    ])('refuses %s in place of a state dict', (_, state) => {
      const message = refusal(() => new Dense(2, 2).loadStateDict(state as never), StateDictError);
      expect(message).toMatch(
        /^loadStateDict: a state dict is expected: .*Hint: pass an object of tensors by name/,
      );
    });

    it.each([
      ['nested arrays', { weight: [[1, 2], [3, 4]], bias: [1, 2] }, ['weight is an Array of 2', 'bias is an Array of 2']], // prettier-ignore
      ['null', { weight: null, bias: zeros([2]) }, ['weight is null']],
      ['undefined', { weight: undefined, bias: zeros([2]) }, ['weight is undefined']],
      [
        'JSON',
        JSON.parse('{"weight":{"shape":[2,2]},"bias":{"shape":[2]}}') as unknown,
        ['weight is an Object', 'bias is an Object'],
      ],
      ['typed arrays', { weight: new Float32Array(4) }, ['weight is a Float32Array of 4']],
      ['objects without a prototype', { weight: Object.create(null) as unknown }, ['weight is an Object']],
    ])('refuses %s in place of tensors, even with strict: false', (_, state, problems) => {
      const layer = new Dense(2, 2);
      const before = snapshot(layer);
      for (const strict of [true, false]) {
        const message = refusal(() => layer.loadStateDict(state as never, { strict }), StateDictError);
        for (const problem of problems) expect(message).toContain(`${problem}, not a tensor of shape [2`);
        expect(message).toMatch(/Hint: .*make tensors first: tensor\(values, { shape }\)$/);
      }
      expect(snapshot(layer)).toEqual(before);
    });

    it('does not mistake inherited properties for entries', () => {
      const layer = new Odd();
      const message = refusal(() => layer.loadStateDict({}), StateDictError);
      expect(message).toContain('missing: toString, constructor, hasOwnProperty. ');
      layer.loadStateDict({}, { strict: false });
      const state = Object.fromEntries(Odd.names.map((name, i) => [name, tensor([i + 1])]));
      layer.loadStateDict(state);
      expect(snapshot(layer)).toEqual({ toString: [1], constructor: [2], hasOwnProperty: [3] });
      const polluting = JSON.parse('{"__proto__":{}}') as StateDict;
      expect(refusal(() => layer.loadStateDict({ ...state, ...polluting }), StateDictError)).toContain(
        'unexpected: __proto__',
      );
    });

    it('refuses unknown options', () => {
      const layer = new Dense(2, 2);
      const misspelt = { strikt: false };
      expect(refusal(() => layer.loadStateDict({}, misspelt as never), ValueError)).toContain(
        'unknown option: strikt',
      );
    });

    it.each([
      ['0.num_batches_tracked', -1, 'the count is -1'],
      ['0.num_batches_tracked', 0.5, 'the count is 0.5'],
      ['0.num_batches_tracked', NaN, 'the count is NaN'],
      ['0.num_batches_tracked', Infinity, 'the count is Infinity'],
      ['2.running_var', [1, -0.5, 1, 1], 'it has the value -0.5'],
    ])('refuses %s %s, and changes nothing', (name, value, problem) => {
      const net = trained();
      const before = snapshot(net);
      const state = { ...model().stateDict(), [name]: tensor(value) };
      const message = refusal(() => net.loadStateDict(state), StateDictError);
      expect(message).toContain(`loadStateDict: ${name} cannot be loaded: ${problem}`);
      expect(snapshot(net)).toEqual(before);
    });

    it('loads NaN and infinite values', () => {
      const layer = new BatchNorm1d(3);
      layer.loadStateDict({ running_var: tensor([NaN, Infinity, 0]) }, { strict: false });
      expect(values(layer.runningVar)).toEqual([NaN, Infinity, 0]);
    });

    it('changes nothing if a tensor cannot be read, and backward() still works', () => {
      const net = trained();
      const before = snapshot(net);
      const loss = net.forward(randn([4, 3], { requiresGrad: true })).sum();
      const after = snapshot(net); // the forward pass has updated the running statistics
      const state = model().stateDict();
      const lost = tensor([0, 0]);
      lost.home = { ...cpu, readSync: () => fail('lost'), run: () => fail('lost') };
      expect(() => net.loadStateDict({ ...state, '4.bias': lost })).toThrow(DeviceLostError);
      expect(snapshot(net)).toEqual(after);
      expect(after).not.toEqual(before);
      loss.backward();
    });

    it('takes the values of the moment of the call if tensors are in each other’s place', () => {
      const net = new Sequential(new BatchNorm1d(2), new BatchNorm1d(2));
      const own = Object.fromEntries(
        net.namedSlots().flatMap(([name, { held }]) => (held ? [[name, held]] : [])),
      );
      own['0.weight'].requiresGrad = own['0.bias'].requiresGrad = false;
      const before = snapshot(net);
      net.loadStateDict({ '0.weight': own['0.bias'], '0.bias': own['0.weight'] }, { strict: false });
      expect(snapshot(net)).toEqual({
        ...before,
        '0.weight': before['0.bias'],
        '0.bias': before['0.weight'],
      });
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

  it('a float64 value that float32 cannot hold is an error, and nothing changes', () => {
    const layer = new Dense(1, 2);
    const before = snapshot(layer);
    const wide = (values: number[]) => tensor(values, { dtype: 'float64' });
    const weight = tensor([[1, 2]]);
    const message = refusal(() => layer.loadStateDict({ weight, bias: wide([0, -1e39]) }), StateDictError);
    expect(message).toBe(
      'loadStateDict: bias cannot be loaded: it has the value -1e+39. Hint: float32 holds at most ±3.4e38',
    );
    expect(snapshot(layer)).toEqual(before);
    layer.loadStateDict({ weight, bias: wide([NaN, -Infinity]) });
    expect(values(layer.bias)).toEqual([NaN, -Infinity]);
  });

  it('a tensor of a scope that has ended is an error, and nothing changes', async () => {
    await useDevice('wasm');
    const net = model();
    const before = snapshot(net);
    const kept: Tensor[] = [];
    scope(() => void kept.push(tensor([7, 8])));
    const state = { ...trained().stateDict(), '4.bias': kept[0] };
    expect(refusal(() => net.loadStateDict(state), DeviceError)).toContain('scope() which has ended');
    expect(snapshot(net)).toEqual(before);
    await useDevice('cpu');
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
