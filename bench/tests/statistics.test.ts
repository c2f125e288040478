import { describe, expect, it } from 'vitest';
import { digits } from '../format.ts';
import { fitPowerLaw, median } from '../statistics.ts';

describe('fitPowerLaw', () => {
  const points = (cost: (x: number) => number) => [8, 16, 32, 64, 128, 256].map((x) => ({ x, y: cost(x) }));

  it('finds the exponent of a power law', () => {
    const { exponent, r2, from, to } = fitPowerLaw(points((x) => 3 * x ** 1.5));
    expect(exponent).toBeCloseTo(1.5, 10);
    expect(r2).toBeCloseTo(1, 10);
    expect([from, to]).toEqual([64, 256]);
  });

  it('fits the upper half, where a fixed cost matters less', () => {
    const { exponent } = fitPowerLaw(points((x) => Math.max(1e4, x ** 2)));
    expect(exponent).toBeLessThan(2);
    expect(fitPowerLaw(points((x) => Math.max(32 ** 2, x ** 2))).exponent).toBeCloseTo(2, 10);
  });

  it('has a lower R² if the points scatter', () => {
    expect(fitPowerLaw(points((x) => x * (x === 128 ? 2 : 1))).r2).toBeLessThan(0.95);
  });
});

describe('median and digits', () => {
  it('median takes the middle, or the mean of the middle two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('digits prints three significant digits', () => {
    expect([1234.5, 123.45, 1.2345, 0.0012345, 0].map(digits)).toEqual([
      '1235',
      '123',
      '1.23',
      '0.00123',
      '0.00',
    ]);
  });
});
