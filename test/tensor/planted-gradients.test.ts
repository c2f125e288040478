/** Wrong gradients must fail the gradient checker. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineOp, GradientError, gradcheck, ShapeError, type Tensor } from '../../src/index.ts';
import { gradientMatches } from '../laws/kernel-laws.ts';
import { awayFromZero, drawn, positive } from './draw.ts';
import { expectError } from './expect-error.ts';
import { inFloat64 } from '../on-devices.ts';

inFloat64(() => {
  const square = [3, 3];

  /** The fault, a function with that fault in its gradient, and the inputs of the check. */
  const planted: [what: string, fn: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]][] = [
    [
      'a flipped sign',
      defineOp({
        name: 'sub',
        forward: (a: Tensor, b: Tensor) => a.sub(b),
        backward: (g) => [() => g, () => g],
      }),
      [drawn([2, 3], 1), drawn([2, 3], 2)],
    ],
    [
      'a factor of 2',
      defineOp({
        name: 'square',
        forward: (x: Tensor) => x.mul(x),
        backward: (g, _y, x) => [() => g.mul(x)],
      }),
      [drawn([5], 1)],
    ],
    [
      'a factor of 1.001',
      defineOp({ name: 'scale', forward: (x: Tensor) => x.mul(2), backward: (g) => [() => g.mul(2.002)] }),
      [drawn([5], 1)],
    ],
    [
      'a missing transpose',
      defineOp({
        name: 'matmul',
        forward: (a: Tensor, b: Tensor) => a.matmul(b),
        backward: (g, _y, a, b) => [() => g.matmul(b), () => a.transpose().matmul(g)],
      }),
      [drawn(square, 1), drawn(square, 2)],
    ],
    [
      'a transposed result',
      defineOp({
        name: 'matmul',
        forward: (a: Tensor, b: Tensor) => a.matmul(b),
        backward: (g, _y, a, b) => [() => g.matmul(b.transpose()), () => g.transpose().matmul(a)],
      }),
      [drawn(square, 1), drawn(square, 2)],
    ],
    [
      'a missing term',
      defineOp({
        name: 'softmax',
        forward: (x: Tensor) => x.softmax(1),
        backward: (g, y) => [() => g.mul(y)],
      }),
      [drawn([2, 4], 1)],
    ],
    [
      'a missing term of the product rule',
      defineOp({
        name: 'x·eˣ',
        forward: (x: Tensor) => x.mul(x.exp()),
        backward: (g, _y, x) => [() => g.mul(x.exp())],
      }),
      [drawn([4], 1)],
    ],
    [
      'a ReLU that leaks 0.001',
      defineOp({
        name: 'relu',
        forward: (x: Tensor) => x.relu(),
        backward: (g, _y, x) => [() => g.mul(x.div(x.abs()).add(1).div(2).maximum(0.001))],
      }),
      [drawn([8], 1, awayFromZero)],
    ],
    [
      'a power rule that is only right for n = 2',
      defineOp({
        name: 'pow',
        forward: (x: Tensor) => x.pow(3),
        backward: (g, _y, x) => [() => g.mul(x).mul(3)],
      }),
      [drawn([4], 1, positive)],
    ],
    [
      'a single wrong element',
      defineOp({
        name: 'exp',
        forward: (x: Tensor) => x.exp(),
        backward: (g, y) => [() => g.mul(y).sub(onlyLast(y))],
      }),
      [drawn([4, 8], 1)],
    ],
    [
      'a sum over the wrong axis',
      defineOp({
        name: 'add',
        forward: (a: Tensor, b: Tensor) => a.add(b),
        backward: (g) => [() => g, () => g.sum(1)],
      }),
      [drawn(square, 1), drawn([3], 2)],
    ],
    [
      'the gradient of the sum for the mean',
      defineOp({
        name: 'mean',
        forward: (x: Tensor) => x.mean(),
        backward: (g, _y, x) => [() => x.mul(0).add(g)],
      }),
      [drawn([2, 2], 1)],
    ],
    [
      'swapped gradients of two inputs',
      defineOp({
        name: 'mul',
        forward: (a: Tensor, b: Tensor) => a.mul(b),
        backward: (g, _y, a, b) => [() => g.mul(a), () => g.mul(b)],
      }),
      [drawn([3], 1), drawn([3], 2)],
    ],
    [
      'a gradient of zero',
      defineOp({ name: 'tanh', forward: (x: Tensor) => x.tanh(), backward: (g) => [() => g.mul(0)] }),
      [drawn([3], 1)],
    ],
    [
      'a gradient of NaN',
      defineOp({ name: 'neg', forward: (x: Tensor) => x.neg(), backward: (g) => [() => g.mul(NaN)] }),
      [drawn([3], 1)],
    ],
  ];

  /** Broadcasting without summing the second gradient. */
  const notSummed = defineOp({
    name: 'plus',
    forward: (a: Tensor, b: Tensor) => a.add(b),
    backward: (g) => [() => g, () => g],
  });

  /** 0.001 at the last element, else 0. */
  function onlyLast(like: Tensor): Tensor {
    const mask = like.dataSync().fill(0);
    mask[mask.length - 1] = 0.001;
    return like.mul(0).add(drawn(like.shape, 0, (_random, i) => mask[i]).detach());
  }

  describe('gradcheck refuses', () => {
    it.each(planted)('%s', (_what, fn, inputs) => {
      expectError(
        () => gradcheck(fn, inputs),
        GradientError,
        /wrong gradient of input [01]: .* is \S+, .* gives \S/,
      );
    });

    it('a broadcast gradient that is not summed', () => {
      expectError(
        () => gradcheck(notSummed, [drawn([4, 3], 1), drawn([3], 2)]),
        ShapeError,
        /plus: the gradient of input 1 is Tensor\(\[4, 3\], .+ but its value is Tensor\(\[3\],/,
      );
    });

    it('each of these faults with any random directions', () => {
      for (const [what, fn, inputs] of planted) {
        for (let seed = 0; seed < 10; seed++) {
          expect(() => gradcheck(fn, inputs, { seed }), `${what}, seed ${seed}`).toThrow();
        }
      }
    });

    it('a wrong gradient of the second input, and names it', () => {
      const [, fn, inputs] = planted[0];
      expectError(() => gradcheck(fn, inputs), GradientError, /wrong gradient of input 1: .* is -?\d/);
    });
  });

  it('gradientMatches fails for each planted fault and prints the seed', () => {
    for (const [what, fn, inputs] of planted) {
      expect(() => gradientMatches(fc.constant({ fn, inputs })), what).toThrow(/seed: -?\d+/);
    }
  });
});
