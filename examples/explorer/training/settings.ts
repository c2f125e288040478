/** The settings of the two networks that are trained side by side, and their part of the link. */
import { activations, type Kind, kinds, type Net, type Norm, norms } from '../../experiments/lab/nets.ts';
import { show } from '../page/format.ts';

export type Activation = (typeof activations)[number];

export interface TrainingSettings {
  /** The seed of the initial weights and of the order of the examples. */
  readonly seed: number;
  readonly lr: number;
  readonly batchSize: number;
  /** A factor for the initial weights. */
  readonly scale: number;
  readonly activation: Activation;
  /** The normalization of the second network: what its statistics are taken over, and its place. */
  readonly norm: Kind;
  readonly place: Norm;
  /** The number of hidden layers. */
  readonly layers: number;
}

export const defaultTraining: TrainingSettings = {
  seed: 1,
  lr: 0.03,
  batchSize: 32,
  scale: 1,
  activation: 'relu',
  norm: 'batch',
  place: 'before',
  layers: 3,
};

export type NumberName = 'seed' | 'lr' | 'batchSize' | 'scale' | 'layers';

/** The least and the greatest value of each number. */
export const bounds: Readonly<Record<NumberName, readonly [least: number, most: number]>> = {
  seed: [0, 2 ** 31],
  lr: [1e-9, 1e9],
  batchSize: [2, 256],
  scale: [0.001, 1000],
  layers: [1, 8],
};

export const activationNames: Readonly<Record<Activation, string>> = {
  relu: 'ReLU',
  leakyRelu: 'leaky ReLU',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
};

export const placeNames: Readonly<Record<Norm, string>> = {
  none: 'none',
  before: 'before activation',
  after: 'after activation',
};

/** The networks that are compared. */
export type Side = 'plain' | 'normalized';
export const sides: readonly Side[] = ['plain', 'normalized'];

export function netOf(side: Side, { norm, place, activation, layers, scale }: TrainingSettings): Net {
  return { norm: side === 'plain' ? 'none' : place, kind: norm, activation, depth: layers, scale };
}

/** Whether new settings need new networks; the learning rate and the batch size change in the running training. */
export function needsRestart(before: TrainingSettings, after: TrainingSettings): boolean {
  return (['seed', 'scale', 'activation', 'norm', 'place', 'layers'] as const).some(
    (key) => before[key] !== after[key],
  );
}

type Read = <T>(key: string, fallback: T, parse: (text: string) => T) => T;

export function within(name: NumberName, value: number): number {
  const [least, most] = bounds[name];
  if (value >= least && value <= most) return value;
  throw new RangeError(`${value} is outside ${show(least)} … ${show(most, 10)}.`);
}

function numberIn(name: NumberName, whole: boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (Number.isNaN(value)) throw new RangeError(`“${text.slice(0, 40)}” is not a number.`);
    if (whole && !Number.isInteger(value)) throw new RangeError(`${text} is not a whole number.`);
    return within(name, value);
  };
}

function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found === undefined)
      throw new RangeError(`“${text.slice(0, 40)}” is not one of ${names.join(', ')}.`);
    return found;
  };
}

/** The keys in the link. */
const keys = {
  seed: 'seed',
  lr: 'lr',
  batchSize: 'batch',
  scale: 'scale',
  activation: 'activation',
  norm: 'norm',
  place: 'place',
  layers: 'layers',
} as const;

export function readTraining(read: Read): TrainingSettings {
  const { seed, lr, batchSize, scale, activation, norm, place, layers } = defaultTraining;
  return {
    seed: read(keys.seed, seed, numberIn('seed', true)),
    lr: read(keys.lr, lr, numberIn('lr', false)),
    batchSize: read(keys.batchSize, batchSize, numberIn('batchSize', true)),
    scale: read(keys.scale, scale, numberIn('scale', false)),
    activation: read(keys.activation, activation, oneOf(activations)),
    norm: read(keys.norm, norm, oneOf(kinds)),
    place: read(keys.place, place, oneOf(norms)),
    layers: read(keys.layers, layers, numberIn('layers', true)),
  };
}

export function writeTraining(
  settings: TrainingSettings,
  add: (key: string, value: string, fallback: string) => void,
): void {
  for (const name of Object.keys(keys) as (keyof typeof keys)[]) {
    add(keys[name], String(settings[name]), String(defaultTraining[name]));
  }
}
