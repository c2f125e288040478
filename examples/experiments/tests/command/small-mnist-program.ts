/** A command that gets the small set from the mirror that is named, as the examples get MNIST. */
import { resolveData, type Wanted } from '../../cli/data.ts';
import { runCommand } from '../../cli/run.ts';
import { loadMnistFrom } from '../../../../src/data/files/mnist.ts';
import { smallFiles } from '../../../../test/data/files/small-files.ts';

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
