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
    'Networks are trained on the same images in a new order in each epoch, in one shuffled order that is the same in ' +
    'each, and sorted by class, so that nearly every batch is of one class only.',
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
        statement: 'With it, shuffled data are better than sorted data',
        quantity: 'test accuracy, new order each epoch − sorted by class',
        values: loss('before'),
      },
      {
        statement: 'Sorting costs it more than a network without it',
        quantity: 'accuracy lost with it − without',
        values: differences(loss('before'), loss('none')),
      },
      {
        statement: 'With it, a new order in each epoch is better than one and the same',
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
          caption: 'Test accuracy after the same number of steps; 0.1 is a guess.',
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

/** The same examples, class after class. */
function byClass(data: Dataset): Dataset {
  const size = data.x.length / data.labels.length;
  const order = Array.from(data.labels.keys()).sort((a, b) => data.labels[a] - data.labels[b]);
  const x = new Uint8Array(data.x.length);
  order.forEach((row, i) => x.set(data.x.subarray(row * size, (row + 1) * size), i * size));
  return { ...data, x, labels: Uint8Array.from(order, (row) => data.labels[row]) };
}
