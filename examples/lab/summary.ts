/** The verdicts as a table in the terminal, and the words that tables and documents share. */
import Table from 'cli-table3';
import { formatNumber } from '../report/numbers.ts';
import { terminalChart } from '../report/terminal.ts';
import type { Test } from './claim.ts';
import { claims } from './claims.ts';
import { type ClaimResults, findingsOf, type LabResults } from './results.ts';

/** Columns of the table where it is not a terminal that it is printed on, and the fewest that words fit into. */
const WIDTH = 115;
const NARROWEST = 72;
const VERDICT = 15;

/** No wider than the terminal, of so many columns. */
export function verdictTable(
  { claims: results }: LabResults,
  columns: number = process.stdout.isTTY ? process.stdout.columns : WIDTH,
): string {
  const free = Math.min(Math.max(columns, NARROWEST), WIDTH) - VERDICT - 4; // the lines between
  const claim = Math.floor(free / 3);
  const table = new Table({
    head: ['claim', 'verdict', 'what decides it'],
    colWidths: [claim, VERDICT, free - claim],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const each of results) {
    const decides = deciding(each).map((test) => `${sentence(test)}: ${test.verdict}`);
    table.push([`${each.name}: ${statementOf(each)}`, each.verdict, decides.join('\n')]);
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
