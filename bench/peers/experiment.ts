/**
 * The experiment of `npm run mnist` in gammabeta and in PyTorch, with the same images, initial weights and constants.
 * The libraries train one epoch each in turns. Each library shuffles the images with its own random numbers.
 */
import { type Dataset, split, take } from '../../src/index.ts';
import { loadMnist } from '../../src/node.ts';
import type { NetName } from '../../src/networks.ts';
import type { ContenderName } from './contenders.ts';
import type { NamedTensor } from './contenders/tensor-file.js';
import { networkOf } from './network.ts';
import { messageOf } from './measure.ts';
import type { Contender } from './processes.ts';
import { type Run, withSession } from './session.ts';
import { pairedRatios, type Summary, summarize } from '../statistics.ts';
import type { Prepared } from './workloads.ts';

// The constants of `npm run mnist`.
const VALIDATION_IMAGES = 5000;
const BATCH_SIZE = 32;
const LEARNING_RATE = 0.001;
const SEED = 1;

export const experimentNets: readonly NetName[] = ['plain', 'bn'];

/** The others are not timed in the experiment; README.md says why. */
const taking: readonly ContenderName[] = ['gammabeta', 'pytorch'];

export interface ExperimentOptions {
  /** The folder of the four MNIST files. */
  readonly data?: string;
  readonly epochs: number;
  /** Train only on the first n images, for a quick try. */
  readonly limit?: number;
}

/** One value per epoch in each column: `loss`, `accuracy`, `valLoss`, `valAccuracy`, `seconds`. */
export type Columns = Readonly<Record<string, readonly number[]>>;

export interface ExperimentRun {
  readonly net: NetName;
  readonly contender: ContenderName;
  readonly history: Columns;
  readonly totalSeconds: number;
  /** The seconds of an epoch. */
  readonly perEpoch: Summary;
  /** The seconds of an epoch divided by those of gammabeta's same epoch. */
  readonly ratio: Summary | null;
}

export interface Images {
  readonly training: Dataset;
  readonly validation: Dataset;
}

/** @throws {DataError} MNIST cannot be loaded. */
export async function loadImages({ data, limit }: ExperimentOptions): Promise<Images> {
  const { train: images } = await loadMnist(data === undefined ? {} : { dir: data });
  const [validation, rest] = split(images, VALIDATION_IMAGES);
  return { training: limit === undefined ? rest : take(rest, limit), validation };
}

export async function runExperiment(
  net: NetName,
  contenders: readonly Contender[],
  images: Images,
  epochs: number,
  run: Run,
): Promise<ExperimentRun[]> {
  const prepared = await prepare(net, images);
  const entered = contenders.filter(({ name }) => taking.includes(name));
  const histories = new Map<ContenderName, Record<string, number[]>>();
  await withSession(entered, prepared, run, async (session) => {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      for (const [name, process] of session) {
        try {
          const results = await process.epoch();
          const history = histories.get(name) ?? {};
          histories.set(name, history);
          for (const [column, value] of Object.entries(results)) (history[column] ??= []).push(value);
          console.log(epochLine(`${net}, epoch ${epoch} of ${epochs}, ${name}`, results));
        } catch (error) {
          session.delete(name);
          histories.delete(name);
          run.onProblem(messageOf(error));
        }
      }
    }
  });
  const ours = histories.get('gammabeta')?.seconds;
  return [...histories].map(([contender, history]) => ({
    net,
    contender,
    history,
    totalSeconds: history.seconds.reduce((sum, seconds) => sum + seconds, 0),
    perEpoch: summarize(history.seconds),
    ratio: ours === undefined ? null : summarize(pairedRatios(history.seconds, ours)),
  }));
}

async function prepare(net: NetName, images: Images): Promise<Prepared> {
  const { layers, state } = await networkOf(net, SEED);
  const inputs: Record<string, NamedTensor> = {};
  for (const [name, value] of Object.entries(state)) inputs[`state:${name}`] = value;
  for (const part of ['training', 'validation'] as const) {
    const { x, labels } = images[part];
    inputs[`x:${part}`] = { shape: [labels.length, 784], data: Uint8Array.from(x) };
    inputs[`labels:${part}`] = { shape: [labels.length], data: Uint8Array.from(labels) };
  }
  const request = { kind: 'experiment', layers, lr: LEARNING_RATE, batchSize: BATCH_SIZE, seed: SEED };
  return { request, inputs };
}

function epochLine(
  what: string,
  { seconds, accuracy, valAccuracy, valLoss }: Record<string, number>,
): string {
  const validated = `validation accuracy ${valAccuracy.toFixed(4)}, loss ${valLoss.toFixed(4)}`;
  return `${what}: ${seconds.toFixed(2)} s, accuracy ${accuracy.toFixed(4)}, ${validated}`;
}
