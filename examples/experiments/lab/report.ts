/** The lab's results as a page. */
import type { Report, Section } from '../report/model.ts';
import { formatNumber } from '../report/numbers.ts';
import type { Claim, Finding } from './claim.ts';
import { findingsOf, type Judged, type LabResults } from './results.ts';
import { deciding, formatDigits, sentence } from './summary.ts';

export function labReport(results: LabResults): Report {
  const findings = findingsOf(results);
  const seeds = Math.max(...results.claims.flatMap(({ tests }) => tests.map((test) => test.seeds)));
  return {
    title: `What is said of batch normalization, put to the test on ${results.data}`,
    lead: [
      count(findings),
      `Every claim is split into parts, and every part into a number measured with ${seeds} seeds. A part is supported if ` +
        'the 95 % confidence interval of its mean lies wholly on the side of the threshold that the claim says, not ' +
        'supported if it lies wholly on the other side, and mixed in between; a claim is mixed too if its parts are of ' +
        'different minds. With so many parts, about one in twenty intervals misses the truth by chance.',
    ],
    facts: [
      [
        'data',
        `${results.data} (${results.from}): ${formatNumber(results.trainingImages)} images to train on, ${formatNumber(results.testImages)} to test`,
      ],
      [
        'network',
        '784 → 100 → 100 → 100 → 10, ReLU, batches of 32, SGD with learning rate 0.1, where a claim does not say otherwise',
      ],
      ['effort', `${results.effort}, ${seeds} seeds`],
      ['machine', `${results.machine.cpu}, Node ${results.machine.node}, ${results.machine.device}`],
    ],
    sections: [overview(findings), ...findings.map(({ claim, finding }) => section(claim, finding))],
  };
}

function count(findings: readonly Judged[]): string {
  const of = (verdict: Finding['verdict']) =>
    findings.filter(({ finding }) => finding.verdict === verdict).length;
  const all = findings.length;
  return `${all} ${all === 1 ? 'claim' : 'claims'}: ${of('supported')} supported, ${of('mixed')} mixed, ${of('not supported')} not supported.`;
}

function overview(findings: readonly Judged[]): Section {
  return {
    heading: 'Verdicts',
    blocks: [
      {
        kind: 'table',
        table: {
          caption: 'Every claim, and the figures that decide it.',
          head: ['claim', 'verdict', 'what decides it'],
          rows: findings.map(({ claim, finding }) => [
            claim.statement,
            finding.verdict,
            deciding(finding)
              .map((test) => `${sentence(test)}: ${test.verdict}.`)
              .join(' '),
          ]),
        },
      },
    ],
  };
}

function section({ statement, method }: Claim, { verdict, tests, figures: shown }: Finding): Section {
  return {
    heading: statement,
    verdict,
    text: [method],
    blocks: [
      {
        kind: 'table',
        table: {
          caption: 'The parts of the claim, with 95 % confidence intervals.',
          head: ['part', 'quantity', 'mean', 'interval', 'expected', 'verdict'],
          rows: tests.map((test) => [
            test.statement,
            test.quantity,
            formatDigits(test.mean),
            test.interval.map(formatDigits).join(' … '),
            `${test.expected} ${formatNumber(test.threshold)}`,
            test.verdict,
          ]),
        },
      },
      { kind: 'figures', figures: shown },
    ],
  };
}
