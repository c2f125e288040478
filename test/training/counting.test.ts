import { describe, expect, it } from 'vitest';
import { accuracy, crossEntropy, mse, tensor } from '../../src/index.ts';
import { counted } from '../../src/layers/counted.ts';
import { counting } from '../../src/training/counting.ts';

const logits = tensor([[2, 0], [1, 3], [0, 5]]); // prettier-ignore

describe('counting', () => {
  it('returns the number that was reported, and null for none', () => {
    const seven = counting(() => {
      counted(null, 7);
      return 'result';
    });
    expect(seven).toEqual({ result: 'result', count: 7, isReported: false });
    expect(counting(() => 1)).toEqual({ result: 1, count: null, isReported: false });
  });

  it('returns the number that was reported twice, and null for different ones', () => {
    const reporting = (...numbers: readonly number[]) =>
      counting(() => {
        for (const n of numbers) counted(null, n);
      }).count;
    expect(reporting(3, 3)).toBe(3);
    expect(reporting(3, 2)).toBe(null);
    expect(reporting(0)).toBe(0);
  });

  it('keeps what an inner call counts to that call, also if it throws', () => {
    const outer = counting(() => {
      counted(null, 1);
      expect(counting(() => counted(null, 2)).count).toBe(2);
      const failing = () => {
        counted(null, 3);
        throw new Error('failed');
      };
      expect(() => counting(failing)).toThrow('failed');
    });
    expect(outer.count).toBe(1);
    counted(null, 4); // reported to nobody
  });

  it('is told what a mean loss divides by, and that a sum is one; single losses report nothing', () => {
    const all = [0, -100, 1];
    expect(counting(() => crossEntropy(logits, all))).toMatchObject({ count: 2, isReported: true });
    expect(counting(() => crossEntropy(logits, [-100, -100, -100])).count).toBe(0);
    expect(counting(() => mse(logits, logits))).toMatchObject({ count: 6, isReported: true });
    for (const loss of [crossEntropy, mse]) {
      const targets = loss === mse ? new Float32Array(6) : all;
      const sum = counting(() => loss(logits, targets, { reduction: 'sum' }));
      expect(sum).toMatchObject({ count: 'sum', isReported: true });
      const none = counting(() => loss(logits, targets, { reduction: 'none' }));
      expect(none).toMatchObject({ count: null, isReported: false });
    }
  });

  it('does not take what is computed from a reported loss for one', () => {
    expect(counting(() => mse(logits, logits).mul(2))).toMatchObject({ count: 6, isReported: false });
    const halfOfSum = counting(() => mse(logits, logits, { reduction: 'sum' }).div(2));
    expect(halfOfSum).toMatchObject({ count: null, isReported: false });
    const two = counting(() => crossEntropy(logits, [0, -100, 1]).add(mse(logits, logits)));
    expect(two).toMatchObject({ count: null, isReported: false });
  });

  it('is told how many labels the accuracy is a share of, before it is awaited', async () => {
    const { result, count } = counting(() => accuracy(logits, new Int8Array([0, -100, 0])));
    expect(count).toBe(2);
    expect(await result).toBe(0.5);
  });
});
