/** Test runners compare the values of tensors, not only their shapes; and internals are hidden. */
import loose from 'node:assert';
import { AssertionError } from 'node:assert';
import strict from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import {
  DeviceError,
  manualSeed,
  ones,
  randn,
  scope,
  type Tensor,
  tensor,
  useDevice,
  zeros,
} from '../../src/index.ts';
import { assign } from '../../src/tensor/assign.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { onDevices } from '../on-devices.ts';

/** Whether a comparison passes. Errors other than those of assertions are thrown. */
function passes(assertion: () => void): boolean {
  try {
    assertion();
    return true;
  } catch (error) {
    if (error instanceof AssertionError || (error as Error).name === 'AssertionError') return false;
    throw error;
  }
}

const comparisons: Record<string, (a: unknown, b: unknown) => void> = {
  toEqual: (a, b) => expect(a).toEqual(b),
  toStrictEqual: (a, b) => expect(a).toStrictEqual(b),
  'toMatchObject, inside an object': (a, b) => expect({ w: a }).toMatchObject({ w: b }),
  toContainEqual: (a, b) => expect([a]).toContainEqual(b),
  'assert.deepEqual': (a, b) => loose.deepEqual(a, b),
  'assert.deepStrictEqual': (a, b) => strict.deepStrictEqual(a, b),
  'assert.deepEqual, inside an object': (a, b) => strict.deepEqual({ w: [a] }, { w: [b] }),
};

/** The same values again, in new memory. */
const again = (x: Tensor) => tensor(x.dataSync(), { shape: x.shape, dtype: x.dtype });

onDevices(({ dtype }) => {
  describe.each(Object.entries(comparisons))('%s', (_name, compare) => {
    const equal = (a: unknown, b: unknown) => passes(() => compare(a, b));

    it('accepts tensors of equal shapes and values', () => {
      const x = randn([3, 4], { dtype });
      expect(equal(x, x)).toBe(true);
      expect(equal(x, again(x))).toBe(true);
      expect(equal(tensor(5), tensor(2).add(3))).toBe(true); // computed
      expect(equal(zeros([0, 3]), zeros([0, 3]))).toBe(true);
      const w = tensor([1, 2], { requiresGrad: true });
      w.mul(2).sum().backward();
      expect(equal(w, tensor([1, 2]))).toBe(true); // the gradient does not count
    });

    it('refuses other values and other shapes', () => {
      manualSeed(1);
      const x = randn([40, 50], { dtype });
      const values = x.dataSync();
      for (const k of [0, 999, 1999]) {
        const changed = values.slice();
        changed[k] *= 1 + 1e-6;
        expect(equal(x, tensor(changed, { shape: x.shape, dtype }))).toBe(false);
      }
      expect(equal(x, x.neg())).toBe(false);
      expect(equal(tensor([1, 2]), tensor([2, 1]))).toBe(false);
      expect(equal(tensor([1, 2]), tensor([-1, -2]))).toBe(false);
      expect(equal(tensor([[1, 2]]), tensor([1, 2]))).toBe(false);
      expect(equal(tensor([1]), tensor(1))).toBe(false);
      expect(equal(zeros([0, 3]), zeros([0, 2]))).toBe(false);
      expect(equal(tensor([1, 2]), { shape: [2, 1] })).toBe(false);
    });
  });

  it('sees that a tensor was changed in place', () => {
    const [x, before] = [ones([2]), ones([2])];
    strict.deepEqual(x, before);
    assign(x, tensor([1, 2]));
    expect(passes(() => strict.deepEqual(x, before))).toBe(false);
    expect(passes(() => strict.deepEqual(x, tensor([1, 2])))).toBe(true);
  });

  it('hides all but the shape, and a symbol that forbids to send a tensor', () => {
    const x = tensor([1, 2], { requiresGrad: true }).mul(2);
    expect(Object.keys(x)).toEqual(['extents', 'notCloneable']);
    expect(() => structuredClone(x)).toThrow(
      /tensors cannot be cloned: send `await t\.data\(\)` and `t\.shape`/,
    );
  });
});

describe('on a GPU', () => {
  const gpu: Device = {
    ...cpu,
    name: 'webgpu',
    readSync: () => {
      throw new DeviceError('webgpu', 'reads are asynchronous', 'await t.data()');
    },
  };
  const make = () => tensor([1, 2], { device: gpu });

  it('toEqual says that values must be read first', () => {
    expect(() => expect(make()).toEqual(make())).toThrow(DeviceError);
  });

  it('assert.deepEqual does not take tensors for equal that it cannot compare', () => {
    expect(passes(() => loose.deepEqual(make(), make()))).toBe(false);
  });
});

it('a tensor of a scope that has ended has a type tag, and is equal to no other one', async () => {
  await useDevice('wasm');
  const freed: Tensor[] = [];
  scope(() => void freed.push(ones([2]), ones([2])));
  expect(Object.prototype.toString.call(freed[0])).toMatch(/^\[object Tensor \d+\]$/);
  expect(() => {
    strict.deepEqual(freed[0], freed[1]);
  }).toThrow(AssertionError);
});
