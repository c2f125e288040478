import { evaluate, manualSeed, take } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { type Net, network } from '../nets.ts';
import {
  combinations,
  differences,
  type Label,
  labels,
  meanBars,
  outcomesOf,
  seedsOf,
  valuesOf,
} from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { BATCH_SIZE, trainToEnd } from '../train.ts';

const variantNames = ['plain', 'bn', 'dropout'] as const;
type Variant = (typeof variantNames)[number];

const variants: Readonly<Record<Variant, { readonly label: Label; readonly net: Net }>> = {
  plain: { label: labels.none, net: { norm: 'none' } },
  bn: { label: labels.before, net: { norm: 'before' } },
  dropout: { label: { name: 'with dropout', colour: 'other' }, net: { norm: 'none', dropout: 0.3 } },
};

type Setting = { variant: Variant; images: number; epochs: number; seed: number };
type Outcome = { trainingLoss: number; testLoss: number; testAccuracy: number };

/** Small training sets, which the networks memorize. */
export const regularization: Claim<Setting, Outcome> = {
  name: 'regularization',
  statement: 'It acts as a regularizer.',
  method:
    'Each network is trained on few images until it has memorized them (30 epochs). The measures are its ' +
    'gap, which is the loss on the test images minus the loss on the training images, and its test ' +
    'accuracy. They are compared with those of a network without batch normalization, and of one with ' +
    'dropout of 30 % after each hidden layer.',
  why: {
    text:
      'In training, the output for an example depends on the other examples of its batch, which acts as ' +
      'noise and makes memorizing harder. The noise is weak in batches of 32, so the gap shrinks but the ' +
      'test accuracy hardly gains.',
    section: 'Running statistics and inference',
  },
  settings: (effort) =>
    combinations<Setting>({
      variant: variantNames,
      images: effort === 'quick' ? [500] : [300, 1000, 3000],
      epochs: [30],
      seed: seedsOf(effort),
    }),
  run: async ({ variant, images, epochs, seed }, data) => {
    manualSeed(seed);
    const model = network(variants[variant].net);
    const few = take(data.training, images);
    const steps = epochs * Math.floor(images / BATCH_SIZE);
    trainToEnd(model, few, { steps, seed });
    const { loss: trainingLoss } = await evaluate(model, few);
    const { loss: testLoss, accuracy: testAccuracy } = await evaluate(model, data.test);
    return { trainingLoss, testLoss, testAccuracy };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'images');
    const gaps = (variant: Variant, images: number) => outcomesOf(runs, { variant, images }).map(gap);
    const accuracies = (variant: Variant, images: number) =>
      outcomesOf(runs, { variant, images }).map(({ testAccuracy }) => testAccuracy);
    const tests = sizes.flatMap((images) => [
      decide({
        statement: `${images} images: the gap is smaller than without it`,
        quantity: 'gap with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(gaps('bn', images), gaps('plain', images)),
      }),
      decide({
        statement: `${images} images: test accuracy is higher than without it`,
        quantity: 'test accuracy with it − without',
        expected: 'above',
        threshold: 0,
        values: differences(accuracies('bn', images), accuracies('plain', images)),
      }),
      decide({
        statement: `${images} images: test accuracy is at most half a point below that of dropout`,
        quantity: 'test accuracy with it − with dropout',
        expected: 'above',
        threshold: -0.005,
        values: differences(accuracies('bn', images), accuracies('dropout', images)),
      }),
    ]);
    const bars = (values: (variant: Variant, images: number) => number[]) =>
      variantNames.map((variant) =>
        meanBars(
          variants[variant].label,
          sizes.map((images) => values(variant, images)),
        ),
      );
    const categories = sizes.map((images) => `${images} images`);
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Gap',
          caption: 'Loss on the test images minus loss on the training images; lower is better.',
          chart: { kind: 'bars', categories, y: { name: 'gap', min: 0 }, series: bars(gaps) },
        },
        {
          title: 'Test accuracy',
          caption: 'Accuracy on the test images; higher is better.',
          chart: { kind: 'bars', categories, y: { name: 'test accuracy' }, series: bars(accuracies) },
        },
      ],
    };
  },
};

function gap({ trainingLoss, testLoss }: Outcome): number {
  return testLoss - trainingLoss;
}
