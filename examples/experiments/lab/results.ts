/** The results of the lab, as written to files. */
import type { Machine } from '../cli/results.ts';
import type { Verdict } from '../report/model.ts';
import type { Claim, Effort, Finding, Outcome, Run, Setting, Test } from './claim.ts';
import { claims } from './claims.ts';

/** The content of the file of `--json`. */
export interface LabResults {
  readonly experiment: 'lab';
  /** The training data: MNIST, or the name of its stand-in. */
  readonly data: string;
  readonly from: string;
  readonly trainingImages: number;
  readonly testImages: number;
  readonly effort: Effort;
  readonly machine: Machine;
  readonly claims: readonly ClaimResults[];
}

export interface ClaimResults {
  readonly name: string;
  readonly verdict: Verdict;
  readonly tests: readonly Test[];
  readonly runs: readonly Run<Setting, Outcome>[];
}

/** The results of a claim, computed from its runs alone. */
export function resultsOf(claim: Claim, runs: readonly Run<Setting, Outcome>[]): ClaimResults {
  const { verdict, tests } = claim.judge(runs);
  return { name: claim.name, verdict, tests, runs };
}

/** A claim with its finding. */
export interface Judged {
  readonly claim: Claim;
  readonly finding: Finding;
}

/** Judges each claim of the results again, from its runs. */
export function findingsOf(results: LabResults): Judged[] {
  return results.claims.map(({ name, runs }) => {
    const claim = claims.find((each) => each.name === name);
    if (claim === undefined) throw new RangeError(`findingsOf: no claim is called ${name}`);
    return { claim, finding: claim.judge(runs) };
  });
}
