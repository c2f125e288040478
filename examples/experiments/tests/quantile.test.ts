import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantile, quantileOf } from '../cli/quantile.ts';

it('quantileOf is the quantile of the sorted values, also with NaN, infinities and equal values', () => {
  const value = fc.oneof(fc.float(), fc.constantFrom(0, 1, NaN, Infinity, -Infinity));
  const values = fc
    .array(value, { maxLength: 2000, size: 'max' })
    .map((numbers) => Float32Array.from(numbers, (x) => x + 0)); // −0 sorts before 0
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
      expect(quantileOf(given.slice(), share)).toBe(quantile(given.toSorted(), share));
    }),
  );
});
