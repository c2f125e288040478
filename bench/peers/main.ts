/** `npx tsx bench/peers/main.ts`: gammabeta beside its peers. See README.md. */
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
  readonly experiment: boolean;
  readonly data?: string;
  readonly epochs: number;
  readonly limit?: number;
}

const { experiment, data, epochs, limit, ...options } = new Command('peers')
  .description('Compares gammabeta with its peers, on the CPU and one thread, in turns.')
  .option('--quick', 'a look, not a measurement', false)
  .option('--rounds <n>', 'how often each is timed (default: 15; 3 with --quick)', integerFrom(1))
  .addOption(new Option('--only <names...>', 'compare only these').choices(contenderNames))
  .option('--filter <text>', "only workloads that have this in their name, such as 'step bn'", '')
  .option('--json <file>', 'write all measured values to a file')
  .option('--device <name>', "gammabeta's (default: the one that a program begins with)")
  .option(
    '--experiment',
    'train the networks of npm run mnist too, here and in PyTorch: takes minutes',
    false,
  )
  .option('--data <dir>', 'for it: the folder with the four MNIST files (default: the variable MNIST_DIR)')
  .option('--epochs <n>', 'for it: how often to go through the training images', integerFrom(1), 10)
  .option('--limit <n>', 'for it: train on the first n images only', integerFrom(2))
  .parse()
  .opts<Options>();

await runCommand(async (signal) => {
  const { timings, experiment: runs } = await comparePeers({
    ...options,
    ...(experiment && { experiment: { epochs, ...(data && { data }), ...(limit && { limit }) } }),
    signal,
  });
  // A peer that is missing or wrong is a line of the report; without gammabeta there is nothing to report.
  const wanted = options.only === undefined || options.only.includes('gammabeta');
  if (wanted && ![...timings, ...runs].some(({ contender }) => contender === 'gammabeta'))
    process.exitCode = 1;
});
