/** Trains two networks side by side, a step at a time. It runs in a worker of the page, and in Node for the tests. */
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  type Batch,
  Dense,
  evaluate,
  GroupNorm,
  type Layer,
  LayerNorm,
  manualSeed,
  NonFiniteLossError,
  onBackward,
  onForward,
  predict,
  type Sequential,
  SGD,
  tensor,
  type Tensor,
  trainStep,
} from '../../../src/index.ts';
import { network } from '../../experiments/lab/nets.ts';
import type { TrainingData } from './data.ts';
import { needsRestart, netOf, type Side, sides, type TrainingSettings } from './settings.ts';
import type { Answers, Inside, LayerInside, SideState } from './protocol.ts';

/** The number of steps between two measurements of the accuracy on the test images. */
export const MEASURE_EVERY = 20;
const PROBED = 128;

/** A network in training. */
interface Runner {
  readonly model: Sequential;
  readonly optimizer: SGD;
  batches: Iterator<Batch, undefined>;
  loader: DataLoader;
  step: number;
  loss: number | null;
  /** The failure that ended its training. */
  failure: string | null;
  /** Since the last report. */
  losses: number[];
  accuracies: { step: number; accuracy: number }[];
}

export class Trainer {
  #settings: TrainingSettings;
  readonly #data: TrainingData;
  readonly #probe: Batch;
  #runners: Readonly<Record<Side, Runner>>;

  constructor(settings: TrainingSettings, data: TrainingData) {
    this.#settings = settings;
    this.#data = data;
    const count = data.test.labels.length;
    const [first] = new DataLoader(data.test, { batchSize: Math.min(PROBED, count) });
    this.#probe = first;
    this.#runners = this.#begin();
  }

  /** The settings with which it trains. */
  get settings(): TrainingSettings {
    return this.#settings;
  }

