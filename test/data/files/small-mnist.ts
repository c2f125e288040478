import type { TimeLimit } from '../../../src/data/download/download.ts';
import { loadMnistFrom, type Mnist, type MnistOptions } from '../../../src/data/files/mnist.ts';
import { type Mirror, shortLimit } from '../download/server.ts';
import { smallFiles } from './small-files.ts';

/** `loadMnist` with the small files in place of MNIST, and these mirrors. */
export function loadSmall(
  mirrors: readonly (Mirror | string)[],
  options: MnistOptions = { download: true },
  timeLimit: TimeLimit = shortLimit,
): Promise<Mnist> {
  const urls = mirrors.map((mirror) => (typeof mirror === 'string' ? mirror : mirror.url));
  return loadMnistFrom({ files: smallFiles, mirrors: urls }, options, timeLimit);
}
