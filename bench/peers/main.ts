/** `npx tsx bench/peers/main.ts`: compares gammabeta with its peers. See README.md. */
import { Command, Option } from 'commander';
import { integerFrom, runCommand } from '../command-line.ts';
import { comparePeers } from './compare.ts';
import { type ContenderName, contenderNames } from './contenders.ts';

interface Options {
  readonly quick: boolean;
  readonly rounds?: number;
  readonly only?: ContenderName[];
  readonly filter: string;
  readonly json?: string;
  readonly device?: string;
  readonly threads?: number;
  readonly chromium: boolean;
  readonly experiment: boolean;
  readonly data?: string;
  readonly epochs: number;
  readonly limit?: number;
}

const { experiment, data, epochs, limit, ...options } = new Command('peers')
  .description('Compares gammabeta with other libraries on the CPU, in turns.')
  .option('--quick', 'a rough look instead of a measurement', false)
  .option('--rounds <n>', 'how often each library is timed (default: 15; 3 with --quick)', integerFrom(1))
  .addOption(new Option('--only <names...>', 'compare only these').choices(contenderNames))
  .option('--filter <text>', "only workloads whose name contains this, such as 'step bn'", '')
  .option('--json <file>', 'write all measured values to a file')
  .option('--device <name>', "gammabeta's device (default: the one that every program starts with)")
  .option(
    '--threads <n>',
    "threads of gammabeta and of PyTorch's products; with --chromium, of each library (default: 1)",
    integerFrom(1),
  )
  .option('--chromium', 'instead of Node and Python, in a page of Chromium, where all have threads', false)
  .option('--experiment', 'also run npm run mnist, in gammabeta and in PyTorch; takes minutes', false)
  .option(
    '--data <dir>',
    'with --experiment: the folder of the four MNIST files (default: the variable MNIST_DIR)',
  )
  .option('--epochs <n>', 'with --experiment: the number of epochs', integerFrom(1), 10)
  .option('--limit <n>', 'with --experiment: train only on the first n images', integerFrom(2))
  .parse()
  .opts<Options>();

await runCommand(async (signal) => {
  const { timings, experiment: runs } = await comparePeers({
    ...options,
    ...(experiment && { experiment: { epochs, ...(data && { data }), ...(limit && { limit }) } }),
    signal,
  });
  // The report names a missing peer, but without gammabeta the comparison has failed.
  const wanted = options.only === undefined || options.only.includes('gammabeta');
  if (wanted && ![...timings, ...runs].some(({ contender }) => contender === 'gammabeta'))
    process.exitCode = 1;
});
