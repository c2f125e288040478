/** The verdicts as a table for the terminal, and the wording shared by tables and documents. */
import Table from 'cli-table3';
import { formatNumber } from '../report/numbers.ts';
import { terminalChart } from '../report/terminal.ts';
import type { Finding, Test } from './claim.ts';
import { findingsOf, type LabResults } from './results.ts';

/** The width of the table in columns if stdout is not a terminal, and its smallest width. */
const WIDTH = 115;
const NARROWEST = 72;
const VERDICT = 15;

/** @param columns The width of the terminal. */
export function verdictTable(
  results: LabResults,
  columns: number = process.stdout.isTTY ? process.stdout.columns : WIDTH,
): string {
  const free = Math.min(Math.max(columns, NARROWEST), WIDTH) - VERDICT - 4; // 4 vertical lines
  const longest = Math.max(...results.claims.map(({ name }) => name.length));
  const first = Math.max(Math.floor(free / 3), longest + 3); // a colon, and a space on each side
  const table = new Table({
    head: ['claim', 'verdict', 'decided by'],
    colWidths: [first, VERDICT, free - first],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { claim, finding } of findingsOf(results)) {
    const decides = deciding(finding).map((test) => `${sentence(test)}: ${test.verdict}`);
    table.push([`${claim.name}: ${claim.statement}`, finding.verdict, decides.join('\n')]);
  }
  return table.toString();
}

/** The first figure with several lines of different colours, as text; empty if there is none. */
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

/** The tests that explain the verdict: the first one, and the first one with a different verdict, if any. */
export function deciding({ tests }: Pick<Finding, 'tests'>): Test[] {
  const [first] = tests;
  const other = tests.find(({ verdict }) => verdict !== first.verdict);
  return other === undefined ? [first] : [first, other];
}

/** `At a learning rate of 0.01, it needs fewer steps: 0.71 (0.54 … 0.931), expected below 1` */
export function sentence({ statement, ...test }: Test): string {
  return `${statement}: ${figuresOf(test)}`;
}

/** `0.71 (0.54 … 0.931), expected below 1` */
function figuresOf({ mean, interval, expected, threshold }: Omit<Test, 'statement'>): string {
  const [shown, low, high] = [mean, ...interval].map(formatDigits);
  return `${shown} (${low} … ${high}), expected ${expected} ${formatNumber(threshold)}`;
}

/** Three significant digits. */
export function formatDigits(value: number): string {
  return formatNumber(Number(value.toPrecision(3)));
}
