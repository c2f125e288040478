import type { Machine, NetRun } from '../cli/results.ts';
import type { NetName } from './experiment.ts';

export type Run = NetRun<NetName>;

/** The content of the file of `--json`, of gammabeta and of PyTorch. The `val…` columns are of the test images. */
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
