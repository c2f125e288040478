/** The table at the end of an experiment, and its interpretation. */
import Table from 'cli-table3';
import { average, mean, type NetRun, secondsPerEpoch } from './results.ts';

const columns = ['loss', 'accuracy', 'valLoss', 'valAccuracy'] as const;

interface HistoryTable<Name extends string> {
  /** Headings for loss and accuracy on the training images, and on the held-out images. */
  readonly headings: readonly string[];
  /** An additional column for a network, with published results. */
  readonly further?: (
    net: Name,
  ) => { readonly heading: string; readonly at: (epoch: number) => string } | null;
}

/** The networks side by side, by epoch; means over the seeds. */
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
 * Compares the first network with batch normalization with `plain`, in two sentences computed from the runs.
 *
 * @param others The networks with batch normalization that can be trained.
 * @param images The images on which accuracy was measured, such as `validation images`.
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
  const first = `After the first epoch, ${net} classifies ${percent(at(net, 1))} of the ${images} correctly, and plain ${percent(at('plain', 1))}`;
  const slower = `${cost.toFixed(2)} times as long`;
  if (last === 1) return `${first}. Its epoch takes ${slower} as that of plain.`;
  const end = `after epoch ${last}, ${percent(at(net, last))} and ${percent(goal)}`;
  const second =
    reached === undefined
      ? `In ${last} epochs, ${net} does not reach the final ${percent(goal)} of plain, and its epochs take ${slower}.`
      : `${net} reaches the final accuracy of plain in ${reached} of ${last} epochs. Its epochs take ${slower}, ` +
        `so it needs ${((reached * cost) / last).toFixed(2)} of the time of plain.`;
  return `${first}; ${end}. ${second}`;
}

/** A line for each network: its test accuracy at the end, as the mean over the seeds. */
export function finalAccuracies(runs: readonly NetRun<string>[]): string {
  return linesOf(runs, 'Test accuracy', (of) =>
    percent(average(of.map(({ history }) => history.valAccuracy.at(-1) ?? NaN))),
  );
}

/**
 * A line for each network: the time that all of its epochs took, with validation, as the mean over the seeds, and how many
 * times that of `plain` it is.
 */
export function trainingTimes(runs: readonly NetRun<string>[]): string {
  const seconds = (of: typeof runs) =>
    average(of.map(({ history }) => history.seconds.reduce((sum, each) => sum + each, 0)));
  const plain = seconds(runs.filter(({ net }) => net === 'plain'));
  return linesOf(runs, 'Time to train', (of) => {
    const time = `${seconds(of).toFixed(1)} s`;
    if (of[0].net === 'plain' || Number.isNaN(plain)) return time;
    return `${time}, ${(seconds(of) / plain).toFixed(2)} times as long`;
  });
}

/** `Time to train without batch normalization (plain): …`, and so on, in columns. */
function linesOf(
  runs: readonly NetRun<string>[],
  quantity: string,
  figure: (runs: readonly NetRun<string>[]) => string,
): string {
  const nets = [...new Set(runs.map(({ net }) => net))];
  const names = nets.map(
    (net) => `${quantity} ${net === 'plain' ? 'without' : 'with'} batch normalization (${net}): `,
  );
  const width = Math.max(...names.map((name) => name.length));
  return nets
    .map((net, k) => names[k].padEnd(width) + figure(runs.filter((run) => run.net === net)))
    .join('\n');
}

function format(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : '–';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
