import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dropout, manualSeed, ones, randn, Sequential, ValueError } from '../../src/index.ts';
import { expectClose, mean, refusal } from './helpers.ts';
import { wide, leaf, values } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ either }) => {
  const probabilities = [0.1, 0.25, 0.5, 0.9];

  describe('Dropout in training', () => {
    it('returns 0 or x/(1 − p) for each element', () => {
      fc.assert(
        fc.property(fc.constantFrom(...probabilities), fc.nat(), (p, seed) => {
          manualSeed(seed);
          const x = Array.from({ length: 50 }, (_, i) => i + 1);
          const y = values(new Dropout(p).forward(wide(x)));
          y.forEach((value, i) => {
            if (value !== 0) expect(value).toBeCloseTo(x[i] / (1 - p), either(10, 4));
          });
        }),
      );
    });

    it.each(probabilities)('drops a share p of the elements and keeps the mean: p = %s', (p) => {
      manualSeed(1);
      const n = 40_000;
      const y = values(new Dropout(p).forward(ones([n])));
      const deviation = Math.sqrt((p * (1 - p)) / n); // of the dropped share
      expect(Math.abs(y.filter((value) => value === 0).length / n - p)).toBeLessThan(4 * deviation);
      expect(Math.abs(mean(y) - 1)).toBeLessThan((4 * deviation) / (1 - p));
    });

    it('draws a new mask for each call, and the same masks after the same seed', () => {
      const draw = () => {
        const dropout = new Dropout(0.5);
        return [1, 2].map(() => values(dropout.forward(ones([64]))));
      };
      manualSeed(3);
      const [first, second] = draw();
      expect(second).not.toEqual(first);
      manualSeed(3);
      expect(draw()).toEqual([first, second]);
      manualSeed(4);
      expect(draw()[0]).not.toEqual(first);
    });

    it('draws from the dropout stream: initialization does not change', () => {
      manualSeed(5);
      const undisturbed = values(randn([8]));
      manualSeed(5);
      new Dropout(0.5).forward(ones([64]));
      expect(values(randn([8]))).toEqual(undisturbed);
      manualSeed(5);
      const mask = values(new Dropout(0.5).forward(ones([64])));
      manualSeed(5);
      randn([100]);
      expect(values(new Dropout(0.5).forward(ones([64])))).toEqual(mask);
    });

    it('applies its mask to the gradient', () => {
      const x = leaf(Array<number>(32).fill(1));
      const y = new Dropout(0.5).forward(x);
      y.sum().backward();
      expectClose(x.grad, y, 0);
    });
  });

  describe('Dropout', () => {
    it('is the identity in evaluation, and draws no random numbers', () => {
      const x = randn([16]);
      const dropout = new Sequential(new Dropout(0.5)).eval();
      manualSeed(6);
      expect(values(dropout.forward(x))).toEqual(values(x));
      const next = values(dropout.train().forward(ones([64])));
      manualSeed(6);
      expect(values(dropout.forward(ones([64])))).toEqual(next);
    });

    it('is the identity for p = 0; p is 0.5 by default', () => {
      const x = randn([16]);
      expect(values(new Dropout(0).forward(x))).toEqual(values(x));
      expect(new Dropout().p).toBe(0.5);
    });

    it.each([-0.1, 1, 1.5, NaN])('refuses p = %s', (p) => {
      expect(refusal(() => new Dropout(p), ValueError)).toContain(`Dropout: p is ${p}`);
    });
  });
});
