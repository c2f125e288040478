/** Loads the small files from a mirror into the cache, in a process of its own. Prints the labels or the error. */
import { loadMnistFrom } from '../../../src/data/files/mnist.ts';
import { smallFiles } from '../files/small-files.ts';

const [, , url] = process.argv;
try {
  const { train } = await loadMnistFrom({ files: smallFiles, mirrors: [url] }, { download: true });
  console.log(train.labels.join(','));
} catch (error) {
  console.log(String(error));
}
