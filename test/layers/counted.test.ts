import { describe, expect, it } from 'vitest';
import { accuracy, crossEntropy, mse, tensor } from '../../src/index.ts';
import { count, counting } from '../../src/layers/counted.ts';

const logits = tensor([[2, 0], [1, 3], [0, 5]]); // prettier-ignore

describe('counting', () => {
  it('returns the number that was reported, and null for none', () => {
    const seven = counting(() => {
      count(7);
      return 'result';
    });
    expect(seven).toEqual({ result: 'result', count: 7 });
    expect(counting(() => 1)).toEqual({ result: 1, count: null });
  });

  it('returns the number that was reported twice, and null for different ones', () => {
    const reporting = (...numbers: readonly number[]) => counting(() => numbers.forEach(count)).count;
    expect(reporting(3, 3)).toBe(3);
    expect(reporting(3, 2)).toBe(null);
    expect(reporting(0)).toBe(0);
  });

  it('keeps what an inner call counts to that call, also if it throws', () => {
    const outer = counting(() => {
      count(1);
      expect(counting(() => count(2)).count).toBe(2);
      const failing = () => {
        count(3);
        throw new Error('failed');
      };
      expect(() => counting(failing)).toThrow('failed');
    });
    expect(outer.count).toBe(1);
    count(4); // reported to nobody
  });

  it('is told what a mean loss divides by; sums and single losses report nothing', () => {
    expect(counting(() => crossEntropy(logits, [0, -100, 1])).count).toBe(2);
    expect(counting(() => crossEntropy(logits, [-100, -100, -100])).count).toBe(0);
    expect(counting(() => mse(logits, logits)).count).toBe(6);
    for (const reduction of ['sum', 'none'] as const) {
      expect(counting(() => crossEntropy(logits, [0, -100, 1], { reduction })).count).toBe(null);
      expect(counting(() => mse(logits, logits, { reduction })).count).toBe(null);
    }
  });

  it('is told how many labels the accuracy is a share of, before it is awaited', async () => {
    const { result, count: counted } = counting(() => accuracy(logits, new Int8Array([0, -100, 0])));
    expect(counted).toBe(2);
    expect(await result).toBe(0.5);
  });
});
