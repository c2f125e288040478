/** The numbers of a chart as a table. */
import type { BarChart, Figure, LineChart, LineSeries, Table } from './model.ts';
import { formatNumber } from './numbers.ts';

/** Longer tables are shortened: only every n-th row is shown. */
const MOST_ROWS = 60;

/** The table of a chart, and a note if rows were left out. */
export interface ChartTable {
  readonly table: Table;
  readonly note: string | null;
}

export function tableOf({ title, chart }: Figure): ChartTable {
  const all = chart.kind === 'lines' ? ofLines(chart) : ofBars(chart);
  const { rows } = all;
  const every = Math.ceil(rows.length / MOST_ROWS);
  const table = {
    caption: title,
    head: all.head,
    rows: rows.filter((_, i) => isShown(i, every, rows.length)),
  };
  const note =
    every === 1 ? null : `Every ${ordinal(every)} of ${formatNumber(rows.length)} rows, and the last one.`;
  return { table, note };
}

function isShown(i: number, every: number, count: number): boolean {
  return i % every === 0 || i === count - 1;
}

function ordinal(value: number): string {
  const endings: Record<number, string> = { 1: 'st', 2: 'nd', 3: 'rd' };
  const teen = Math.floor(value / 10) % 10 === 1;
  return `${value}${teen ? 'th' : (endings[value % 10] ?? 'th')}`;
}

/** One row for each x that occurs in a series. */
function ofLines({ x, y, series }: LineChart): Omit<Table, 'caption'> {
  const xs = [...new Set(series.flatMap(({ points, band = [] }) => [...points, ...band].map(([at]) => at)))];
  const columns = series.map(columnOf);
  return {
    head: [x.name, ...series.map(({ name }) => (name === '' ? y.name : name))],
    rows: xs.sort((a, b) => a - b).map((at) => [formatNumber(at), ...columns.map((cell) => cell(at))]),
  };
}

function columnOf({ points, band = [] }: LineSeries): (x: number) => string {
  const values = new Map(points);
  const bounds = new Map(band.map(([x, low, high]) => [x, [low, high] as const]));
  return (x) => cellOf(values.get(x), bounds.get(x));
}

function ofBars({ categories, y, series }: BarChart): Omit<Table, 'caption'> {
  return {
    head: ['', ...series.map(({ name }) => (name === '' ? y.name : name))],
    rows: categories.map((category, i) => [
      category,
      ...series.map(({ values, intervals }) => cellOf(values[i], intervals?.[i])),
    ]),
  };
}

function cellOf(value: number | undefined, bounds: readonly [low: number, high: number] | undefined): string {
  const middle = value === undefined ? '' : formatNumber(value);
  if (!bounds?.every(Number.isFinite)) return middle;
  return `${middle} (${formatNumber(bounds[0])} … ${formatNumber(bounds[1])})`;
}
