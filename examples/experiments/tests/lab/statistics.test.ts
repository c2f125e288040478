import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile } from '../../cli/quantile.ts';
import { decide, estimate, estimateRatio, median, overall } from '../../lab/statistics.ts';

const question = { statement: 'it is so', quantity: 'x', threshold: 0 } as const;
const verdict = (values: number[], expected: 'above' | 'below') =>
  decide({ ...question, values, expected }).verdict;

describe('an estimate', () => {
  it("agrees with R's t.test(1:5)", () => {
    const { mean, interval } = estimate([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(interval[0]).toBeCloseTo(1.036757, 3);
    expect(interval[1]).toBeCloseTo(4.963243, 3);
  });

  it('of ratios treats 2 and 1/2 alike', () => {
    const { mean, interval } = estimateRatio([1 / 2, 2]);
    expect(mean).toBeCloseTo(1, 12);
    expect(interval[0] * interval[1]).toBeCloseTo(1, 9);
  });

  it('shifts and scales with the values', () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.1, max: 10, noNaN: true }), (xs, scale) => {
        const [low, high] = estimate(xs).interval;
        const [scaledLow, scaledHigh] = estimate(xs.map((x) => scale * x + 1)).interval;
        expect(scaledLow).toBeCloseTo(scale * low + 1, 6);
        expect(scaledHigh).toBeCloseTo(scale * high + 1, 6);
      }),
    );
  });

  it('needs at least two values', () => {
    expect(() => estimate([1])).toThrow(RangeError);
  });
});

describe('a verdict', () => {
  it('depends on the side on which the interval lies', () => {
    expect(verdict([1, 1.1, 0.9], 'above')).toBe('supported');
    expect(verdict([1, 1.1, 0.9], 'below')).toBe('not supported');
    expect(verdict([-1, -1.1, -0.9], 'above')).toBe('not supported');
    expect(verdict([-1, -1.1, -0.9], 'below')).toBe('supported');
  });

  it('is mixed if the threshold is inside the interval', () => {
    expect(verdict([-1, 2, 0.5], 'above')).toBe('mixed');
    expect(verdict([-1, 2, 0.5], 'below')).toBe('mixed');
  });

  it('is not supported if there is no difference at all', () => {
    expect(verdict([0, 0, 0], 'above')).toBe('not supported');
    expect(verdict([0, 0, 0], 'below')).toBe('not supported');
  });

  it('rejects NaN', () => {
    expect(() => verdict([1, NaN], 'above')).toThrow('must be finite');
  });

  it('of several parts is their common verdict, or mixed', () => {
    const yes = decide({ ...question, values: [1, 1], expected: 'above' });
    const no = decide({ ...question, values: [1, 1], expected: 'below' });
    expect(overall([yes, yes])).toBe('supported');
    expect(overall([no, no])).toBe('not supported');
    expect(overall([yes, no])).toBe('mixed');
  });
});

it('quantiles interpolate between the values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.15)).toBe(1.5);
  expect(quantile([5], 0.85)).toBe(5);
});
