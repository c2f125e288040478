/** The list of data, settings and machine at the top of a report. */
import type { Report } from '../report/model.ts';
import type { Machine, NetRun } from './results.ts';

interface Circumstances {
  readonly data: string;
  readonly from?: string;
  readonly epochs: number;
  readonly machine: Partial<Machine>;
  readonly runs: readonly NetRun<string>[];
}

const origins: Record<string, string> = {
  folder: 'from a folder',
  cache: 'from the cache',
  download: 'downloaded',
  'built in': 'drawn from a seed',
};

export function factsOf(
  { data, from = '', epochs, machine, runs }: Circumstances,
  { images, training }: { readonly images: string; readonly training: string },
): Report['facts'] {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const { cpu = '', node = '', device = '' } = machine;
  return [
    ['data', from in origins ? `${data}, ${origins[from]}` : data],
    ['images', images],
    ['training', `${training}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`],
    [seeds.length === 1 ? 'seed' : 'seeds', seeds.join(', ')],
    ['device', device],
    ['machine', `${cpu}, Node ${node}`],
  ];
}
