/** Random batches for property tests of batch normalization, and layers for them. */
import fc from 'fast-check';
import { BatchNorm1d, type BatchNorm1dOptions } from '../../src/index.ts';
import { rows } from './helpers.ts';
import { wide, widest } from '../tensors.ts';

/** x and g are [m, C], gamma and beta are [C]. Values are multiples of 1/256 in [−4, 4]. */
export interface BatchNormInputs {
  readonly x: readonly (readonly number[])[];
  readonly g: readonly (readonly number[])[];
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
}

const short: fc.Arbitrary<number> = fc.integer({ min: -1024, max: 1024 }).map((n) => n / 256);

/** Batches of 2 to 9 rows. `distinct`: the values of a column differ, so no column is constant. */
export function batches({ distinct = false }: { distinct?: boolean } = {}): fc.Arbitrary<BatchNormInputs> {
  return fc
    .record({ m: fc.integer({ min: 2, max: 9 }), C: fc.integer({ min: 1, max: 5 }) })
    .chain(({ m, C }) => {
      const size = { minLength: m, maxLength: m };
      const width = { minLength: C, maxLength: C };
      const column = distinct ? fc.uniqueArray(short, size) : fc.array(short, size);
      return fc.record({
        x: fc.array(column, width).map(rows),
        g: fc.array(fc.array(short, width), size),
        gamma: fc.array(short, width),
        beta: fc.array(short, width),
      });
    });
}

/** A layer of the widest dtype with the given γ and β. */
export function batchNorm1d(
  { gamma, beta }: Pick<BatchNormInputs, 'gamma' | 'beta'>,
  options: BatchNorm1dOptions = {},
): BatchNorm1d {
  const norm = new BatchNorm1d(gamma.length, { dtype: widest(), ...options });
  norm.loadStateDict({ weight: wide(gamma), bias: wide(beta) }, { strict: false });
  return norm;
}
