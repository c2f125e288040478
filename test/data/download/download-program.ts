/** A run of its own, for the tests of several: loads the small set from the mirror that is named, into the cache. */
import { loadMnistFrom } from '../../../src/data/files/mnist.ts';
import { smallFiles } from '../files/small-files.ts';

const [, , url] = process.argv;
const { train } = await loadMnistFrom({ files: smallFiles, mirrors: [url] }, { download: true });
console.log(train.labels.join(','));
