/** What the lab finds, as it is written to files. */
import type { Machine } from '../cli/results.ts';
import type { Verdict } from '../report/model.ts';
import type { Claim, Effort, Finding, Outcome, Run, Setting, Test } from './claim.ts';
import { claims } from './claims.ts';

/** What `--json` writes. */
export interface LabResults {
  readonly experiment: 'lab';
  /** What was trained on: MNIST, or what stood in for it. */
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

/** What is said of a claim is computed from its runs alone. */
export function resultsOf(claim: Claim, runs: readonly Run<Setting, Outcome>[]): ClaimResults {
  const { verdict, tests } = claim.judge(runs);
  return { name: claim.name, verdict, tests, runs };
}

/** A claim, and what was found of it. */
export interface Judged {
  readonly claim: Claim;
  readonly finding: Finding;
}

/** The claims of the results, judged. */
export function findingsOf(results: LabResults): Judged[] {
  return results.claims.map(({ name, runs }) => {
    const claim = claims.find((each) => each.name === name);
    if (claim === undefined) throw new RangeError(`findingsOf: no claim is called ${name}`);
    return { claim, finding: claim.judge(runs) };
  });
}
