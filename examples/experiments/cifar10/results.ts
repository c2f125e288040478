import type { Machine, NetRun } from '../cli/results.ts';
import type { NetName } from './nets.ts';

export type Run = NetRun<NetName>;

/** What `--json` writes, of ours and of PyTorch's. The histories' `val…` columns are those of the test images. */
export interface Results {
  readonly experiment: 'cifar10-batchnorm';
  readonly data: string;
  /** `folder`, `cache` or `download`. */
  readonly from: string;
  readonly trainingImages: number;
  readonly testImages: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly machine: Omit<Machine, 'node'> & Partial<Machine>;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly Run[];
}
