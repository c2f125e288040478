/** backward(): which gradients are computed, and where they are accumulated. */
import { describe, expect, it } from 'vitest';
import { defineOp, noGrad, scope, type Tensor, tensor } from '../../src/index.ts';
import { wide, leaf, values } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(() => {
  describe('gradients accumulate', () => {
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

    it('over paths of different lengths', () => {
      const x = leaf([3]);
      const short = x.mul(2);
      const long = x.mul(x).mul(x);
      short.add(long).mul(short).sum().backward(); // (2x + x³)·2x = 4x² + 2x⁴
      expect(values(x.grad)).toEqual([8 * 3 + 8 * 27]);
    });

    it('into a new tensor: a gradient that was read before does not change', () => {
      const x = leaf([1]);
      x.mul(2).sum().backward();
      const first = x.grad;
      x.mul(3).sum().backward();
      expect(values(first)).toEqual([2]);
      expect(values(x.grad)).toEqual([5]);
    });
  });

  describe('a gradient is computed', () => {
    /** A product whose thunks record that they ran. */
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

    it('for both inputs if both need one', () => {
      const { product, ran } = spied();
      product(leaf([2]), leaf([3]))
        .sum()
        .backward();
      expect(ran).toEqual(['a', 'b']);
    });

    it('not for an input whose requiresGrad is set to false before backward()', () => {
      const { product, ran } = spied();
      const [x, w] = [leaf([2]), leaf([3])];
      const y = product(x, w).sum();
      x.requiresGrad = false;
      y.backward();
      expect(ran).toEqual(['b']);
      expect(x.grad).toBeNull();
    });

    it('once per op, after its incoming gradient is complete', () => {
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
      product(x, x); // the result is not used
      x.mul(7).sum().backward();
      expect(ran).toEqual([]);
      expect(values(x.grad)).toEqual([7]);
    });
  });

  describe('backward', () => {
    it('on a leaf sets its gradient to 1, or to the given gradient', () => {
      const x = leaf(4);
      x.backward();
      expect(values(x.grad)).toEqual([1]);
      const v = leaf([4, 5]);
      v.backward(wide([10, 20]));
      expect(values(v.grad)).toEqual([10, 20]);
    });

    it('accepts the incoming gradient as an argument', () => {
      const x = leaf([1, 2, 3]);
      x.mul(x).backward(wide([1, 10, 100]));
      expect(values(x.grad)).toEqual([2, 40, 600]);
    });

    it('needs no argument for a single value of any rank', () => {
      const x = leaf([[3]]);
      x.mul(x).backward();
      expect(x.grad?.shape).toEqual([1, 1]);
      expect(values(x.grad)).toEqual([6]);
    });

    it('sets no .grad on the results of ops', () => {
      const x = leaf([1]);
      const y = x.mul(2);
      y.sum().backward();
      expect(y.grad).toBeNull();
    });

    it('returns gradients of the same element type that require no gradient', () => {
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

  describe('no graph is recorded', () => {
    it('inside noGrad, which returns the result of its function', () => {
      const x = leaf([2]);
      const y = noGrad(() => x.mul(3));
      expect(y.requiresGrad).toBe(false);
      expect(values(y)).toEqual([6]);
    });

    it('inside nested noGrad calls; recording resumes after them, also after an error', () => {
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

    it('inside noGrad by methods that return their input unchanged', () => {
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

    it('through a detached value', () => {
      const x = leaf([2, 3]);
      const cut = x.mul(x).detach();
      expect(cut.requiresGrad).toBe(false);
      expect(values(cut)).toEqual([4, 9]);
      x.mul(cut).sum().backward();
      expect(values(x.grad)).toEqual([4, 9]);
    });

    it('if no input requires a gradient', () => {
      expect(wide([1]).mul(wide([2])).requiresGrad).toBe(false);
      expect(wide([1]).mul(leaf([2])).requiresGrad).toBe(true);
    });

    it('by argmax', () => {
      expect(leaf([1, 2]).argmax(0).requiresGrad).toBe(false);
    });
  });

  it('scope returns the result of its function, with its graph', () => {
    const x = leaf([3, 4]);
    const loss = scope(() => x.pow(2).sum());
    loss.backward();
    expect(loss.item()).toBe(25);
    expect(values(x.grad)).toEqual([6, 8]);
  });
});
