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
} from '../../../src/index.ts';
import type { Findings } from '../report/experiment.ts';
import { type Inside, watch } from '../report/watch.ts';
import { integerFrom, listOf, oneOf } from './options.ts';
import { type ColumnNames, progressOf } from './progress.ts';
import { type ReportOptions, reportOption, showReport } from './report.ts';
import { type NetRun, writeResults } from './results.ts';

/** What `experimentOptions` adds to a command. */
export interface ExperimentOptions<Name extends string> extends ReportOptions {
  readonly nets: Name[];
  readonly epochs: number;
  readonly seed: number[];
  readonly limit?: number;
  readonly json?: string;
}

/** `epochs` is the default. */
export function experimentOptions(command: Command, netNames: readonly string[], epochs: number): Command {
  command
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
  return reportOption(command);
}

export interface Experiment<Name extends string> {
  readonly nets: Readonly<Record<Name, () => Sequential>>;
  readonly training: Dataset;
  /** Measured after each epoch, in evaluation mode. */
  readonly validation: Dataset;
  readonly batchSize: number;
  readonly optimizer: (parameters: readonly Tensor[]) => Optimizer<LearningRate>;
  /** What the columns of the validation are called in the output; as in the history, if left out. */
  readonly columnNames?: ColumnNames;
}

/** What comes of it. */
interface Outcome<Name extends string> {
  /** Each run is added to it as it ends. */
  readonly runs: NetRun<Name>[];
  /** What `--json` writes, after each run. */
  readonly results: object;
  /** Of the runs that there are, printed at the end, also at an early one. */
  readonly summary: () => string;
  /** The same for the report, which is written into this file. */
  readonly findings: (insides: ReadonlyMap<string, Inside>) => Findings;
  readonly reportFile: string;
}

/** Trains each network with each seed, one after the other. */
export async function trainNets<Name extends string>(
  experiment: Experiment<Name>,
  { nets, seed: seeds, epochs, json, out }: ExperimentOptions<Name>,
  signal: AbortSignal,
  { runs, results, summary, findings, reportFile }: Outcome<Name>,
): Promise<void> {
  const insides = new Map<string, Inside>();
  try {
    for (const seed of seeds) {
      for (const net of nets) {
        const label = `${net}${seeds.length > 1 ? ` (seed ${seed})` : ''}`;
        const progress = progressOf(label, experiment.columnNames);
        const watched = seed === seeds[0];
        try {
          const { run, inside } = await trainNet(experiment, net, seed, {
            epochs,
            progress,
            signal,
            watched,
          });
          runs.push(run);
          if (inside !== null) insides.set(net, inside);
        } finally {
          progress.stop();
        }
        if (json !== undefined) await writeResults(json, results);
      }
    }
  } finally {
    if (runs.length > 0) {
      console.log(`\n${summary()}`);
      if (json !== undefined) console.log(`\nWritten: ${json}`);
      await showReport(out, reportFile, findings(insides));
    }
  }
}

/** The same seed gives every network the same order of the images. */
async function trainNet<Name extends string>(
  { nets, training, validation, batchSize, optimizer }: Experiment<Name>,
  net: Name,
  seed: number,
  { epochs, progress, signal, watched }: Training,
): Promise<{ readonly run: NetRun<Name>; readonly inside: Inside | null }> {
  manualSeed(seed);
  const model = nets[net]();
  const train = new DataLoader(training, {
    batchSize,
    shuffle: true,
    dropLast: training.labels.length % batchSize === 1, // BatchNorm needs two images
  });
  const watching = watched ? await watch(model, validation, epochs * train.length) : null;
  const history = await fit(model, {
    train,
    validation,
    loss: crossEntropy,
    optimizer: optimizer(model.parameters()),
    epochs,
    onBatch: async (at) => {
      progress.batch(at);
      await watching?.batch();
    },
    onEpoch: (at) => progress.epoch(at),
    signal,
  });
  return { run: { net, seed, history }, inside: watching === null ? null : await watching.end() };
}

interface Training {
  readonly epochs: number;
  readonly progress: ReturnType<typeof progressOf>;
  readonly signal: AbortSignal;
  /** Whether the report says what it is like inside. */
  readonly watched: boolean;
}
