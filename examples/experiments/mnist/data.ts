import { digits } from '../../../src/index.ts';
import { loadMnist } from '../../../src/node.ts';
import type { Wanted } from '../cli/data.ts';

/** MNIST; if it is unavailable, as many built-in digits. */
export const mnist: Wanted = {
  name: 'MNIST',
  variable: 'MNIST_DIR',
  load: loadMnist,
  standIn: {
    name: 'the built-in digits',
    make: () => ({ train: digits({ count: 60_000, seed: 1 }), test: digits({ count: 10_000, seed: 2 }) }),
  },
};
