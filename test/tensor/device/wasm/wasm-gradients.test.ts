/** Tests of gradients that share memory on the wasm device: it is not freed while any of them is in use. */
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../../src/index.ts';
import { values } from '../../../tensors.ts';
import { Held, wasmDevice } from './wasm-device.ts';

await wasmDevice();

const leaf = (data: number[]) => tensor(data, { requiresGrad: true });

describe('one gradient shared by two leaves', () => {
  it.each<[what: string, y: (a: Tensor, b: Tensor) => Tensor]>([
    ['a + b', (a, b) => a.add(b)],
    ['a + b, under another shape', (a, b) => a.reshape([3, 1]).add(b.reshape([3, 1]))],
    ['(a + b) + (b + a)', (a, b) => a.add(b).add(b.add(a))],
    ['views of a and b', (a, b) => a.reshape([1, 3]).reshape([3]).add(b.slice(0))],
  ])('%s: clearing one leaves the other', (_what, y) => {
    for (const forgotten of [0, 1]) {
      const leaves = [leaf([1, 2, 3]), leaf([4, 5, 6])];
      const g = tensor([7, 8, 9]);
      const result = y(leaves[0], leaves[1]);
      result.mul(g.reshape(result.shape)).sum().backward();
      const expected = values(leaves[1 - forgotten].grad);
      leaves[forgotten].grad = null;
      const other = new Held();
      other.hold('the other', leaves[1 - forgotten].grad);
      other.check();
      expect(values(leaves[1 - forgotten].grad)).toEqual(expected);
    }
  });

  it('is added to an existing gradient of one leaf, and stays unchanged for the other', () => {
    for (const before of [0, 1]) {
      const leaves = [leaf([1, 2]), leaf([3, 4])];
      leaves[before].mul(5).sum().backward();
      leaves[0]
        .add(leaves[1])
        .mul(tensor([10, 20]))
        .sum()
        .backward();
      for (let k = 0; k < 20; k++) tensor([777, 777]);
      expect(values(leaves[before].grad)).toEqual([15, 25]);
      expect(values(leaves[1 - before].grad)).toEqual([10, 20]);
    }
  });

  it('stays for the second leaf when the first clears it unread', () => {
    for (let step = 0; step < 5; step++) {
      const [a, b, c] = [leaf([1, 2]), leaf([3, 4]), leaf([5, 6])];
      a.add(b)
        .sub(c)
        .mul(tensor([10, 20]))
        .sum()
        .backward();
      a.grad = null;
      for (let k = 0; k < 20; k++) tensor([777, 777]);
      expect([values(b.grad), values(c.grad)]).toEqual([
        [10, 20],
        [-10, -20],
      ]);
    }
  });
});

describe('gradients', () => {
  it('of a value used several times are summed', () => {
    const x = leaf([1, 2]);
    x.add(x)
      .add(x.reshape([2]))
      .add(x.mul(x))
      .sum()
      .backward();
    expect(values(x.grad)).toEqual([5, 7]);
  });

  it('of several backward passes accumulate, and gradients read in between keep their values', () => {
    const held = new Held();
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    for (let step = 1; step <= 6; step++) {
      x.mul(w).sum().backward();
      if (step % 2 === 0) held.hold('x', x.grad);
      if (step === 3) held.hold('a view of w’s', w.grad?.reshape([2, 1]));
      for (let k = 0; k < 20; k++) tensor([777, 777]);
    }
    expect([values(x.grad), values(w.grad)]).toEqual([
      [18, 24],
      [6, 12],
    ]);
    held.check();
  });

  it('leave a seed unchanged, even if it becomes a gradient or is used again', () => {
    const held = new Held();
    const seed = held.hold('seed', tensor([2, 3]));
    const [x, y] = [leaf([1, 1]), leaf([5, 6])];
    for (let step = 0; step < 3; step++) {
      x.backward(seed);
      y.add(x.detach()).backward(seed);
      y.reshape([2, 1]).backward(seed.reshape([2, 1]));
      held.check();
      expect(values(y.grad)).toEqual([4, 6]);
      [x.grad, y.grad] = [null, null];
      held.check();
    }
  });

  it('stay unchanged if an op of the backward pass throws', () => {
    const held = new Held();
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    x.mul(w).sum().backward();
    held.hold('x', x.grad);
    const y = x.mul(w).exp();
    const wrong = tensor([1, 2, 3]);
    expect(() => y.backward(wrong)).toThrow(/g is Tensor\(\[3\]/);
    y.backward(tensor([1, 0]));
    held.check();
    expect(values(w.grad)[1]).toBe(2);
  });

  it('of a sum of 5,000 leaves are computed quickly', () => {
    const leaves = Array.from({ length: 5000 }, (_, k) => leaf([k]));
    leaves
      .reduce((sum: Tensor, x) => sum.add(x.mul(x)))
      .sum()
      .backward();
    expect(values(leaves[4999].grad)).toEqual([2 * 4999]);
  });
});
