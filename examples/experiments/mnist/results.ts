import type { Machine, NetRun } from '../cli/results.ts';
import type { NetName } from '../../../src/networks.ts';

export type Run = NetRun<NetName>;

/** What `--json` writes. */
export interface Results {
  readonly experiment: 'mnist-batchnorm';
  /** What it was trained on: MNIST, or what stood in for it. */
  readonly data: string;
  /** Where that came from; not in results from before it was written down. */
  readonly from?: 'folder' | 'cache' | 'download' | 'built in';
  readonly trainingImages: number;
  readonly epochs: number;
  readonly machine: Machine;
  readonly runs: readonly Run[];
}
