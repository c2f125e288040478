/** The results of `compare.ts`. */
import Table from 'cli-table3';
import { mean } from '../cli/results.ts';
import { type NetName, netNames } from './experiment.ts';
import type { Results } from './results.ts';

export const sideNames = ['gammabeta', 'pytorch', 'pytorchSameStart'] as const;
type SideName = (typeof sideNames)[number];

/** Test accuracy after the last epoch, as means over the seeds. */
export type Means = Readonly<Record<NetName, Readonly<Record<SideName, number>>>>;

/** The content of the file of `--json`. */
export interface Comparison extends Readonly<Record<SideName, Results>> {
  readonly means: Means;
}

/** The largest accepted difference between means of three seeds. */
export const TOLERANCE = 0.015;

export function meansOf(sides: Readonly<Record<SideName, Results>>): Means {
  const of = (net: NetName) =>
    Object.fromEntries(
      sideNames.map((side) => [side, mean(sides[side].runs, net, 'valAccuracy', sides[side].epochs)]),
    ) as Means[NetName];
  return Object.fromEntries(netNames.map((net) => [net, of(net)])) as Means;
}

export function agrees(means: Means): boolean {
  return netNames.every((net) => {
    const { gammabeta, pytorch, pytorchSameStart } = means[net];
    return [pytorch, pytorchSameStart].every((theirs) => Math.abs(gammabeta - theirs) <= TOLERANCE);
  });
}

export function meansTable(means: Means): string {
  const table = new Table({ style: { head: [], border: [], compact: true } });
  table.push(['test accuracy', 'gammabeta', 'PyTorch', 'PyTorch from our start']);
  for (const net of netNames) table.push([net, ...sideNames.map((side) => means[net][side].toFixed(4))]);
  return table.toString();
}
