/** The table at the end of the experiment on MNIST, and its interpretation. */
import { meaningOf, netsTable } from '../cli/summary.ts';
import { type NetName, netNames } from '../../../src/networks.ts';
import { published, type Run } from './results.ts';

/**
 * The networks side by side, by epoch; means over the seeds.
 *
 * @param comparable Whether data and settings are those of Keras' experiment, so that its results are shown too.
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

/** The interpretation of the difference, in two sentences computed from the runs. */
export function meaning(runs: readonly Run[]): string {
  const others = netNames.filter((net) => net !== 'plain');
  return meaningOf(runs, others, 'validation images');
}

/** The published accuracy and loss of Keras for an epoch; empty if unknown. */
function publishedFigures(net: NetName, epoch: number): string {
  const row = published[net]?.find((entry) => entry.epoch === epoch);
  if (row === undefined) return '';
  const accuracy = row.valAccuracy.toFixed(3);
  return row.valLoss === undefined ? accuracy : `${accuracy}, loss ${row.valLoss.toFixed(3)}`;
}
