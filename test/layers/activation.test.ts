/** The layers without parameters: activations, Softmax and Flatten. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Flatten,
  gradcheck,
  type Layer,
  LeakyReLU,
  ReLU,
  Sigmoid,
  Softmax,
  Tanh,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { expectClose, refusal } from './helpers.ts';
import { wide, leaf, values } from '../tensors.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

const table: { layer: Layer; name: string; f: (x: number) => number }[] = [
  { layer: new ReLU(), name: 'ReLU', f: (x) => (x > 0 ? x : 0) },
  { layer: new LeakyReLU(), name: 'LeakyReLU(0.01)', f: (x) => (x > 0 ? x : 0.01 * x) },
  { layer: new LeakyReLU(0.3), name: 'LeakyReLU(0.3)', f: (x) => (x > 0 ? x : 0.3 * x) },
  { layer: new Sigmoid(), name: 'Sigmoid', f: (x) => 1 / (1 + Math.exp(-x)) },
  { layer: new Tanh(), name: 'Tanh', f: Math.tanh },
];

onDevices(({ either }) => {
  const numbers = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 20 });

  describe.each(table)('$name', ({ layer, name, f }) => {
    it('computes its formula for each element, in training and in evaluation', () => {
      fc.assert(
        fc.property(numbers, fc.boolean(), (x, training) => {
          expectClose(layer.train(training).forward(wide(x)), x.map(f), either(1e-12, 1e-6));
        }),
      );
    });

    it('has a name but no parameters and no state, and keeps the shape', () => {
      expect(layer.toString()).toBe(name);
      expect(layer.parameters()).toEqual([]);
      expect(layer.stateDict()).toEqual({});
      for (const shape of [[], [3], [2, 3, 4], [0, 3]]) {
        expect(layer.forward(zeros(shape)).shape).toEqual(shape);
      }
    });

    it('propagates NaN', () => {
      expect(values(layer.forward(wide([NaN, 1])))[0]).toBeNaN();
    });
  });

  describe('LeakyReLU', () => {
    it.each([NaN, Infinity])('refuses a slope of %s', (slope) => {
      expect(refusal(() => new LeakyReLU(slope), ValueError)).toContain(`LeakyReLU: slope is ${slope}`);
    });
  });

  describe('Softmax', () => {
    it('is exp(x)/Σ exp(x) per row; adding a constant to x does not change it', () => {
      const matrices = fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      });
      fc.assert(
        fc.property(matrices, fc.constantFrom(0, 1000, -1e4), (x, shift) => {
          const y = new Softmax().forward(wide(x));
          const exps = x.map((row) => row.map((value) => Math.exp(value)));
          const sums = exps.map((row) => row.reduce((sum, value) => sum + value));
          expectClose(
            y,
            wide(exps.map((row, i) => row.map((value) => value / sums[i]))),
            either(1e-12, 1e-6),
          );
          const shifted = new Softmax().forward(wide(x.map((row) => row.map((value) => value + shift))));
          expectClose(shifted, y, either(1e-12, 1e-6));
        }),
      );
    });

    it('normalizes over the last axis', () => {
      const y = new Softmax().forward(wide([[[0, 0, 0, 0], [1, 1, 1, 1]]])); // prettier-ignore
      expect(y.shape).toEqual([1, 2, 4]);
      expectClose(y, Array<number>(8).fill(0.25), either(1e-15, 1e-7));
    });
  });

  describe('Flatten', () => {
    it.each([
      { from: [4, 3, 2], to: [4, 6] },
      { from: [4, 3], to: [4, 3] },
      { from: [4], to: [4, 1] },
      { from: [1, 2, 2, 2], to: [1, 8] },
      { from: [0, 3, 2], to: [0, 6] },
    ])('flattens all axes after the first: $from', ({ from, to }) => {
      expect(new Flatten().forward(zeros(from)).shape).toEqual(to);
    });

    it('keeps the order of the values, and its gradient has the shape of x', () => {
      const x = leaf([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // prettier-ignore
      const y = new Flatten().forward(x);
      expect(y.toArray()).toEqual([[1, 2, 3, 4], [5, 6, 7, 8]]); // prettier-ignore
      y.backward(wide([[1, 2, 3, 4], [5, 6, 7, 8]])); // prettier-ignore
      expect(x.grad?.toArray()).toEqual(x.toArray());
    });
  });
});

inFloat64(() => {
  it.each([...table, { name: 'Softmax', layer: new Softmax() }])(
    '$name passes the gradient check',
    ({ layer }) => {
      const x = leaf([[0.5, -1, 2], [-0.3, 3, -0.2]]); // prettier-ignore
      expect(gradcheck((input) => layer.forward(input), [x])).toBe(true);
    },
  );
});
