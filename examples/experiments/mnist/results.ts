/** The results of the experiment on MNIST, and those of Keras. */
import type { Machine, NetRun } from '../cli/results.ts';
import type { NetName } from '../../../src/networks.ts';

export type Run = NetRun<NetName>;

/** The content of the file of `--json`. */
export interface Results {
  readonly experiment: 'mnist-batchnorm';
  /** The training data: MNIST, or the name of its stand-in. */
  readonly data: string;
  /** Where the data came from; missing in older files. */
  readonly from?: 'folder' | 'cache' | 'download' | 'built in';
  readonly trainingImages: number;
  readonly epochs: number;
  readonly machine: Machine;
  readonly runs: readonly Run[];
}

/** An epoch of the published results of Keras. */
interface Published {
  readonly epoch: number;
  readonly valAccuracy: number;
  readonly valLoss?: number;
}

/** Results of Keras for the same networks, data and optimizer, after the first and the tenth epoch. */
export const published: Partial<Record<NetName, readonly Published[]>> = {
  plain: [
    { epoch: 1, valAccuracy: 0.789 },
    { epoch: 10, valAccuracy: 0.915, valLoss: 0.308 },
  ],
  bn: [
    { epoch: 1, valAccuracy: 0.873 },
    { epoch: 10, valAccuracy: 0.948, valLoss: 0.192 },
  ],
};
