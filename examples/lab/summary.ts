/** The verdicts as a table in the terminal, and the words that tables and documents share. */
import Table from 'cli-table3';
import { formatNumber } from '../report/numbers.ts';
import { terminalChart } from '../report/terminal.ts';
import type { Test } from './claim.ts';
import { claims } from './claims.ts';
import { type ClaimResults, findingsOf, type LabResults } from './results.ts';

export function verdictTable({ claims: results }: LabResults): string {
  const table = new Table({
    head: ['claim', 'verdict', 'what decides it'],
    colWidths: [34, 15, 62],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const claim of results) {
    table.push([
      `${claim.name}: ${statementOf(claim)}`,
      claim.verdict,
      deciding(claim)
        .map((test) => `${sentence(test)}: ${test.verdict}`)
        .join('\n'),
    ]);
  }
  return table.toString();
}

/** The first figure whose lines can be told apart on a terminal, by one mark for each colour; none has to be there. */
export function terminalFigure(results: LabResults): string {
  for (const { finding } of findingsOf(results)) {
    for (const { title, chart } of finding.figures) {
      if (chart.kind !== 'lines') continue;
      const colours = new Set(chart.series.map(({ colour }) => colour));
      if (chart.series.length > 1 && colours.size === chart.series.length) return terminalChart(title, chart);
    }
  }
  return '';
}

export function statementOf({ name }: ClaimResults): string {
  return claims.find((claim) => claim.name === name)?.statement ?? '';
}

/** The test that the verdict rests on: the first, and, where the parts are of different minds, the first of another. */
export function deciding({ tests }: ClaimResults): Test[] {
  const [first] = tests;
  const other = tests.find(({ verdict }) => verdict !== first.verdict);
  return other === undefined ? [first] : [first, other];
}

/** `At a learning rate of 0.01, it needs fewer steps: 0.71 (0.54 … 0.931), expected below 1` */
export function sentence({ statement, ...test }: Test): string {
  return `${statement}: ${figuresOf(test)}`;
}

/** `0.71 (0.54 … 0.931), expected below 1` */
export function figuresOf({ mean, interval, expected, threshold }: Omit<Test, 'statement'>): string {
  const [shown, low, high] = [mean, ...interval].map(formatDigits);
  return `${shown} (${low} … ${high}), expected ${expected} ${formatNumber(threshold)}`;
}

/** Three significant digits. */
export function formatDigits(value: number): string {
  return formatNumber(Number(value.toPrecision(3)));
}
