/** The command that exports a network of the experiment on MNIST to PyTorch. */
import { Command } from 'commander';
import { DataLoader, manualSeed, SGD } from '../../../src/index.ts';
import { type NetName, netNames, nets } from '../../../src/networks.ts';
import { exportPyTorch } from '../../../src/node.ts';
import { integerFrom, oneOf } from '../cli/options.ts';
import { runCommand } from '../cli/run.ts';
import { BATCH_SIZE, LEARNING_RATE, VALIDATION_IMAGES } from '../mnist/settings.ts';

interface Options {
  readonly net: NetName;
  readonly to: string;
  readonly seed: number;
}

/** @param name The command as the user types it, for the help. */
export function exportCommand(name: string): Command {
  return new Command(name)
    .description('Exports a network of the experiment on MNIST to PyTorch, to train it in several processes.')
    .requiredOption('--to <dir>', 'the folder to make')
    .option('--net <name>', `the network, one of ${netNames.join(', ')}`, oneOf(netNames), 'bn')
    .option('--seed <n>', 'seed of weights and order, as in the experiment', integerFrom(0), 1)
    .action((options: Options) => runCommand(() => run(options), 'nothing was exported'));
}

/** The untrained network, which PyTorch trains as `mnist --nets <net> --seed <n>` does. */
async function run({ net, to, seed }: Options): Promise<void> {
  manualSeed(seed);
  const model = nets[net]();
  const none = { x: new Uint8Array(784), shape: [784], labels: new Uint8Array(1), divisor: 255 };
  const loader = new DataLoader(none, { batchSize: BATCH_SIZE, shuffle: true });
  const optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE });
  await exportPyTorch(model, { directory: to, optimizer, loader, validation: VALIDATION_IMAGES });
  console.log(
    `The network ${net} is in ${to}. Train it in that folder, with the folder of MNIST's files:\n\n` +
      '  python train.py --data DIR\n' +
      '  torchrun --nproc_per_node=2 train.py --data DIR --sync-bn\n\n' +
      'README.md there says what more than one process changes.',
  );
}
