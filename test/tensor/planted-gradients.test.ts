/** The checker itself: gradients that are wrong must fail it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineOp, GradientError, gradcheck, ShapeError, type Tensor } from '../../src/index.ts';
import { gradientMatches } from '../laws/kernel-laws.ts';
import { awayFromZero, drawn, positive } from './draw.ts';
import { expectError } from './expect-error.ts';
import { inFloat64 } from '../on-devices.ts';

inFloat64(() => {
  const square = [3, 3];

  /** What is wrong, the function with that wrong gradient, and where it is checked. */
  const planted: [what: string, fn: (...inputs: Tensor[]) => Tensor, inputs: Tensor[]][] = [
    [
      'a sign that is flipped',
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
      'a matrix that is transposed',
      defineOp({
        name: 'matmul',
        forward: (a: Tensor, b: Tensor) => a.matmul(b),
        backward: (g, _y, a, b) => [() => g.matmul(b), () => a.transpose().matmul(g)],
      }),
      [drawn(square, 1), drawn(square, 2)],
    ],
    [
      'a result that is transposed',
      defineOp({
        name: 'matmul',
        forward: (a: Tensor, b: Tensor) => a.matmul(b),
        backward: (g, _y, a, b) => [() => g.matmul(b.transpose()), () => g.transpose().matmul(a)],
      }),
      [drawn(square, 1), drawn(square, 2)],
    ],
    [
      'a term that is missing',
      defineOp({
        name: 'softmax',
        forward: (x: Tensor) => x.softmax(1),
        backward: (g, y) => [() => g.mul(y)],
      }),
      [drawn([2, 4], 1)],
    ],
    [
      'a term of the product rule that is missing',
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
      'a power that is right for n = 2 only',
      defineOp({
        name: 'pow',
        forward: (x: Tensor) => x.pow(3),
        backward: (g, _y, x) => [() => g.mul(x).mul(3)],
      }),
      [drawn([4], 1, positive)],
    ],
    [
      'a single element that is wrong',
      defineOp({
        name: 'exp',
        forward: (x: Tensor) => x.exp(),
        backward: (g, y) => [() => g.mul(y).sub(onlyLast(y))],
      }),
      [drawn([4, 8], 1)],
    ],
    [
      'a gradient that is summed over the wrong axis',
      defineOp({
        name: 'add',
        forward: (a: Tensor, b: Tensor) => a.add(b),
        backward: (g) => [() => g, () => g.sum(1)],
      }),
      [drawn(square, 1), drawn([3], 2)],
    ],
    [
      'a mean whose gradient is that of the sum',
      defineOp({
        name: 'mean',
        forward: (x: Tensor) => x.mean(),
        backward: (g, _y, x) => [() => x.mul(0).add(g)],
      }),
      [drawn([2, 2], 1)],
    ],
    [
      'gradients of two inputs that are swapped',
      defineOp({
        name: 'mul',
        forward: (a: Tensor, b: Tensor) => a.mul(b),
        backward: (g, _y, a, b) => [() => g.mul(a), () => g.mul(b)],
      }),
      [drawn([3], 1), drawn([3], 2)],
    ],
    [
      'no gradient at all',
      defineOp({ name: 'tanh', forward: (x: Tensor) => x.tanh(), backward: (g) => [() => g.mul(0)] }),
      [drawn([3], 1)],
    ],
    [
      'a gradient of NaN',
      defineOp({ name: 'neg', forward: (x: Tensor) => x.neg(), backward: (g) => [() => g.mul(NaN)] }),
      [drawn([3], 1)],
    ],
  ];

  /** Broadcasting by hand, with the second gradient not summed. */
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

    it('a gradient of broadcasting that is not summed', () => {
      expectError(
        () => gradcheck(notSummed, [drawn([4, 3], 1), drawn([3], 2)]),
        ShapeError,
        /plus: the gradient of input 1 has shape \[4, 3\], the value it belongs to \[3\]/,
      );
    });

    it('each of them whatever the random directions', () => {
      for (const [what, fn, inputs] of planted) {
        for (let seed = 0; seed < 10; seed++) {
          expect(() => gradcheck(fn, inputs, { seed }), `${what}, seed ${seed}`).toThrow();
        }
      }
    });

    it('a wrong gradient of the second input, by its number', () => {
      const [, fn, inputs] = planted[0];
      expectError(() => gradcheck(fn, inputs), GradientError, /wrong gradient of input 1: .* is -?\d/);
    });
  });

  it('the law of gradients fails for a planted op, and says with which seed', () => {
    for (const [what, fn, inputs] of planted) {
      expect(() => gradientMatches(fc.constant({ fn, inputs })), what).toThrow(/seed: -?\d+/);
    }
  });
});