  /** Whether both networks have failed. */
  get over(): boolean {
    return sides.every((side) => this.#runners[side].failure !== null);
  }

  /** Changes settings between two steps. Returns whether the networks are new. */
  configure(settings: TrainingSettings): boolean {
    const before = this.#settings;
    this.#settings = settings;
    if (needsRestart(before, settings)) {
      this.restart();
      return true;
    }
    for (const side of sides) {
      const runner = this.#runners[side];
      runner.optimizer.lr = settings.lr;
      if (settings.batchSize === before.batchSize) continue;
      runner.loader = this.#load(runner.loader.epoch);
      runner.batches = runner.loader[Symbol.iterator]();
    }
    return false;
  }

  restart(): void {
    this.#runners = this.#begin();
  }

  /** One step of both networks. */
  async step(): Promise<void> {
    for (const side of sides) await this.#stepOf(this.#runners[side]);
  }

  async #stepOf(runner: Runner): Promise<void> {
    if (runner.failure !== null) return;
    let next = runner.batches.next();
    if (next.done) {
      runner.batches = runner.loader[Symbol.iterator]();
      next = runner.batches.next();
    }
    if (next.done) return;
    try {
      const { loss } = await trainStep(runner.model, next.value, {
        optimizer: runner.optimizer,
        metrics: {},
      });
      runner.step++;
      runner.loss = loss;
      runner.losses.push(loss);
    } catch (error) {
      if (!(error instanceof NonFiniteLossError)) throw error;
      runner.failure = `Step ${runner.step + 1}: ${error.problem}.`;
      return;
    }
    if (runner.step % MEASURE_EVERY === 0) {
      const { accuracy } = await evaluate(runner.model, this.#data.test);
      runner.accuracies.push({ step: runner.step, accuracy });
    }
  }

  /** What both networks look like now, and the losses since the last report. */
  async report(): Promise<Readonly<Record<Side, SideState>>> {
    const of = async (side: Side): Promise<SideState> => {
      const runner = this.#runners[side];
      const { model, step, loss, failure, losses, accuracies } = runner;
      [runner.losses, runner.accuracies] = [[], []];
      const accuracy = step === 0 ? null : (await evaluate(model, this.#data.test)).accuracy;
      const inside = await insideOf(model, this.#probe);
      return { step, loss, accuracy, failure, losses, accuracies, inside };
    };
    return { plain: await of('plain'), normalized: await of('normalized') };
  }

  /** The probabilities of the ten digits for an image of 784 values from 0 to 1. */
  async answers(image: Float32Array): Promise<Answers> {
    if (sides.some((side) => this.#runners[side].step === 0)) return null;
    const of = async (side: Side): Promise<number[]> => {
      const { model } = this.#runners[side];
      const output = await predict(model, { x: image, shape: [784] });
      return Array.from(await output.softmax(1).data());
    };
    return { plain: await of('plain'), normalized: await of('normalized') };
  }

  /** An image of the test data, with its label. */
  example(k: number): { readonly image: Float32Array; readonly label: number } {
    const { x, labels, divisor = 1 } = this.#data.test;
    const i = k % labels.length;
    return {
      image: Float32Array.from(x.slice(784 * i, 784 * (i + 1)), (value) => value / divisor),
      label: labels[i],
    };
  }

  #begin(): Readonly<Record<Side, Runner>> {
    return { plain: this.#runnerOf('plain'), normalized: this.#runnerOf('normalized') };
  }

  /** The same seed for both: they begin with the same weights and see the same batches. */
  #runnerOf(side: Side): Runner {
    const { seed, lr } = this.#settings;
    manualSeed(seed);
    const model = network(netOf(side, this.#settings));
    const optimizer = new SGD(model.parameters(), { lr });
    const loader = this.#load(0);
    return {
      model,
      optimizer,
      loader,
      batches: loader[Symbol.iterator](),
      step: 0,
      loss: null,
      failure: null,
      losses: [],
      accuracies: [],
    };
  }

  #load(epoch: number): DataLoader {
    const { batchSize, seed } = this.#settings;
    const count = this.#data.train.labels.length;
    const loader = new DataLoader(this.#data.train, {
      batchSize: Math.min(batchSize, count),
      shuffle: true,
      seed,
      dropLast: true,
    });
    loader.epoch = epoch;
    return loader;
  }
}

/** The number of bars of a histogram. */
export const BARS = 24;

/**
 * What is inside a network: one pass forward and backward on a fixed batch, with hooks. The running statistics are put
 * back, and the next training step clears the gradients, so this changes nothing of the training.
 */
async function insideOf(model: Sequential, { x, shape, labels }: Batch): Promise<Inside> {
  const seen = new Map<Layer, { y?: Tensor; dy?: Tensor }>();
  const removers = hiddenOutputs(model).flatMap((layer) => {
    const entry: { y?: Tensor; dy?: Tensor } = {};
    seen.set(layer, entry);
    return [
      onForward(layer, (_, y) => {
        entry.y = y.detach();
      }),
      onBackward(layer, (dy) => {
        entry.dy = dy;
      }),
    ];
  });
  const statistics = model.bufferDict();
  const modes = model.modules().map((layer) => [layer, layer.training] as const);
  try {
    model.train();
    crossEntropy(model.forward(tensor(x, { shape })), labels).backward();
  } finally {
    for (const remove of removers) remove();
    model.loadStateDict(statistics, { strict: false });
    for (const [layer, training] of modes) layer.training = training;
  }
  const layers: LayerInside[] = [];
  for (const { y, dy } of seen.values()) {
    if (y === undefined) continue;
    layers.push({
      ...histogram(await y.data()),
      gradient: dy === undefined ? NaN : rootMeanSquare(await dy.data()),
    });
  }
  for (const parameter of model.parameters()) parameter.grad = null;
  const norms = model.layers.filter(
    (layer) => layer instanceof BatchNorm1d || layer instanceof LayerNorm || layer instanceof GroupNorm,
  );
  const of = async (values: Tensor | null): Promise<readonly number[]> =>
    values === null ? [] : quartiles(await values.data());
  return {
    layers,
    gamma: await Promise.all(norms.map(({ gamma }) => of(gamma))),
    beta: await Promise.all(norms.map(({ beta }) => of(beta))),
  };
}

/** The layer that ends each hidden block: the last one before the next dense layer. */
function hiddenOutputs(model: Sequential): Layer[] {
  return model.layers.filter((_, i) => model.layers[i + 1] instanceof Dense);
}

function histogram(values: ArrayLike<number>): Pick<LayerInside, 'low' | 'high' | 'counts' | 'zeros'> {
  let [low, high, zeros] = [Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (value === 0) zeros++;
  }
  if (!(high > low)) [low, high] = Number.isFinite(low) ? [low - 0.5, low + 0.5] : [-0.5, 0.5];
  const counts = new Array<number>(BARS).fill(0);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) {
      counts[Math.min(BARS - 1, Math.floor(((values[i] - low) / (high - low)) * BARS))]++;
    }
  }
  return { low, high, counts, zeros: zeros / values.length };
}

function rootMeanSquare(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / values.length);
}

/** The least value, the quartiles and the greatest value. */
function quartiles(values: Float32Array | Float64Array): number[] {
  const sorted = values.toSorted();
  return [0, 0.25, 0.5, 0.75, 1].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
}
