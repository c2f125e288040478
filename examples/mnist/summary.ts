/** The table at the end, and what it means. */
import Table from 'cli-table3';
import { type NetName, netNames } from './nets.ts';
import { published } from './published.ts';
import type { Run } from './results.ts';

const columns = ['loss', 'accuracy', 'valLoss', 'valAccuracy'] as const;
const headings = ['loss', 'acc', 'val loss', 'val acc'];

/**
 * The nets side by side, epoch by epoch; means where a net was trained with several seeds.
 * `comparable`: the run is Keras' experiment, so its figures may stand next to Keras'.
 */
export function historyTable(runs: readonly Run[], comparable: boolean): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  const hasKeras = (net: NetName) => comparable && published[net] !== undefined;
  const table = new Table({ style: { head: [], border: [], compact: true } });
  table.push([
    '',
    ...nets.map((net) => ({
      colSpan: columns.length + (hasKeras(net) ? 1 : 0),
      content: net,
      hAlign: 'center' as const,
    })),
  ]);
  table.push(['epoch', ...nets.flatMap((net) => [...headings, ...(hasKeras(net) ? ['Keras'] : [])])]);
  const epochs = Math.max(...runs.map((run) => run.history.loss.length));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const cells = nets.flatMap((net) => [
      ...columns.map((column) => format(mean(runs, net, column, epoch))),
      ...(hasKeras(net) ? [publishedFigures(net, epoch)] : []),
    ]);
    table.push([String(epoch), ...cells]);
  }
  return table.toString();
}

/** What the difference means, in two sentences computed from the runs. */
export function meaning(runs: readonly Run[]): string {
  const [without, withIt] = [
    runs.filter((run) => run.net === 'plain'),
    runs.filter((run) => run.net !== 'plain'),
  ];
  if (without.length === 0 || withIt.length === 0) {
    return 'To see what batch normalization changes, train plain and one of bn, bn-pre.';
  }
  const net = withIt[0].net;
  const last = Math.min(...runs.map((run) => run.history.loss.length));
  const at = (name: NetName, epoch: number) => mean(runs, name, 'valAccuracy', epoch);
  const cost = time(runs, net) / time(runs, 'plain');
  const goal = at('plain', last);
  const reached = Array.from({ length: last }, (_, i) => i + 1).find((epoch) => at(net, epoch) >= goal);
  const first = `After the first epoch, ${net} classifies ${percent(at(net, 1))} of the validation images correctly and plain ${percent(at('plain', 1))}`;
  const slower = `${cost.toFixed(2)} times as long`;
  if (last === 1) return `${first}. Its epoch takes ${slower} as plain's.`;
  const end = `after epoch ${last}, ${percent(at(net, last))} and ${percent(goal)}`;
  const second =
    reached === undefined
      ? `In ${last} epochs ${net} does not reach the ${percent(goal)} that plain ends with, and its epochs take ${slower}.`
      : `What plain reaches in ${last} epochs, ${net} reaches in ${reached}, and as its epochs take ${slower}, ` +
        `that is ${((reached * cost) / last).toFixed(2)} of plain's time.`;
  return `${first}; ${end}. ${second}`;
}

/** The mean over seeds; NaN where no run of that net got that far. */
export function mean(runs: readonly Run[], net: NetName, column: string, epoch: number): number {
  const values = runs
    .filter((run) => run.net === net && run.history[column].length >= epoch)
    .map((run) => run.history[column][epoch - 1]);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function time(runs: readonly Run[], net: NetName): number {
  const seconds = runs.filter((run) => run.net === net).flatMap((run) => run.history.seconds);
  return seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
}

/** What Keras prints for that epoch, where that is known: accuracy, and loss. */
function publishedFigures(net: NetName, epoch: number): string {
  const row = published[net]?.find((entry) => entry.epoch === epoch);
  if (row === undefined) return '';
  const accuracy = row.valAccuracy.toFixed(3);
  return row.valLoss === undefined ? accuracy : `${accuracy}, loss ${row.valLoss.toFixed(3)}`;
}

function format(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : '–';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
