import { type Dataset, manualSeed, take } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, differences, labels, meanBars, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, BATCH_SIZE, trainToEnd } from '../train.ts';

const orders = {
  'new each epoch': { shuffle: true, sorted: false },
  'shuffled once': { shuffle: 'once', sorted: false },
  'sorted by class': { shuffle: false, sorted: true },
} as const;
type Order = keyof typeof orders;
const orderNames = Object.keys(orders) as Order[];

type Setting = { order: Order; norm: Norm; images: number; epochs: number; seed: number };
type Outcome = { accuracy: number };

/** The order of the training images. */
export const shuffling: Claim<Setting, Outcome> = {
  name: 'shuffling',
  statement: 'It needs shuffled data.',
  method:
    'Networks are trained on the same images in three orders: a new random order in each epoch, one random ' +
    'order for all epochs, and sorted by class, so that nearly every batch contains one class only.',
  why: {
    text:
      'The statistics of a batch stand for those of all the data; in a batch of one class they describe ' +
      'that class alone, so normalization removes what distinguishes it from the others. In a new order, ' +
      'each image is normalized together with other images every time, which is the noise that regularizes.',
    section: 'Running statistics and inference',
  },
  settings: (effort) =>
    combinations<Setting>({
      order: orderNames,
      norm: ['none', 'before'],
      images: [effort === 'quick' ? 3200 : 6400],
      epochs: [effort === 'quick' ? 3 : 8],
      seed: seedsOf(effort),
    }),
  run: async ({ order, norm, images, epochs, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const { shuffle, sorted } = orders[order];
    const few = take(training, images);
    const steps = epochs * Math.floor(images / BATCH_SIZE);
    trainToEnd(model, sorted ? byClass(few) : few, { steps, seed, shuffle });
    return { accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const of = (norm: Norm, order: Order) =>
      outcomesOf(runs, { norm, order }).map(({ accuracy }) => accuracy);
    const loss = (norm: Norm) => differences(of(norm, 'new each epoch'), of(norm, 'sorted by class'));
    const question = { expected: 'above', threshold: 0 } as const;
    const tests = [
      {
        statement: 'With it, accuracy is higher on shuffled than on sorted data',
        quantity: 'test accuracy, new order each epoch − sorted by class',
        values: loss('before'),
      },
      {
        statement: 'Sorting costs more accuracy with it than without it',
        quantity: 'accuracy lost with it − without',
        values: differences(loss('before'), loss('none')),
      },
      {
        statement: 'With it, a new order in each epoch is better than one order for all',
        quantity: 'test accuracy, new order each epoch − shuffled once',
        values: differences(of('before', 'new each epoch'), of('before', 'shuffled once')),
      },
    ].map((each) => decide({ ...question, ...each }));
    const series = (['none', 'before'] as const).map((norm) =>
      meanBars(
        labels[norm],
        orderNames.map((order) => of(norm, order)),
      ),
    );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by order',
          caption: 'Test accuracy after the same number of steps; 0.1 is chance level.',
          chart: {
            kind: 'bars',
            categories: orderNames,
            y: { name: 'test accuracy', min: 0, max: 1 },
            series,
          },
        },
      ],
    };
  },
};

/** The examples sorted by class. */
function byClass(data: Dataset): Dataset {
  const size = data.x.length / data.labels.length;
  const order = Array.from(data.labels.keys()).sort((a, b) => data.labels[a] - data.labels[b]);
  const x = new Uint8Array(data.x.length);
  order.forEach((row, i) => x.set(data.x.subarray(row * size, (row + 1) * size), i * size));
  return { ...data, x, labels: Uint8Array.from(order, (row) => data.labels[row]) };
}
