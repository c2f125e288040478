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

/** Small training sets, learned by heart. */
export const regularization: Claim<Setting, Outcome> = {
  name: 'regularization',
  statement: 'It regularizes.',
  method:
    'Of few training images, each network learns until it knows them by heart (30 epochs). Compared are its gap, the loss ' +
    'on the test images minus that on the training images, and its test accuracy, with those of a network without ' +
    'anything and with dropout of 30 % after each hidden layer.',
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
        statement: `${images} images: test accuracy is at least that of dropout, but for half a point`,
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
          caption: 'Loss on the test images minus loss on the training images: less is better.',
          chart: { kind: 'bars', categories, y: { name: 'gap', min: 0 }, series: bars(gaps) },
        },
        {
          title: 'Test accuracy',
          caption: 'Accuracy on the test images: more is better.',
          chart: { kind: 'bars', categories, y: { name: 'test accuracy' }, series: bars(accuracies) },
        },
      ],
    };
  },
};

function gap({ trainingLoss, testLoss }: Outcome): number {
  return testLoss - trainingLoss;
}
