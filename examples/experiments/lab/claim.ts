/** What a claim of the lab is: runs that can be made apart from each other, and a judgement of their outcomes. */
import type { Dataset } from '../../../src/index.ts';
import type { Figure, Verdict } from '../report/model.ts';
import type { Json } from '../../../src/index.ts';

/** How much is done: `quick` in minutes, `full` with more seeds, steps and settings. */
export type Effort = 'quick' | 'full';

/** What a run is told and what it found are written to files, so both are JSON. */
export type Setting = Readonly<Record<string, Json>> & { readonly seed: number };
export type Outcome = Readonly<Record<string, Json>>;

/** What a run works on: images of 784 bytes, of ten classes. */
export interface LabData {
  readonly training: Dataset;
  readonly test: Dataset;
}

/** One run as it is kept. */
export interface Run<S extends Setting, O extends Outcome> {
  readonly setting: S;
  readonly outcome: O;
}

/** One textbook claim about batch normalization, and how it is put to the test. */
export interface Claim<S extends Setting = Setting, O extends Outcome = Outcome> {
  /** For the command line and file names: `learning-rate`. */
  readonly name: string;
  /** The sentence that is tested, as a textbook would say it. */
  readonly statement: string;
  /** What is done, in a few sentences, for the report. */
  readonly method: string;
  /** Runs that measure time or memory are made one at a time, while nothing else runs. */
  readonly alone?: boolean;
  settings(effort: Effort): S[];
  /** Trains; the same setting and data give the same outcome, but for times. In a worker. */
  run(setting: S, data: LabData): Promise<O>;
  /** Computes everything that is said of the claim from the outcomes. */
  judge(runs: readonly Run<S, O>[]): Finding;
}

export interface Finding {
  readonly verdict: Verdict;
  /** Each part of the claim; the verdict follows from them. */
  readonly tests: readonly Test[];
  readonly figures: readonly Figure[];
}

/** A part of a claim: a number over the seeds against a threshold. */
export interface Test {
  /** What is compared, such that the sentence is true if the interval lies on the `expected` side of the threshold. */
  readonly statement: string;
  /** The number that decides, named, such as `steps with / steps without`. */
  readonly quantity: string;
  readonly mean: number;
  /** 95 % confidence interval of the mean. */
  readonly interval: readonly [low: number, high: number];
  readonly expected: 'above' | 'below';
  readonly threshold: number;
  readonly seeds: number;
  readonly verdict: Verdict;
}
