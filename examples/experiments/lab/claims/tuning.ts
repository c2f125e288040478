import {
  Adam,
  type LearningRate,
  manualSeed,
  type Optimizer,
  SGD,
  type Tensor,
  uniform,
} from '../../../../src/index.ts';
import { quantile } from '../../cli/quantile.ts';
import type { Claim } from '../claim.ts';
import { type Activation, activations, network, type Norm } from '../nets.ts';
import { combinations, differences, labels, meanLine, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, trainToEnd } from '../train.ts';

/** `reached`: the accuracy of settings that work. */
type Setting = { norm: Norm; trials: number; examples: number; reached: number; seed: number };
/** The test accuracy of each trial. */
type Outcome = { accuracies: number[] };

const batchSizes = [16, 32, 64, 128, 256];
const optimizers = {
  SGD: (parameters, lr) => new SGD(parameters, { lr }),
  momentum: (parameters, lr) => new SGD(parameters, { lr, momentum: 0.9 }),
  Adam: (parameters, lr) => new Adam(parameters, { lr }),
} satisfies Record<string, (parameters: Tensor[], lr: number) => Optimizer<LearningRate>>;
const makers = Object.values(optimizers);

/** Random search: the share of random settings that work. */
export const tuning: Claim<Setting, Outcome> = {
  name: 'tuning',
  statement: 'It leaves fewer hyperparameters to tune.',
  method:
    'For each seed, settings are drawn at random (60; with --quick, 12): the learning rate over four decades from ' +
    '0.0001 to 1, the factor of the initial weights over two from 0.1 to 10, the batch size, the activation, and the ' +
    'optimizer (SGD, SGD with momentum, Adam). Both networks are trained in the same settings on the same number of ' +
    `images. The measures are the share of settings in which the test accuracy reaches 0.9 (with --quick, 0.8), and the spread of ` +
    'the accuracies: the distance from their 10th to their 90th percentile.',
  why: {
    text:
      'Its output does not change with the scale of the weights before it, and gradients adapt to that scale: a wrong ' +
      'factor of the initial weights, or a learning rate that lengthens them, does no lasting harm. A learning rate ' +
      'that is too small stays too small, since it cannot make steps longer than the time allows.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      trials: [effort === 'quick' ? 12 : 60],
      examples: [effort === 'quick' ? 3840 : 30_720],
      reached: [effort === 'quick' ? 0.8 : 0.9],
      seed: seedsOf(effort),
    }),
  run: async ({ norm, trials, examples, seed }, { training, test }) => {
    const accuracies: number[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const { lr, scale, batchSize, activation, optimizer: make } = drawn(seed, trial);
      manualSeed(seed);
      const model = network({ norm, scale, activation });
      const optimizer = make(model.parameters(), lr);
      trainToEnd(model, training, { steps: Math.ceil(examples / batchSize), batchSize, optimizer, seed });
      accuracies.push(await accuracyOn(model, test));
    }
    return { accuracies };
  },
  judge: (runs) => {
    const sorted = (norm: Norm) =>
      outcomesOf(runs, { norm }).map(({ accuracies }) => accuracies.toSorted((a, b) => a - b));
    const [{ setting }] = runs;
    const share = (norm: Norm, reached = setting.reached) =>
      sorted(norm).map((all) => all.filter((accuracy) => accuracy >= reached).length / all.length);
    const spread = (norm: Norm) => sorted(norm).map((all) => quantile(all, 0.9) - quantile(all, 0.1));
    const tests = [
      decide({
        statement: `More of the random settings reach a test accuracy of ${setting.reached}`,
        quantity: 'share of settings with it − without',
        expected: 'above',
        threshold: 0,
        values: differences(share('before'), share('none')),
      }),
      decide({
        statement: 'The accuracy depends less on the setting',
        quantity: '90th − 10th percentile, with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(spread('before'), spread('none')),
      }),
    ];
    const levels = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96];
    const line = (norm: Norm) =>
      meanLine(
        labels[norm],
        levels,
        levels.map((level) => share(norm, level)),
      );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Share of random settings that reach an accuracy',
          caption: `Test accuracy of ${setting.trials} random settings per seed, after ${setting.examples.toLocaleString('en')} images.`,
          chart: {
            kind: 'lines',
            x: { name: 'test accuracy' },
            y: { name: 'share of settings', min: 0, max: 1 },
            series: [line('none'), line('before')],
          },
        },
      ],
    };
  },
};

/** The hyperparameters of a trial: the same for both networks. */
function drawn(
  seed: number,
  trial: number,
): {
  lr: number;
  scale: number;
  batchSize: number;
  activation: Activation;
  optimizer: (parameters: Tensor[], lr: number) => Optimizer<LearningRate>;
} {
  const [a, b, c, d, e] = uniforms(seed * 1000 + trial, 5);
  const pick = <T>(list: readonly T[], share: number): T => list[Math.floor(share * list.length)];
  return {
    lr: 10 ** (-4 + 4 * a),
    scale: 10 ** (-1 + 2 * b),
    batchSize: pick(batchSizes, c),
    activation: pick(activations, d),
    optimizer: pick(makers, e),
  };
}

/** Numbers in [0, 1) that depend on the seed only. */
function uniforms(seed: number, count: number): number[] {
  manualSeed(seed);
  return [...uniform([count]).dataSync()];
}
