import {
  type Batch,
  BatchNorm1d,
  concat,
  crossEntropy,
  DataLoader,
  manualSeed,
  scope,
  type Sequential,
  SGD,
  tensor,
  type Tensor,
} from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { changeLine, changes, combinations, differences, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, LEARNING_RATE } from '../train.ts';

type Variant = 'one worker' | 'own statistics' | 'shared statistics';
type Setting = { norm: Norm; variant: Variant; steps: number; seed: number };
/** The loss of each batch before its step, and the test accuracy at the end. */
type Outcome = { losses: number[]; accuracy: number };

const [BATCH, WORKERS] = [64, 4];
/** A difference up to this size is rounding, which grows from step to step. */
const ROUNDING = 0.01;
/** Losses are compared over these steps only. */
const FIRST = 10;

/** A batch on one worker, and split over four. */
export const workers: Claim<Setting, Outcome> = {
  name: 'workers',
  statement: 'Data parallelism changes its results, unless the workers share the statistics.',
  method:
    `Batches of ${BATCH} are computed on one worker; on ${WORKERS}, each of which normalizes its quarter with statistics of ` +
    'its own; and on as many that share them: before each normalization the quarters are joined, so the statistics and ' +
    'their gradients are those of the whole batch. Gradients are averaged before each step, and all workers update the ' +
    `same running statistics. The losses of the first ${FIRST} steps are compared. Differences below ${ROUNDING} count as rounding ` +
    'errors.',
  why: {
    text:
      'The mean of the gradients of four quarters is the gradient of the batch, as long as no example depends on another; ' +
      'the mean and variance of a batch make all of its examples depend on each other. With shared statistics each quarter ' +
      'is normalized as in the whole batch, and gradients flow through the same sums.',
    section: 'Reading it',
  },
  settings: (effort) => [
    ...combinations<Setting>({
      norm: ['none', 'before'],
      variant: ['one worker', 'own statistics'],
      steps: [effort === 'quick' ? 80 : 1000],
      seed: seedsOf(effort),
    }),
    ...combinations<Setting>({
      norm: ['before'],
      variant: ['shared statistics'],
      steps: [effort === 'quick' ? 80 : 1000],
      seed: seedsOf(effort),
    }),
  ],
  run: async ({ norm, variant, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE });
    const loader = new DataLoader(training, { batchSize: BATCH, shuffle: true, seed, dropLast: true });
    const losses: number[] = [];
    while (losses.length < steps) {
      for (const batch of loader) {
        if (losses.length === steps) break;
        optimizer.zeroGrad();
        losses.push(lossOf(model, batch, variant));
        optimizer.step();
      }
    }
    return { losses, accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const of = (norm: Norm, variant: Variant) => outcomesOf(runs, { norm, variant });
    const changed = (norm: Norm, variant: Variant) =>
      of(norm, variant).map(({ losses }, seed) => changes(of(norm, 'one worker')[seed].losses, losses));
    const largest = (norm: Norm, variant: Variant) =>
      changed(norm, variant).map((all) => Math.max(...all.slice(0, FIRST)));
    const accuracies = (variant: Variant) => of('before', variant).map(({ accuracy }) => accuracy);
    const quantity = `largest change of the loss / loss in ${FIRST} steps`;
    const tests = [
      decide({
        statement: `On ${WORKERS} workers with statistics of their own, the losses change`,
        quantity,
        expected: 'above',
        threshold: ROUNDING,
        values: largest('before', 'own statistics'),
      }),
      decide({
        statement: `On ${WORKERS} workers with shared statistics, they stay the same`,
        quantity,
        expected: 'below',
        threshold: ROUNDING,
        values: largest('before', 'shared statistics'),
      }),
      decide({
        statement: 'Without batch normalization they stay the same, too',
        quantity,
        expected: 'below',
        threshold: ROUNDING,
        values: largest('none', 'own statistics'),
      }),
      decide({
        statement: 'Statistics of their own cost accuracy',
        quantity: 'test accuracy, own statistics − one worker',
        expected: 'below',
        threshold: 0,
        values: differences(accuracies('own statistics'), accuracies('one worker')),
      }),
    ];
    const shown = Math.min(40, runs[0].setting.steps);
    const line = (name: string, colour: 'bn' | 'other' | 'plain', norm: Norm, variant: Variant) =>
      changeLine(
        { name, colour },
        changed(norm, variant).map((all) => all.slice(0, shown)),
      );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: `Difference of the losses on ${WORKERS} workers`,
          caption:
            'Relative to the same training on one worker; mean over the seeds. Rounding grows from step to step.',
          chart: {
            kind: 'lines',
            x: { name: 'step' },
            y: { name: 'difference of the loss / loss', scale: 'log' },
            series: [
              line('with it, own statistics', 'bn', 'before', 'own statistics'),
              line('with it, shared statistics', 'other', 'before', 'shared statistics'),
              line('without', 'plain', 'none', 'own statistics'),
            ],
          },
        },
      ],
    };
  },
};

/** Adds the gradients of the batch's mean loss to the parameters, and returns the loss. */
function lossOf(model: Sequential, { x, shape, labels }: Batch, variant: Variant): number {
  return scope(() => {
    model.train();
    const input = tensor(x, { shape });
    const parts = variant === 'one worker' ? [input] : quarters(input);
    const outputs =
      variant === 'shared statistics'
        ? forwardTogether(model, parts)
        : parts.map((part) => model.forward(part));
    const size = labels.length / outputs.length;
    const losses = outputs.map((output, k) =>
      crossEntropy(output, labels.slice(k * size, (k + 1) * size)).div(outputs.length),
    );
    const loss = losses.reduce((sum, each) => sum.add(each));
    loss.backward();
    return loss.item();
  });
}

function quarters(x: Tensor): Tensor[] {
  const size = x.shape[0] / WORKERS;
  return Array.from({ length: WORKERS }, (_, k) => x.slice(k * size, (k + 1) * size));
}

/** Layer by layer: batch normalization of all parts at once, everything else of each part alone. */
function forwardTogether(model: Sequential, parts: readonly Tensor[]): Tensor[] {
  return model.layers.reduce<Tensor[]>(
    (inputs, layer) =>
      layer instanceof BatchNorm1d
        ? quarters(layer.forward(concat(inputs, 0)))
        : inputs.map((input) => layer.forward(input)),
    [...parts],
  );
}
