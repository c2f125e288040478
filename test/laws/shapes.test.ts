/** Law: no array that a program passes or receives is the shape of a tensor. So no assignment can change one in silence. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Adam,
  DataLoader,
  defineOp,
  digits,
  fit,
  full,
  manualSeed,
  ones,
  randn,
  type Tensor,
  tensor,
  useDevice,
  zeros,
} from '../../src/index.ts';
import { nets } from '../../src/networks.ts';
import { Value } from '../../src/tensor/value.ts';

beforeEach(() => useDevice('cpu'));

const x = () => tensor([[1, 2, 3], [4, 5, 6]], { requiresGrad: true }); // prettier-ignore
const double = defineOp<[x: Tensor]>({
  name: 'double',
  forward: (a) => a.mul(2),
  backward: (g) => [() => g.mul(2)],
});

const makers: Record<string, () => Tensor> = {
  'a leaf': x,
  'the result of an op': () => x().add(1),
  'a view': () => x().reshape([3, 2]),
  'a detached tensor': () => x().detach(),
  'an own op': () => double(x()),
  'a gradient': () => {
    const leaf = x();
    leaf.mul(2).sum().backward();
    return leaf.grad ?? leaf;
  },
};

describe('the shape is a frozen array, always the same one, of', () => {
  it.each(Object.entries(makers))('%s', (_, make) => {
    const t = make();
    const before = [...t.shape];
    expect(Object.isFrozen(t.shape)).toBe(true);
    expect(t.shape).toBe(t.shape);
    expect(() => Reflect.apply(Array.prototype.push, t.shape, [1])).toThrow(TypeError);
    expect(Reflect.set(t.shape, 0, 5)).toBe(false);
    expect(t.shape).toEqual(before);
    expect(Object.isFrozen(t.toJSON().shape)).toBe(true);
  });
});

describe('a change of the array that was passed as a shape does not change the tensor of', () => {
  const withShape: Record<string, (shape: number[]) => Tensor> = {
    tensor: (shape) => tensor([1, 2, 3, 4], { shape }),
    zeros,
    ones,
    randn,
    full: (shape) => full(shape, 1),
    reshape: (shape) => ones([4]).reshape(shape),
  };
  it.each(Object.entries(withShape))('%s', (_, make) => {
    const shape = [2, 2];
    const t = make(shape);
    shape[0] = 9;
    expect(t.shape).toEqual([2, 2]);
    expect(t.size).toBe(4);
  });
});

describe('a training step makes no frozen arrays, because it reads the field', () => {
  const shape = Object.getOwnPropertyDescriptor(Value.prototype, 'shape') ?? {};
  afterEach(() => void Object.defineProperty(Value.prototype, 'shape', shape));

  it.each(Object.entries(nets))('of %s', async (_, make) => {
    await useDevice('wasm');
    manualSeed(1);
    const model = make();
    const train = new DataLoader(digits({ count: 64, seed: 1 }), { batchSize: 32 });
    const optimizer = new Adam(model.parameters());
    let read = new Set<Value>(); // the tensors whose shape was read
    const get = function (this: Value) {
      read.add(this);
      return this.extents;
    };
    Object.defineProperty(Value.prototype, 'shape', { ...shape, get });
    const readIn = async (epochs: number) => {
      read = new Set();
      await fit(model, { train, optimizer, epochs });
      return read.size;
    };
    await readIn(1); // the first step makes the state of the optimizer
    expect(x().shape).toEqual([2, 3]);
    expect(read.size).toBeGreaterThan(0);
    expect(await readIn(4)).toBe(await readIn(1));
  });
});
