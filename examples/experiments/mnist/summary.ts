/** The table at the end, and what it means. */
import { meaningOf, netsTable } from '../cli/summary.ts';
import { type NetName, netNames } from '../../../src/networks.ts';
import { published } from './published.ts';
import type { Run } from './results.ts';

/**
 * The nets side by side, epoch by epoch; means where a net was trained with several seeds.
 * `comparable`: the run is Keras' experiment, so its figures may stand next to Keras'.
 */
export function historyTable(runs: readonly Run[], comparable: boolean): string {
  const nets = netNames.filter((net) => runs.some((run) => run.net === net));
  return netsTable(nets, runs, {
    headings: ['loss', 'acc', 'val loss', 'val acc'],
    further: (net) =>
      comparable && published[net] !== undefined
        ? { heading: 'Keras', at: (epoch) => publishedFigures(net, epoch) }
        : null,
  });
}

/** What the difference means, in two sentences computed from the runs. */
export function meaning(runs: readonly Run[]): string {
  const others = netNames.filter((net) => net !== 'plain');
  return meaningOf(runs, others, 'validation images');
}

/** What Keras prints for that epoch, where that is known: accuracy, and loss. */
function publishedFigures(net: NetName, epoch: number): string {
  const row = published[net]?.find((entry) => entry.epoch === epoch);
  if (row === undefined) return '';
  const accuracy = row.valAccuracy.toFixed(3);
  return row.valLoss === undefined ? accuracy : `${accuracy}, loss ${row.valLoss.toFixed(3)}`;
}
