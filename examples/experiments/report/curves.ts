/** The section with loss and accuracy by epoch. */
import { average, mean, type NetRun, secondsPerEpoch } from '../cli/results.ts';
import { type Findings, netsIn } from './experiment.ts';
import type { Figure, LineChart, LineSeries, Section, Table } from './model.ts';

export function curves(findings: Findings): Section {
  const { heldOut, runs } = findings;
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const figures = [
    figureOf(findings, 'valAccuracy', `${heldOut.name} accuracy`),
    figureOf(findings, 'valLoss', `${heldOut.name} loss`),
    figureOf(findings, 'accuracy', 'training accuracy'),
    figureOf(findings, 'loss', 'training loss'),
  ];
  const text = [
    'Training values are means over the batches of an epoch, each measured before its optimizer step; ' +
      `${heldOut.name} values are measured after the epoch, in evaluation mode.` +
      (seeds > 1
        ? ` Lines are means of ${seeds} seeds, and the bands show the range from the lowest to the highest.`
        : ''),
  ];
  return {
    heading: 'Loss and accuracy',
    text,
    blocks: [
      { kind: 'figures', figures },
      { kind: 'table', table: lastEpochs(findings) },
    ],
  };
}

/** The curves of a column of the history, also used for the terminal. */
export function chartOf(findings: Findings, column: string, name: string): LineChart {
  const { runs, published } = findings;
  const nets = netsIn(findings);
  const epochs = Math.max(...runs.map(({ history }) => history.loss.length));
  const lines = nets.map(({ net, colour }): LineSeries => ({
    name: net,
    colour,
    ...lineOf(runs, net, column),
  }));
  const points = nets.flatMap(({ net, colour }): LineSeries[] => {
    const found = (published?.points(net, column) ?? []).filter(([epoch]) => epoch <= epochs);
    if (found.length === 0) return [];
    return [{ name: `${net}, ${published?.by ?? ''}`, colour, style: 'points', points: found }];
  });
  return {
    kind: 'lines',
    x: { name: 'epoch' },
    y: { name: name.split(' ').at(-1) ?? name },
    series: [...lines, ...points],
  };
}

function lineOf(
  runs: readonly NetRun<string>[],
  net: string,
  column: string,
): Pick<LineSeries, 'points' | 'band'> {
  const columns = runs.filter((run) => run.net === net).map(({ history }) => history[column]);
  const epochs = Math.max(...columns.map((values) => values.length));
  const at = Array.from({ length: epochs }, (_, i) =>
    columns.filter((values) => values.length > i).map((values) => values[i]),
  );
  const points = at.map((values, i) => [i + 1, average(values)] as const);
  if (columns.length === 1) return { points };
  return { points, band: at.map((values, i) => [i + 1, Math.min(...values), Math.max(...values)] as const) };
}

function figureOf(findings: Findings, column: string, name: string): Figure {
  const chart = chartOf(findings, column, name);
  const { by } = findings.published ?? { by: '' };
  const ends = chart.series
    .filter(({ style }) => style !== 'points')
    .map(({ name: net, points }) => `${net} ${fixed(points[points.length - 1][1])}`);
  const epochs = Math.max(...chart.series.flatMap(({ points }) => points.map(([x]) => x)));
  const marks = chart.series.some(({ style }) => style === 'points')
    ? ` Diamonds are figures published by ${by}.`
    : '';
  return {
    title: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    caption: `After epoch ${epochs}: ${ends.join(', ')}.${marks}`,
    chart,
  };
}

function lastEpochs(findings: Findings): Table {
  const { runs, heldOut } = findings;
  const rows = netsIn(findings).map(({ net }) => {
    const own = runs.filter((run) => run.net === net);
    const last = Math.max(...own.map(({ history }) => history.loss.length));
    const accuracies = own.map(({ history }) => history.valAccuracy[last - 1]).filter(Number.isFinite);
    const range =
      own.length === 1 ? [] : [`${fixed(Math.min(...accuracies))} … ${fixed(Math.max(...accuracies))}`];
    return [
      net,
      fixed(mean(runs, net, 'valAccuracy', last)),
      ...range,
      fixed(mean(runs, net, 'valLoss', last)),
      fixed(mean(runs, net, 'accuracy', last)),
      fixed(mean(runs, net, 'loss', last)),
      `${secondsPerEpoch(runs, net).toFixed(2)} s`,
    ];
  });
  const withRange = rows.some((row) => row.length === 7);
  const head = [
    'network',
    `${heldOut.name} accuracy`,
    ...(withRange ? ['range'] : []),
    `${heldOut.name} loss`,
    'training accuracy',
    'training loss',
    'time per epoch',
  ];
  const padded = rows.map((row) =>
    withRange && row.length === 6 ? [...row.slice(0, 2), '–', ...row.slice(2)] : row,
  );
  return { caption: 'After the last epoch', head, rows: padded };
}

function fixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : '–';
}
