/** A command that gets the small set from the mirror that is named, as the examples get MNIST. */
import { resolveData, type Wanted } from '../../examples/cli/data.ts';
import { runCommand } from '../../examples/cli/run.ts';
import { loadMnistFrom } from '../../src/data/mnist.ts';
import { smallFiles } from '../data/small-files.ts';

const [, , url] = process.argv;
const small: Wanted = {
  name: 'MNIST',
  variable: 'MNIST_DIR',
  load: (options) => loadMnistFrom({ files: smallFiles, mirrors: [url] }, options),
};

await runCommand(async (signal) => {
  const { sentence } = await resolveData(small, {}, signal);
  console.log(sentence);
});
