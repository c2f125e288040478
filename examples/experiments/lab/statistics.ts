/** Means over the seeds, how sure they are, and what follows from that for a claim. */
import { quantile } from '../cli/quantile.ts';
import { average } from '../cli/results.ts';
import type { Verdict } from '../report/model.ts';
import type { Test } from './claim.ts';

/** A mean with its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly interval: readonly [low: number, high: number];
}

/** t of Student's distribution with 1, 2, … degrees of freedom, which 2.5 % of it lie above. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093,
];

/** mean ± t·s/√n, with s² = Σ (xᵢ − mean)²/(n − 1): for values of n = 2 … 20 seeds. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  if (n < 2 || n > STUDENT.length + 1) throw new RangeError(`estimate: 2 … 20 values are expected: ${n}`);
  const mean = average(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = STUDENT[n - 2] * Math.sqrt(variance / n);
  return { mean, interval: [mean - half, mean + half] };
}

/** The same of the logarithms, for ratios: twice as fast and half as fast are then equally far from 1. */
export function estimateRatio(values: readonly number[]): Estimate {
  const { mean, interval } = estimate(values.map(Math.log));
  return { mean: Math.exp(mean), interval: [Math.exp(interval[0]), Math.exp(interval[1])] };
}

interface Question extends Pick<Test, 'statement' | 'quantity' | 'expected' | 'threshold'> {
  /** One value for each seed, all of them finite. */
  readonly values: readonly number[];
  /** Whether they are ratios. */
  readonly ratio?: boolean;
}

/**
 * Holds the interval against the threshold: wholly on the expected side, the statement is supported; wholly on the
 * other, it is not; and with the threshold inside, the seeds do not decide.
 */
export function decide({ values, ratio = false, ...question }: Question): Test {
  if (!values.every(Number.isFinite)) throw new RangeError(`decide: not all finite: ${values.join(', ')}`);
  const { mean, interval } = ratio ? estimateRatio(values) : estimate(values);
  return { ...question, mean, interval, seeds: values.length, verdict: verdictOf(interval, question) };
}

function verdictOf(
  [low, high]: Test['interval'],
  { expected, threshold }: Pick<Test, 'expected' | 'threshold'>,
): Verdict {
  const [above, below] = [low > threshold, high < threshold];
  if (expected === 'above' ? above : below) return 'supported';
  // An interval without width may lie on the threshold itself: then nothing of the effect is there.
  return above || below || low === high ? 'not supported' : 'mixed';
}

/** That of a claim: of one mind, or `mixed`. */
export function overall(tests: readonly Test[]): Verdict {
  const [{ verdict }] = tests;
  return tests.every((test) => test.verdict === verdict) ? verdict : 'mixed';
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
