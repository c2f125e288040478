/** A claim of the lab: independent runs, and a judgement of their outcomes. */
import type { Dataset, Json } from '../../../src/index.ts';
import type { Figure, Verdict } from '../report/model.ts';
import type { DerivationSection } from './derivation.ts';

/** The amount of work: `quick` takes minutes, `full` has more seeds, steps and settings. */
export type Effort = 'quick' | 'full';

/** The input and the result of a run. Both are written to files, so both are JSON. */
export type Setting = Readonly<Record<string, Json>> & { readonly seed: number };
export type Outcome = Readonly<Record<string, Json>>;

/** The data of all runs: images of 784 bytes, in ten classes. */
export interface LabData {
  readonly training: Dataset;
  readonly test: Dataset;
}

/** A completed run. */
export interface Run<S extends Setting, O extends Outcome> {
  readonly setting: S;
  readonly outcome: O;
}

/** One textbook claim about batch normalization, and its test. */
export interface Claim<S extends Setting = Setting, O extends Outcome = Outcome> {
  /** For the command line and file names: `learning-rate`. */
  readonly name: string;
  /** The claim in one sentence, as in a textbook; "it" is batch normalization. */
  readonly statement: string;
  /** A description of the experiment in a few sentences, for the report. */
  readonly method: string;
  /** Two sentences that explain the verdict, and the section of `kernels/batchnorm.md` that derives the reason. */
  readonly why: { readonly text: string; readonly section: DerivationSection };
  /** True if its runs measure time or memory: then they run one at a time, while nothing else runs. */
  readonly alone?: boolean;
  settings(effort: Effort): S[];
  /** Trains a network, in a worker thread. The outcome depends on the setting and the data only, except for times. */
  run(setting: S, data: LabData): Promise<O>;
  /** Computes the verdict, its tests and the figures from the outcomes. */
  judge(runs: readonly Run<S, O>[]): Finding;
}

export interface Finding {
  readonly verdict: Verdict;
  /** One test for each part of the claim; they determine the verdict. */
  readonly tests: readonly Test[];
  readonly figures: readonly Figure[];
}

/** The test of one part of a claim: compares a number, measured for each seed, with a threshold. */
export interface Test {
  /** The part as a sentence: true if the interval lies on the `expected` side of the threshold. */
  readonly statement: string;
  /** The name of the number, such as `steps with it / steps without`. */
  readonly quantity: string;
  readonly mean: number;
  /** 95 % confidence interval of the mean. */
  readonly interval: readonly [low: number, high: number];
  readonly expected: 'above' | 'below';
  readonly threshold: number;
  readonly seeds: number;
  readonly verdict: Verdict;
}
