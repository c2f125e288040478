/** The table at the end of an experiment, and what it means. */
import Table from 'cli-table3';
import { mean, type NetRun, secondsPerEpoch } from './results.ts';

const columns = ['loss', 'accuracy', 'valLoss', 'valAccuracy'] as const;

interface HistoryTable<Name extends string> {
  /** Over the columns of fit's history: loss, accuracy, and those of the images that are not trained on. */
  readonly headings: readonly string[];
  /** A further column of that net, with what others measured. */
  readonly further?: (
    net: Name,
  ) => { readonly heading: string; readonly at: (epoch: number) => string } | null;
}

/** The nets side by side, epoch by epoch; means where a net was trained with several seeds. */
export function netsTable<Name extends string>(
  nets: readonly Name[],
  runs: readonly NetRun<Name>[],
  { headings, further = () => null }: HistoryTable<Name>,
): string {
  const table = new Table({ style: { head: [], border: [], compact: true } });
  const shown = nets.map((net) => ({ net, more: further(net) }));
  table.push([
    '',
    ...shown.map(({ net, more }) => ({
      colSpan: columns.length + (more === null ? 0 : 1),
      content: net,
      hAlign: 'center' as const,
    })),
  ]);
  table.push([
    'epoch',
    ...shown.flatMap(({ more }) => [...headings, ...(more === null ? [] : [more.heading])]),
  ]);
  const epochs = Math.max(...runs.map((run) => run.history.loss.length));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const cells = shown.flatMap(({ net, more }) => [
      ...columns.map((column) => format(mean(runs, net, column, epoch))),
      ...(more === null ? [] : [more.at(epoch)]),
    ]);
    table.push([String(epoch), ...cells]);
  }
  return table.toString();
}

/**
 * What the first net with batch normalization does better than `plain`, in two sentences computed from the runs.
 *
 * @param others the nets with it, to say which there are
 * @param images those that accuracy was measured on: `validation images`
 */
export function meaningOf(
  runs: readonly NetRun<string>[],
  others: readonly string[],
  images: string,
): string {
  const net = runs.find((run) => run.net !== 'plain')?.net;
  if (net === undefined || runs.every((run) => run.net !== 'plain')) {
    const oneOf = others.length === 1 ? '' : 'one of ';
    return `To see what batch normalization changes, train plain and ${oneOf}${others.join(', ')}.`;
  }
  const last = Math.min(...runs.map((run) => run.history.loss.length));
  const at = (name: string, epoch: number) => mean(runs, name, 'valAccuracy', epoch);
  const cost = secondsPerEpoch(runs, net) / secondsPerEpoch(runs, 'plain');
  const goal = at('plain', last);
  const reached = Array.from({ length: last }, (_, i) => i + 1).find((epoch) => at(net, epoch) >= goal);
  const first = `After the first epoch, ${net} classifies ${percent(at(net, 1))} of the ${images} correctly and plain ${percent(at('plain', 1))}`;
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

function format(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : '–';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
