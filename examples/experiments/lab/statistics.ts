/** Means over the seeds with their confidence intervals, and the verdicts that follow from them. */
import { quantile } from '../cli/quantile.ts';
import { average } from '../cli/results.ts';
import type { Verdict } from '../report/model.ts';
import type { Test } from './claim.ts';

/** A mean with its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly interval: readonly [low: number, high: number];
}

/** The 97.5 % quantile of Student's t distribution with 1, 2, … degrees of freedom. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093,
];

/** mean ± t·s/√n, with s² = Σ (xᵢ − mean)²/(n − 1), for n = 2 … 20 values. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  if (n < 2 || n > STUDENT.length + 1) throw new RangeError(`estimate: expected 2 … 20 values, found ${n}`);
  const mean = average(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = STUDENT[n - 2] * Math.sqrt(variance / n);
  return { mean, interval: [mean - half, mean + half] };
}

/** The estimate for ratios, computed from their logarithms: 2 and 1/2 are equally far from 1. */
export function estimateRatio(values: readonly number[]): Estimate {
  const { mean, interval } = estimate(values.map(Math.log));
  return { mean: Math.exp(mean), interval: [Math.exp(interval[0]), Math.exp(interval[1])] };
}

interface Question extends Pick<Test, 'statement' | 'quantity' | 'expected' | 'threshold'> {
  /** One finite value for each seed. */
  readonly values: readonly number[];
  /** Whether the values are ratios. */
  readonly ratio?: boolean;
}

/**
 * Compares the confidence interval with the threshold. Entirely on the expected side: supported. Entirely on the other
 * side: not supported. If the threshold is inside the interval: mixed.
 */
export function decide({ values, ratio = false, ...question }: Question): Test {
  if (!values.every(Number.isFinite))
    throw new RangeError(`decide: values must be finite: ${values.join(', ')}`);
  const { mean, interval } = ratio ? estimateRatio(values) : estimate(values);
  return { ...question, mean, interval, seeds: values.length, verdict: verdictOf(interval, question) };
}

function verdictOf(
  [low, high]: Test['interval'],
  { expected, threshold }: Pick<Test, 'expected' | 'threshold'>,
): Verdict {
  const [above, below] = [low > threshold, high < threshold];
  if (expected === 'above' ? above : below) return 'supported';
  // An interval of width 0 may lie exactly on the threshold: then there is no effect.
  return above || below || low === high ? 'not supported' : 'mixed';
}

/** The verdict of a claim: that of all its tests if they agree, otherwise `mixed`. */
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
