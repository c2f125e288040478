/** Arguments that other libraries take, and mistakes of callers without types: layers refuse them and say what to do. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  DataLoader,
  Dense,
  Dropout,
  Flatten,
  Layer,
  LeakyReLU,
  manualSeed,
  ones,
  randn,
  ReLU,
  Sequential,
  ShapeError,
  Sigmoid,
  Softmax,
  Tanh,
  type Tensor,
  tensor,
  useDevice,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { values } from '../tensors.ts';
import { refusal } from './helpers.ts';

beforeAll(() => useDevice('cpu'));

const untyped = (value: unknown): never => value as never;
const refused = (action: () => unknown): string => refusal(action, ValueError);

describe('options by position are refused, not ignored:', () => {
  it('new Dense(2, 2, false), for a layer without bias', () => {
    const message = refused(() => new Dense(2, 2, untyped(false)));
    expect(message).toBe(
      'Dense: options is false. Hint: pass options by name, as in { bias: value }; known options: bias, init, dtype',
    );
    expect(new Dense(2, 2, { bias: false }).bias).toBe(null);
  });

  it('new BatchNorm1d(4, 0.8) and new BatchNorm1d(4, 1e-3, 0.01), for eps and momentum', () => {
    const BatchNorm: new (...args: number[]) => Layer = untyped(BatchNorm1d);
    expect(refused(() => new BatchNorm(4, 0.8))).toMatch(
      /^BatchNorm1d: options is 0\.8\. .* \{ eps: value \}/,
    );
    expect(refused(() => new BatchNorm(4, 1e-3, 0.01))).toMatch(/^BatchNorm1d: options is 0\.001\./);
  });

  it.each([ReLU, Sigmoid, Tanh, Softmax, Flatten])('arguments of %o, which has no options', (Kind) => {
    expect(refused(() => new Kind(untyped(1)))).toBe(
      `${Kind.name}: too many arguments: 1, at most 0. Hint: this layer has no options`,
    );
  });
});

describe('an initializer is', () => {
  it('a function, not its name', () => {
    expect(refused(() => new Dense(2, 2, { init: untyped('heNormal') }))).toBe(
      "Dense: init is 'heNormal' (a string). Hint: a function is expected",
    );
  });

  it('called with the shape and the element type, and its result must have both', () => {
    const transposed = () => refusal(() => new Dense(2, 3, { init: () => ones([3, 2]) }), ShapeError);
    expect(transposed()).toMatch(
      /^Dense: init returned a tensor \[3, 2\], float32, for a weight \[2, 3\], float32\. Hint/,
    );
    const wide = () => new Dense(2, 3, { init: (shape) => ones(shape, { dtype: 'float64' }) });
    expect(refusal(wide, ShapeError)).toContain('float64');
    expect(refused(() => new Dense(1, 1, { init: () => untyped([[1]]) }))).toContain(
      'the result of init is an Array',
    );
  });

  it('free to compute the weight: the layer trains a copy of it', () => {
    manualSeed(1);
    const drawn = randn([2, 2]);
    for (const init of [() => drawn.mul(3), () => drawn.mul(3).detach()]) {
      const { weight } = new Dense(2, 2, { init });
      expect(values(weight)).toEqual(values(drawn.mul(3)));
      weight.sum().backward();
      expect(values(weight.grad)).toEqual([1, 1, 1, 1]);
    }
    const shared = ones([2, 2], { requiresGrad: true });
    expect(new Dense(2, 2, { init: () => shared }).weight).toBe(shared);
  });
});

describe('the input of every layer must be a tensor:', () => {
  const layers: readonly Layer[] = [
    new Dense(2, 2),
    new BatchNorm1d(2),
    new ReLU(),
    new LeakyReLU(),
    new Sigmoid(),
    new Tanh(),
    new Softmax(),
    new Flatten(),
    new Dropout(),
    new Sequential(),
    new Sequential(new Dense(2, 2), new ReLU()),
    new Sequential(new Sequential(new BatchNorm1d(2), new Dense(2, 2), new ReLU())),
  ];
  const [batch] = new DataLoader(
    { x: new Float32Array([1, 2, 3, 5]), shape: [2], labels: new Uint8Array(2) },
    { batchSize: 2 },
  );

  it.each(layers)('%o', (layer) => {
    for (const device of ['cpu', 'wasm'] as const) {
      for (const x of [[[1, 2]], batch.x, batch, undefined, null]) {
        const message = refused(() => layer.forward(untyped(x)));
        expect(message, device).toMatch(
          /: x is .*\. Hint: .*tensor\(\[\[1, 2\]\]\), or tensor\(batch\.x, \{ shape/,
        );
        expect(message.startsWith(layer.toString())).toBe(true);
      }
    }
  });

  it('the advised calls make one', () => {
    const model = new Sequential(new Dense(2, 2), new BatchNorm1d(2));
    expect(model.forward(tensor(batch.x, { shape: batch.shape })).shape).toEqual([2, 2]);
    expect(model.eval().forward(tensor([[1, 2]])).shape).toEqual([1, 2]);
  });

  it('one example is no batch; the message gives the call that makes one', () => {
    const model = new Sequential(new Dense(2, 3));
    const message = refusal(() => model.forward(tensor([1, 2])), ShapeError);
    expect(message).toMatch(
      /^layer 0, Dense\(2 → 3\): expected x \[batch, 2\]: \[2\]\. Hint: x\.reshape\(\[-1, 2\]\)/,
    );
    expect(model.forward(tensor([1, 2]).reshape([-1, 2])).shape).toEqual([1, 3]);
    expect(refusal(() => model.forward(tensor([1, 2, 3])), ShapeError)).toContain(
      'this layer takes 2 features',
    );
  });

  it('with other axes than batch normalization takes; the message gives the call that changes them', () => {
    const norm = new BatchNorm1d(2);
    const hint = (x: Tensor) => refusal(() => norm.forward(x), ShapeError).split('Hint: ')[1];
    expect(hint(zeros([4, 2, 3, 3]))).toBe('pass x.reshape([4, 2, -1])');
    expect(norm.forward(zeros([4, 2, 3, 3]).reshape([4, 2, -1])).shape).toEqual([4, 2, 9]);
    expect(hint(zeros([4]))).toBe('pass x.reshape([-1, 2])');
    expect(norm.forward(zeros([4]).reshape([-1, 2])).shape).toEqual([2, 2]);
    expect(hint(zeros([3]))).toBe('x has 3 features, this layer expects 2');
  });
});

describe('Sequential takes', () => {
  it('its layers one by one, or in an array', () => {
    const layers = [new Dense(2, 2), new ReLU()];
    const model = new Sequential(layers);
    expect(model.layers).toEqual(layers);
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias']);
    expect(model.toString()).toBe(new Sequential(...layers).toString());
    expect(new Sequential([]).layers).toEqual([]);
  });

  it('objects, not classes', () => {
    const message = refused(() => new Sequential(new Dense(2, 2), untyped(ReLU)));
    expect(message).toBe('Sequential: layer 1 is the class ReLU. Hint: pass a layer, such as new ReLU()');
  });

  it('layers, and nothing else', () => {
    for (const other of [undefined, null, 'relu', (x: Tensor) => x.relu(), tensor([1]), {}]) {
      expect(refused(() => new Sequential(untyped(other)))).toMatch(
        /^Sequential: layer 0 is .+\. Hint: pass a layer/,
      );
      expect(refused(() => new Sequential([untyped(other)]))).toMatch(/^Sequential: layer 0 is /);
    }
  });
});

describe('a layer of your own', () => {
  class Scaled extends Layer {
    constructor(scale: unknown, inner: unknown = new ReLU()) {
      super();
      this.addParameter('scale', untyped(scale));
      this.addLayer('inner', untyped(inner));
    }
    override forward(x: Tensor): Tensor {
      return x;
    }
  }

  it('registers tensors and layers, and nothing else', () => {
    expect(new Scaled(tensor([1], { requiresGrad: true })).parameters()).toHaveLength(1);
    expect(refused(() => new Scaled([1]))).toBe(
      'Scaled: the parameter scale is an Array of 1. Hint: a tensor is expected: tensor(values) makes one',
    );
    expect(refused(() => new Scaled(tensor([1], { requiresGrad: true }), ReLU))).toMatch(
      /^Scaled: layer inner is the class ReLU\./,
    );
  });
});
