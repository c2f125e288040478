import { loadMnistFrom, type Mnist, type MnistOptions } from '../../../src/data/files/mnist.ts';
import { impatience, type Mirror } from '../download/server.ts';
import { smallFiles } from './small-files.ts';

/** `loadMnist`, as if these files were MNIST and these its mirrors. */
export function loadSmall(
  mirrors: readonly (Mirror | string)[],
  options: MnistOptions = { download: true },
): Promise<Mnist> {
  const urls = mirrors.map((mirror) => (typeof mirror === 'string' ? mirror : mirror.url));
  return loadMnistFrom({ files: smallFiles, mirrors: urls }, options, impatience);
}
