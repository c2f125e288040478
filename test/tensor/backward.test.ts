/** The walk over the tape: what arrives where. */
import { describe, expect, it } from 'vitest';
import { defineOp, noGrad, scope, type Tensor, tensor } from '../../src/index.ts';
import { wide, leaf, values } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ device, dtype }) => {
  describe('gradients add up', () => {
    it('over two paths', () => {
      const x = leaf([2, 3]);
      x.mul(x).add(x.mul(5)).sum().backward();
      expect(values(x.grad)).toEqual([2 * 2 + 5, 2 * 3 + 5]);
    });

    it('over two uses of one intermediate value', () => {
      const x = leaf([2]);
      const y = x.mul(3);
      y.mul(y).sum().backward();
      expect(values(x.grad)).toEqual([2 * 9 * 2]);
    });

    it('over two calls, until they are set to null', () => {
      const x = leaf([1, 2]);
      const loss = () => x.mul(x).sum();
      loss().backward();
      loss().backward();
      expect(values(x.grad)).toEqual([4, 8]);
      x.grad = null;
      loss().backward();
      expect(values(x.grad)).toEqual([2, 4]);
    });

    it('over a diamond in which the paths have different lengths', () => {
      const x = leaf([3]);
      const short = x.mul(2);
      const long = x.mul(x).mul(x);
      short.add(long).mul(short).sum().backward(); // (2x + x³)·2x = 4x² + 2x⁴
      expect(values(x.grad)).toEqual([8 * 3 + 8 * 27]);
    });

    it('and a gradient that was read before stays as it was', () => {
      const x = leaf([1]);
      x.mul(2).sum().backward();
      const first = x.grad;
      x.mul(3).sum().backward();
      expect(values(first)).toEqual([2]);
      expect(values(x.grad)).toEqual([5]);
    });
  });

  describe('a gradient is computed', () => {
    /** A product whose thunks write down that they ran. */
    function spied(): { product: (a: Tensor, b: Tensor) => Tensor; ran: string[] } {
      const ran: string[] = [];
      const product = defineOp({
        name: 'spied',
        forward: (a: Tensor, b: Tensor) => a.mul(b),
        backward: (g, _y, a, b) => [() => (ran.push('a'), g.mul(b)), () => (ran.push('b'), g.mul(a))],
      });
      return { product, ran };
    }

    it('only for inputs that need one', () => {
      const { product, ran } = spied();
      const [x, w] = [wide([2]), leaf([3])];
      product(x, w).sum().backward();
      expect(ran).toEqual(['b']);
      expect(x.grad).toBeNull();
      expect(values(w.grad)).toEqual([2]);
    });

    it('for both where both do', () => {
      const { product, ran } = spied();
      product(leaf([2]), leaf([3]))
        .sum()
        .backward();
      expect(ran).toEqual(['a', 'b']);
    });

    it('not for an input that stopped asking before backward()', () => {
      const { product, ran } = spied();
      const [x, w] = [leaf([2]), leaf([3])];
      const y = product(x, w).sum();
      x.requiresGrad = false;
      y.backward();
      expect(ran).toEqual(['b']);
      expect(x.grad).toBeNull();
    });

    it('once per op, after all of its own gradient has arrived', () => {
      const { product, ran } = spied();
      const x = leaf([2]);
      const y = product(x, wide([5]));
      y.add(y).add(y.mul(y)).sum().backward();
      expect(ran).toEqual(['a']);
      expect(values(x.grad)).toEqual([2 * 5 + 2 * 25 * 2]);
    });

    it('not for parts of the graph that the value does not depend on', () => {
      const { product, ran } = spied();
      const x = leaf([2]);
      product(x, x); // its result is used by nothing
      x.mul(7).sum().backward();
      expect(ran).toEqual([]);
      expect(values(x.grad)).toEqual([7]);
    });
  });

  describe('backward', () => {
    it('of a leaf itself gives it the gradient 1, or the one given', () => {
      const x = leaf(4);
      x.backward();
      expect(values(x.grad)).toEqual([1]);
      const v = leaf([4, 5]);
      v.backward(wide([10, 20]));
      expect(values(v.grad)).toEqual([10, 20]);
    });

    it('takes the gradient to begin with', () => {
      const x = leaf([1, 2, 3]);
      x.mul(x).backward(wide([1, 10, 100]));
      expect(values(x.grad)).toEqual([2, 40, 600]);
    });

    it('needs none for any single value, whatever its rank', () => {
      const x = leaf([[3]]);
      x.mul(x).backward();
      expect(x.grad?.shape).toEqual([1, 1]);
      expect(values(x.grad)).toEqual([6]);
    });

    it('gives results of ops no gradient of their own', () => {
      const x = leaf([1]);
      const y = x.mul(2);
      y.sum().backward();
      expect(y.grad).toBeNull();
    });

    it('gives gradients that need none themselves, of their values’ type', () => {
      const x = tensor([1, 2], { requiresGrad: true });
      x.exp().sum().backward();
      expect(x.grad?.dtype).toBe('float32');
      expect(x.grad?.requiresGrad).toBe(false);
    });

    it('walks a chain of 100,000 ops', () => {
      const x = leaf(1);
      let y: Tensor = x;
      for (let i = 0; i < 100_000; i++) y = y.neg();
      y.backward();
      expect(values(x.grad)).toEqual([1]);
    });

    it('walks a graph of 2⁶⁰ paths once per op', () => {
      const x = leaf(1);
      let y: Tensor = x;
      for (let i = 0; i < 60; i++) y = y.add(y);
      y.backward();
      expect(values(x.grad)).toEqual([2 ** 60]);
    });
  });

  describe('what is not taped', () => {
    it('is what noGrad calls, and it returns its result', () => {
      const x = leaf([2]);
      const y = noGrad(() => x.mul(3));
      expect(y.requiresGrad).toBe(false);
      expect(values(y)).toEqual([6]);
    });

    it('is the inside of nested noGrad calls only, also after an error', () => {
      const x = leaf([2]);
      noGrad(() => {
        noGrad(() => x.mul(3));
        expect(x.mul(3).requiresGrad).toBe(false);
      });
      expect(x.mul(3).requiresGrad).toBe(true);
      const fails = () =>
        noGrad(() => {
          throw new RangeError('inside');
        });
      expect(fails).toThrow(RangeError);
      expect(x.mul(3).requiresGrad).toBe(true);
    });

    it('is any method in noGrad, also one that has nothing to do', () => {
      const x = leaf([[2]]);
      const nothingToDo = [
        () => x.flatten(),
        () => x.reshape([1, 1]),
        () => x.slice(0),
        () => x.sum([], true),
        () => x.mul(2).flatten(),
      ];
      for (const fn of nothingToDo) expect(noGrad(fn).requiresGrad).toBe(false);
      const taped = x.mul(2);
      expect(noGrad(() => taped.flatten()).requiresGrad).toBe(false);
    });

    it('is what a detached value goes into', () => {
      const x = leaf([2, 3]);
      const cut = x.mul(x).detach();
      expect(cut.requiresGrad).toBe(false);
      expect(values(cut)).toEqual([4, 9]);
      x.mul(cut).sum().backward();
      expect(values(x.grad)).toEqual([4, 9]);
    });

    it('is what only values without gradient go into', () => {
      expect(wide([1]).mul(wide([2])).requiresGrad).toBe(false);
      expect(wide([1]).mul(leaf([2])).requiresGrad).toBe(true);
    });

    it('is argmax', () => {
      expect(leaf([1, 2]).argmax(0).requiresGrad).toBe(false);
    });
  });

  it('scope gives what its function returns, with its gradients', () => {
    const x = leaf([3, 4]);
    const loss = scope(() => x.pow(2).sum());
    loss.backward();
    expect(loss.item()).toBe(25);
    expect(values(x.grad)).toEqual([6, 8]);
  });

  it('a tensor says what it is', () => {
    expect(String(leaf([[1, 2]]))).toBe(`Tensor([1, 2], ${dtype}, ${device}, requiresGrad)`);
    expect(String(tensor(1))).toBe(`Tensor([], float32, ${device})`);
  });
});
