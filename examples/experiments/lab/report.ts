/** The results of the lab as a report page. */
import type { Report, Section } from '../report/model.ts';
import { formatNumber } from '../report/numbers.ts';
import type { Finding } from './claim.ts';
import { addressOf } from './derivation.ts';
import { findingsOf, type Judged, type LabResults } from './results.ts';
import { deciding, formatDigits, sentence } from './summary.ts';

/** @param folder The folder of the page, which the links to the derivation start from. */
export function labReport(results: LabResults, folder: string): Report {
  const findings = findingsOf(results);
  const seeds = Math.max(...results.claims.flatMap(({ tests }) => tests.map((test) => test.seeds)));
  return {
    title: `Claims about batch normalization, tested on ${results.data}`,
    lead: [
      count(findings),
      `Every claim has parts, and each part is a number measured with ${seeds} seeds. A part is supported if the 95 % ` +
        'confidence interval of its mean lies entirely on the side of the threshold that the claim expects, not supported ' +
        'if it lies entirely on the other side, and mixed if it contains the threshold. If all parts agree, that is the ' +
        'verdict of the claim; otherwise it is mixed. About one in twenty intervals misses the true mean by chance.',
      'In the claims, "it" is batch normalization.',
    ],
    facts: [
      [
        'data',
        `${results.data} (${results.from}): ${formatNumber(results.trainingImages)} images to train on, ${formatNumber(results.testImages)} to test`,
      ],
      [
        'network',
        '784 → 100 → 100 → 100 → 10, ReLU, batches of 32, SGD with learning rate 0.1, unless a claim says otherwise',
      ],
      ['effort', `${results.effort}, ${seeds} seeds`],
      ['machine', `${results.machine.cpu}, Node ${results.machine.node}, ${results.machine.device}`],
    ],
    sections: [overview(findings), ...findings.map((judged) => section(judged, folder))],
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
          caption: 'Every claim, with its verdict and the numbers that decide it.',
          head: ['claim', 'verdict', 'decided by'],
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

function section({ claim, finding }: Judged, folder: string): Section {
  const { statement, method, why } = claim;
  const { verdict, tests, figures } = finding;
  const href = addressOf(why.section, folder);
  const reason = `Why: ${why.text}`;
  const derivation = `Derivation: ${why.section}`;
  return {
    heading: statement,
    verdict,
    text: [href === null ? reason : { text: reason, see: { text: derivation, href } }, `Method: ${method}`],
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
      { kind: 'figures', figures },
    ],
  };
}
