/** Ops that users define. */
import { describe, expect, it } from 'vitest';
import { defineOp, DeviceError, DTypeError, gradcheck, type Tensor, tensor } from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import { drawn } from './draw.ts';
import { f64, leaf, values } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

onDevices(({ device }) => {
  describe('defineOp', () => {
    it('does not tape what forward computes', () => {
      let inside = true;
      const op = defineOp({
        name: 'twice',
        forward: (x: Tensor) => {
          const y = x.mul(2);
          inside = y.requiresGrad;
          return y;
        },
        backward: (g) => [() => g.mul(2)],
      });
      const y = op(leaf([1]));
      expect(inside).toBe(false);
      expect(y.requiresGrad).toBe(true);
    });

    it('does not tape what backward computes', () => {
      let inside = true;
      const op = defineOp({
        name: 'square',
        forward: (x: Tensor) => x.mul(x),
        backward: (g, _y, x) => [
          () => {
            const dx = g.mul(x).mul(2);
            inside = dx.requiresGrad;
            return dx;
          },
        ],
      });
      const x = leaf([3]);
      op(x).sum().backward();
      expect(inside).toBe(false);
      expect(values(x.grad)).toEqual([6]);
    });

    it('may return its input', () => {
      const same = defineOp({ name: 'same', forward: (x: Tensor) => x, backward: (g) => [() => g.mul(2)] });
      const x = leaf([1, 2]);
      const y = same(x);
      expect(y).not.toBe(x);
      y.sum().backward();
      expect(values(x.grad)).toEqual([2, 2]);
    });

    it('counts one tensor given twice as two inputs', () => {
      const product = defineOp({
        name: 'product',
        forward: (a: Tensor, b: Tensor) => a.mul(b),
        backward: (g, _y, a, b) => [() => g.mul(b), () => g.mul(a)],
      });
      const x = leaf([3]);
      product(x, x).sum().backward();
      expect(values(x.grad)).toEqual([6]);
    });
  });

  it('tensors on different devices are refused', () => {
    const there = tensor([1], { device: { ...cpu, name: 'webgl' } });
    const message = new RegExp(`mul: tensors on different devices: ${device}, webgl`);
    expectError(() => tensor([1]).mul(there), DeviceError, message);
  });

  it('a number takes the element type and the device of the tensor it meets', () => {
    const x = tensor([1], { device: { ...cpu, name: 'webgl' }, dtype: 'float64' });
    const y = x.add(0.1);
    expect([y.dtype, y.device, y.item()]).toEqual(['float64', 'webgl', 1.1]);
  });
});

inFloat64(() => {
  describe('defineOp', () => {
    it('gives backward what forward has kept', () => {
      const norm = defineOp({
        name: 'normalized',
        forward: (x: Tensor) => {
          const length = x.pow(2).sum().sqrt();
          return { y: x.div(length), length };
        },
        backward: (g, { y, length }) => [() => g.sub(y.mul(g.mul(y).sum())).div(length)],
      });
      const x = drawn([4], 1);
      expect(gradcheck(norm, [x])).toBe(true);
      expect(norm(f64([3, 4])).toArray()).toEqual([0.6, 0.8]);
    });

    it('takes constants among the arguments, in any place', () => {
      const powerSum = defineOp({
        name: 'powerSum',
        forward: (a: number, x: Tensor, b: { p: number }, y: Tensor) => x.pow(a).add(y.pow(b.p)),
        backward: (g, _z, a, x, b, y) => [
          () => g.mul(x.pow(a - 1)).mul(a),
          () => g.mul(y.pow(b.p - 1)).mul(b.p),
        ],
      });
      expect(gradcheck((x, y) => powerSum(2, x, { p: 3 }, y), [drawn([2], 1), drawn([2], 2)])).toBe(true);
    });
  });

  it('element types that differ are refused', () => {
    expectError(() => f64([1]).add(tensor([1])), DTypeError, /add: element types differ: float64, float32/);
    expectError(() => tensor([[1]]).matmul(f64([[1]])), DTypeError, /matmul: .* float32, float64/);
  });
});
