/**
 * The experiment: the same network with and without batch normalization, on MNIST.
 *
 *     npm run mnist -- --data DIR
 *
 * Pixels / 255; the first 5,000 training images for validation, the others for training; batches of 32,
 * shuffled each epoch; SGD with learning rate 0.001; cross-entropy. The networks are in `mnist/nets.ts`.
 */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import {
  crossEntropy,
  DataError,
  DataLoader,
  type Dataset,
  deviceInfo,
  fit,
  manualSeed,
  SGD,
  split,
  take,
} from '../src/index.ts';
import { loadMnist } from '../src/node.ts';
import { integerFrom, listOf, oneOf } from './cli/options.ts';
import { progressOf } from './cli/progress.ts';
import { runCommand } from './cli/run.ts';
import { type NetName, netNames, nets } from './mnist/nets.ts';
import { describeMachine, type Results, type Run, writeResults } from './mnist/results.ts';
import { historyTable, meaning } from './mnist/summary.ts';

const VALIDATION_IMAGES = 5000;
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.001;

interface Options {
  readonly data?: string;
  readonly nets: NetName[];
  readonly epochs: number;
  readonly seed: number[];
  readonly limit?: number;
  readonly json?: string;
}

const options = new Command('npm run mnist --')
  .description('Trains the same network with and without batch normalization on MNIST.')
  .option('--data <dir>', 'the folder with the four MNIST files (default: the variable MNIST_DIR)')
  .option('--nets <names>', `which networks, of ${netNames.join(', ')}`, listOf(oneOf(netNames)), [
    'plain',
    'bn',
  ])
  .option('--epochs <n>', 'how often to go through the training images', integerFrom(1), 10)
  .option(
    '--seed <n>',
    'for weights and order; several, as in 1,2,3, train each network as often',
    listOf(integerFrom(0)),
    [1],
  )
  .option('--limit <n>', 'train on the first n images only', integerFrom(2))
  .option('--json <file>', 'write all measured values to a file')
  .parse()
  .opts<Options>();

await runCommand(async (signal) => {
  await expectWritable(options.json);
  const { train: images } = await loadMnist(options.data === undefined ? {} : { dir: options.data });
  const [validation, rest] = split(images, VALIDATION_IMAGES);
  const training = options.limit === undefined ? rest : take(rest, options.limit);
  const machine = describeMachine(deviceInfo());
  console.log(
    `MNIST: ${training.labels.length} images to train on, ${VALIDATION_IMAGES} to validate. ` +
      `Device: ${machine.device}, ${machine.cpu}, Node ${machine.node}.`,
  );

  const runs: Run[] = [];
  const results: Results = {
    experiment: 'mnist-batchnorm',
    data: 'MNIST',
    trainingImages: training.labels.length,
    epochs: options.epochs,
    machine,
    runs,
  };
  try {
    for (const seed of options.seed) {
      for (const net of options.nets) {
        runs.push(await trainNet(net, seed, training, validation, signal));
        if (options.json !== undefined) await writeResults(options.json, results);
      }
    }
  } finally {
    if (runs.length > 0)
      console.log(`\n${historyTable(runs, options.limit === undefined)}\n\n${meaning(runs)}`);
  }
  if (options.json !== undefined) console.log(`\nWritten: ${options.json}`);
});

/** The same seed gives every network the same order of the images. */
async function trainNet(
  net: NetName,
  seed: number,
  training: Dataset,
  validation: Dataset,
  signal: AbortSignal,
): Promise<Run> {
  manualSeed(seed);
  const model = nets[net]();
  const several = options.seed.length > 1 ? ` (seed ${seed})` : '';
  const progress = progressOf(`${net}${several}`);
  try {
    const history = await fit(model, {
      train: new DataLoader(training, {
        batchSize: BATCH_SIZE,
        shuffle: true,
        dropLast: training.labels.length % BATCH_SIZE === 1, // BatchNorm needs two images
      }),
      validation,
      loss: crossEntropy,
      optimizer: new SGD(model.parameters(), { lr: LEARNING_RATE }),
      epochs: options.epochs,
      onBatch: (at) => progress.batch(at),
      onEpoch: (at) => progress.epoch(at),
      signal,
    });
    return { net, seed, history };
  } finally {
    progress.stop();
  }
}

/** Found out before the training, not after it. */
async function expectWritable(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await access(dirname(file), constants.W_OK);
  } catch {
    throw new DataError(
      'mnist',
      `cannot write into the folder of ${file}`,
      'make the folder first, or name another file',
    );
  }
}
