/** The common part of the experiments: trains several networks on the same data, with several seeds. */
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

/** The options that `experimentOptions` adds to a command. */
export interface ExperimentOptions<Name extends string> extends ReportOptions {
  readonly nets: Name[];
  readonly epochs: number;
  readonly seed: number[];
  readonly limit?: number;
  readonly json?: string;
}

/** @param epochs The default number of epochs. */
export function experimentOptions(command: Command, netNames: readonly string[], epochs: number): Command {
  command
    .option('--nets <names>', `networks to train, of ${netNames.join(', ')}`, listOf(oneOf(netNames)), [
      'plain',
      'bn',
    ])
    .option('--epochs <n>', 'number of passes through the training images', integerFrom(1), epochs)
    .option(
      '--seed <n>',
      'seed of weights and order; with several, as in 1,2,3, each network is trained once per seed',
      listOf(integerFrom(0)),
      [1],
    )
    .option('--limit <n>', 'train on the first n images only', integerFrom(2))
    .option('--json <file>', 'write all measured values to this file');
  return reportOption(command);
}

export interface Experiment<Name extends string> {
  readonly nets: Readonly<Record<Name, () => Sequential>>;
  readonly training: Dataset;
  /** The data that is evaluated after each epoch. */
  readonly validation: Dataset;
  readonly batchSize: number;
  readonly optimizer: (parameters: readonly Tensor[]) => Optimizer<LearningRate>;
  /** Names of the history's columns in the output; by default those of the history. */
  readonly columnNames?: ColumnNames;
}

/** Where the results go. */
interface Outcome<Name extends string> {
  /** Each completed run is added to it. */
  readonly runs: NetRun<Name>[];
  /** The object that `--json` writes, after each run. */
  readonly results: object;
  /** The summary of the completed runs, printed at the end, also after Ctrl-C. */
  readonly summary: () => string;
  /** The content of the report on the completed runs. */
  readonly findings: (insides: ReadonlyMap<string, Inside>) => Findings;
  /** The name of the report's file. */
  readonly reportFile: string;
}

/** Trains each network with each seed, in sequence. */
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

/** Trains one network. With the same seed, every network sees the images in the same order. */
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
    dropLast: training.labels.length % batchSize === 1, // batch normalization needs two images
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
  /** Whether to measure activations, gradients, γ and β for the report. */
  readonly watched: boolean;
}
