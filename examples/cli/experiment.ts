/** What the experiments have in common: a few networks, trained in turn on the same data, for several seeds. */
import type { Command } from 'commander';
import {
  crossEntropy,
  DataLoader,
  type Dataset,
  fit,
  type LearningRate,
  manualSeed,
  type Optimizer,
  type Sequential,
  type Tensor,
} from '../../src/index.ts';
import { integerFrom, listOf, oneOf } from './options.ts';
import { progressOf } from './progress.ts';
import { type NetRun, writeResults } from './results.ts';

/** What `experimentOptions` adds to a command. */
export interface ExperimentOptions<Name extends string> {
  readonly nets: Name[];
  readonly epochs: number;
  readonly seed: number[];
  readonly limit?: number;
  readonly json?: string;
}

/** `epochs` is the default. */
export function experimentOptions(command: Command, netNames: readonly string[], epochs: number): Command {
  return command
    .option('--nets <names>', `which networks, of ${netNames.join(', ')}`, listOf(oneOf(netNames)), [
      'plain',
      'bn',
    ])
    .option('--epochs <n>', 'how often to go through the training images', integerFrom(1), epochs)
    .option(
      '--seed <n>',
      'for weights and order; several, as in 1,2,3, train each network as often',
      listOf(integerFrom(0)),
      [1],
    )
    .option('--limit <n>', 'train on the first n images only', integerFrom(2))
    .option('--json <file>', 'write all measured values to a file');
}

export interface Experiment<Name extends string> {
  readonly nets: Readonly<Record<Name, () => Sequential>>;
  readonly training: Dataset;
  /** Measured after each epoch, in evaluation mode. */
  readonly validation: Dataset;
  readonly batchSize: number;
  readonly optimizer: (parameters: readonly Tensor[]) => Optimizer<LearningRate>;
}

/** What comes of it. */
interface Outcome<Name extends string> {
  /** Each run is added to it as it ends. */
  readonly runs: NetRun<Name>[];
  /** What `--json` writes, after each run. */
  readonly results: object;
  /** Of the runs that there are, printed at the end, also at an early one. */
  readonly summary: () => string;
}

/** Trains each network with each seed, one after the other. */
export async function trainNets<Name extends string>(
  experiment: Experiment<Name>,
  { nets, seed: seeds, epochs, json }: ExperimentOptions<Name>,
  signal: AbortSignal,
  { runs, results, summary }: Outcome<Name>,
): Promise<void> {
  try {
    for (const seed of seeds) {
      for (const net of nets) {
        const progress = progressOf(`${net}${seeds.length > 1 ? ` (seed ${seed})` : ''}`);
        try {
          runs.push(await trainNet(experiment, net, seed, { epochs, progress, signal }));
        } finally {
          progress.stop();
        }
        if (json !== undefined) await writeResults(json, results);
      }
    }
  } finally {
    if (runs.length > 0) console.log(`\n${summary()}`);
  }
  if (json !== undefined) console.log(`\nWritten: ${json}`);
}

/** The same seed gives every network the same order of the images. */
async function trainNet<Name extends string>(
  { nets, training, validation, batchSize, optimizer }: Experiment<Name>,
  net: Name,
  seed: number,
  { epochs, progress, signal }: Training,
): Promise<NetRun<Name>> {
  manualSeed(seed);
  const model = nets[net]();
  const history = await fit(model, {
    train: new DataLoader(training, {
      batchSize,
      shuffle: true,
      dropLast: training.labels.length % batchSize === 1, // BatchNorm needs two images
    }),
    validation,
    loss: crossEntropy,
    optimizer: optimizer(model.parameters()),
    epochs,
    onBatch: (at) => progress.batch(at),
    onEpoch: (at) => progress.epoch(at),
    signal,
  });
  return { net, seed, history };
}

interface Training {
  readonly epochs: number;
  readonly progress: ReturnType<typeof progressOf>;
  readonly signal: AbortSignal;
}
