/** Invalid calls of backward(): their errors, and that nothing is changed. */
import { describe, expect, it } from 'vitest';
import {
  defineOp,
  GraphError,
  noGrad,
  ShapeError,
  type Tensor,
  tensor,
  type Thunk,
  ValueError,
} from '../../src/index.ts';
import { exp, relu } from '../../kernels/index.ts';
import { assign, copy } from '../../src/tensor/assign.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import { run, runInPlace } from '../../src/tensor/op.ts';
import { f64, leaf, values, wide } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

/** The identity function with a backward pass of its own. */
const identity = (backward: (g: Tensor) => readonly Thunk[]) =>
  defineOp({ name: 'identity', forward: (x: Tensor) => x.mul(1), backward });

onDevices(() => {
  describe('backward refuses', () => {
    it('several values without an incoming gradient', () => {
      const y = leaf([1, 2]).mul(2);
      expectError(() => y.backward(), GraphError, /not a single value: shape \[2\]/);
      expectError(() => leaf([]).mul(2).backward(), GraphError, /not a single value: shape \[0\]/);
    });

    it('a value that requires no gradient', () => {
      expectError(() => wide(1).backward(), GraphError, /requires no gradient/);
      expectError(() => noGrad(() => leaf(1).mul(2)).backward(), GraphError, /requires no gradient/);
      expectError(() => leaf(1).mul(2).detach().backward(), GraphError, /requires no gradient/);
    });

    it('a second pass over a graph', () => {
      const x = leaf(3);
      const y = x.mul(x);
      y.backward();
      expectError(() => y.backward(), GraphError, /the graph through 'mul' was freed/);
      expect(values(x.grad)).toEqual([6]);
    });

    it('a pass through a part of the graph that an earlier pass freed', () => {
      const x = leaf(3);
      const shared = x.exp();
      const [first, second] = [shared.mul(2), shared.mul(3)];
      first.backward();
      const before = values(x.grad);
      expectError(() => second.backward(), GraphError, /the graph through 'exp' was freed/);
      expect(values(x.grad)).toEqual(before);
    });

    it('a value that was changed in place after its use', () => {
      const [x, w] = [leaf([2, 3]), leaf([4, 5])];
      const y = x.mul(w).sum();
      assign(w, wide([0, 0]));
      expectError(() => y.backward(), GraphError, /input 1 of 'mul' was changed in place/);
      expect(x.grad).toBeNull();
    });

    it('a change through another tensor that shares the memory', () => {
      const x = leaf([2, 3]);
      const y = x.mul(x).sum();
      assign(x.detach(), wide([0, 0]));
      expectError(() => y.backward(), GraphError, /changed in place/);
    });

    it('a gradient of another shape; a second call with the right shape works', () => {
      const x = leaf([1, 2]);
      const y = x.mul(2);
      expectError(
        () => y.backward(wide([1])),
        ShapeError,
        /backward: g is Tensor\(\[1\], .+ Tensor\(\[2\], /,
      );
      expectError(() => y.backward(wide([[1, 1]])), ShapeError, /backward: g is Tensor\(\[1, 2\], /);
      expect(x.grad).toBeNull();
      y.backward(wide([1, 1]));
      expect(values(x.grad)).toEqual([2, 2]);
    });

    it('a gradient on another device', () => {
      const y = leaf([1]).mul(2);
      const elsewhere = tensor([1], { device: { ...cpu } });
      expectError(
        () => y.backward(elsewhere),
        GraphError,
        /backward: g is Tensor\(.+ float32, cpu\), .* (cpu|wasm)/,
      );
    });

    it('gradients of gradients', () => {
      const x = leaf([2]);
      expectError(() => x.mul(x).backward(leaf([1])), GraphError, /g itself requires a gradient/);
      x.mul(x).backward();
      expectError(() => x.grad?.backward(), GraphError, /gradients of gradients are not supported/);
    });
  });

  describe('the error names an op with a wrong backward pass', () => {
    it('with too few thunks', () => {
      const y = identity(() => [])(leaf(1));
      expectError(() => y.backward(), GraphError, /^identity: 0 gradients for 1 inputs/);
    });

    it('with too many thunks', () => {
      const y = identity((g) => [() => g, () => g])(leaf(1));
      expectError(() => y.backward(), GraphError, /^identity: 2 gradients for 1 inputs/);
    });

    it('with a gradient of another shape, and names the input', () => {
      const y = identity((g) => [() => g.reshape([2, 1])])(leaf([1, 2]));
      expectError(
        () => y.sum().backward(),
        ShapeError,
        /^identity: the gradient of input 0 is Tensor\(\[2, 1\], .+ but its value is Tensor\(\[2\],/,
      );
    });
  });

  describe('an error during backward()', () => {
    const failing = identity(() => [
      () => {
        throw new RangeError('in the thunk');
      },
    ]);

    it('leaves all gradients unchanged', () => {
      const [a, b] = [leaf([1]), leaf([2])];
      a.mul(3).sum().backward();
      const y = a.mul(5).add(failing(b)).sum();
      expect(() => y.backward()).toThrow(new RangeError('in the thunk'));
      expect(values(a.grad)).toEqual([3]);
      expect(b.grad).toBeNull();
    });

    it('leaves recording on', () => {
      expect(() => failing(leaf(1)).backward()).toThrow(RangeError);
      expect(leaf(1).mul(2).requiresGrad).toBe(true);
    });
  });

  it('noGrad refuses an asynchronous function, and recording is on afterwards', () => {
    const x = leaf([1]);
    expectError(() => noGrad(() => Promise.resolve(x.mul(2))), GraphError, /the function is asynchronous/);
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  describe('in-place updates', () => {
    it('assign changes all tensors that share the memory, and copies the source', () => {
      const [target, source] = [leaf([1, 2]), wide([3, 4])];
      const view = target.detach();
      assign(target, source);
      assign(source, wide([0, 0]));
      expect(values(view)).toEqual([3, 4]);
    });

    it('assign refuses another shape', () => {
      expectError(() => assign(wide([1, 2]), wide([1])), ShapeError, /\[2\], \[1\]/);
    });

    it('copy has its own memory', () => {
      const x = wide([1, 2]);
      const y = copy(x);
      assign(x, wide([5, 6]));
      expect(values(y)).toEqual([1, 2]);
    });

    it('a kernel writes into its first input', () => {
      const x = wide([-1, 2]);
      runInPlace(relu, [x]);
      expect(values(x)).toEqual([0, 2]);
    });

    it('a kernel that cannot run in place is refused', () => {
      const unable = { ...exp, inPlace: false };
      expectError(
        () => runInPlace(unable, [wide([1])]),
        ValueError,
        /exp: this kernel cannot write into its input/,
      );
      expect(values(run(unable, [wide([0])]))).toEqual([1]);
    });
  });
});

inFloat64(() => {
  it('backward refuses a gradient of another element type', () => {
    expectError(
      () => leaf([1]).backward(tensor([1])),
      GraphError,
      /g is Tensor\(.+ float32, cpu\), .* float64, cpu/,
    );
  });

  it('the error names an op whose gradient has another element type', () => {
    const y = identity(() => [() => tensor(1)])(leaf(1));
    expectError(
      () => y.backward(),
      GraphError,
      /^identity: the gradient of input 0 is Tensor\(.+ float32, .* float64/,
    );
  });

  it('assign converts between element types', () => {
    const target = tensor([0]);
    assign(target, f64([0.1]));
    expect(target.item()).toBe(Math.fround(0.1));
  });
});
