/** The lab's claims with their verdicts and charts, judged from its results when the page is built. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claims } from '../experiments/lab/claims.ts';
import { findingsOf, type LabResults } from '../experiments/lab/results.ts';
import { chartSvg } from '../experiments/report/svg.ts';

export interface ClaimCard {
  readonly name: string;
  readonly statement: string;
  readonly verdict: 'supported' | 'mixed' | 'not supported';
  readonly why: string;
  readonly tests: readonly {
    readonly statement: string;
    readonly quantity: string;
    readonly mean: number;
    readonly interval: readonly [number, number];
    readonly expected: string;
    readonly threshold: number;
    readonly verdict: string;
  }[];
  readonly chart: {
    /** SVG, in the colours of the page. */
    readonly svg: string;
    readonly title: string;
    readonly caption: string;
  } | null;
}

export interface ClaimCards {
  /** The data that the claims were tested on. */
  readonly data: string;
  readonly cards: readonly ClaimCard[];
}

const results = 'examples/experiments/results';

export function claimCards(root: string): ClaimCards {
  const lab = JSON.parse(readFileSync(join(root, results, 'lab.json'), 'utf8')) as LabResults;
  const known = lab.claims.filter(({ name }) => claims.some((claim) => claim.name === name));
  const cards = findingsOf({ ...lab, claims: known }).map(({ claim, finding }): ClaimCard => {
    const figure = finding.figures.at(0);
    return {
      name: claim.name,
      statement: claim.statement,
      verdict: finding.verdict,
      why: claim.why.text.replaceAll('xhat', 'x̂'), // as on the rest of the page
      tests: finding.tests.map((test) => ({
        statement: test.statement,
        quantity: test.quantity,
        mean: test.mean,
        interval: [test.interval[0], test.interval[1]],
        expected: test.expected,
        threshold: test.threshold,
        verdict: test.verdict,
      })),
      chart: figure
        ? {
            svg: chartSvg(figure.chart, `claim-${claim.name}`, `claim-${claim.name}-chart`),
            title: figure.title,
            caption: figure.caption,
          }
        : null,
    };
  });
  return { data: lab.data, cards };
}
