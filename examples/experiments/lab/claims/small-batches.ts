import {
  accuracy,
  DataLoader,
  manualSeed,
  noGrad,
  SGD,
  type Sequential,
  tensor,
} from '../../../../src/index.ts';
import { average } from '../../cli/results.ts';
import type { Claim, LabData } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, differences, labels, meanLine, outcomesOf, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, LEARNING_RATE, trainToEnd } from '../train.ts';

type Setting = { norm: Norm; batchSize: number; examples: number; seed: number };
/** `batchStatistics`: test accuracy with the statistics of batches of that size instead of the running ones. */
type Outcome = { accuracy: number; batchStatistics: number };

const [SMALLEST, USUAL] = [2, 32];

/** A sweep over the batch size. */
export const smallBatches: Claim<Setting, Outcome> = {
  name: 'small-batches',
  statement: 'Small batches hurt it.',
  method:
    `Networks see the same number of images in batches of 2 to 512; the learning rate is ${LEARNING_RATE} for ${USUAL} and ` +
    'proportional to the batch size, at most 0.5. Compared is what the smallest batch costs in test accuracy, with and ' +
    'without batch normalization; and what evaluation with running statistics gives against statistics of batches like ' +
    'those of training.',
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      batchSize:
        effort === 'quick' ? [SMALLEST, 8, USUAL, 128, 512] : [SMALLEST, 4, 8, 16, USUAL, 64, 128, 256, 512],
      examples: [effort === 'quick' ? 2560 : 51_200],
      seed: seedsOf(effort),
    }),
  run: async ({ norm, batchSize, examples, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const lr = Math.min(0.5, (LEARNING_RATE * batchSize) / USUAL);
    const optimizer = new SGD(model.parameters(), { lr });
    trainToEnd(model, training, { steps: examples / batchSize, batchSize, optimizer, seed });
    return {
      accuracy: await accuracyOn(model, test),
      batchStatistics: await accuracyOfBatches(model, test, batchSize),
    };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'batchSize');
    const of = (norm: Norm, batchSize: number, column: keyof Outcome = 'accuracy') =>
      outcomesOf(runs, { norm, batchSize }).map((outcome) => outcome[column]);
    const loss = (norm: Norm) => differences(of(norm, USUAL), of(norm, SMALLEST));
    const tests = [
      decide({
        statement: `Batches of ${SMALLEST} instead of ${USUAL} cost it more accuracy than a network without it`,
        quantity: 'accuracy lost with it − without',
        expected: 'above',
        threshold: 0,
        values: differences(loss('before'), loss('none')),
      }),
      decide({
        statement: `With batches of ${SMALLEST}, it is worse than the network without it`,
        quantity: 'test accuracy with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(of('before', SMALLEST), of('none', SMALLEST)),
      }),
      decide({
        statement: `With batches of ${SMALLEST}, evaluation by running statistics is better than by the batch's`,
        quantity: 'test accuracy by running statistics − by those of batches',
        expected: 'above',
        threshold: 0,
        values: differences(of('before', SMALLEST), of('before', SMALLEST, 'batchStatistics')),
      }),
    ];
    const byBatch = { ...labels.before, name: 'with, batch statistics' };
    const line = (norm: Norm, column?: keyof Outcome) => sizes.map((size) => of(norm, size, column));
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by batch size',
          caption: `Test accuracy after ${runs[0].setting.examples.toLocaleString('en')} images. Dotted: normalized by statistics of batches of that size in evaluation too.`,
          chart: {
            kind: 'lines',
            x: { name: 'batch size', scale: 'log' },
            y: { name: 'test accuracy' },
            series: [
              meanLine(labels.none, sizes, line('none')),
              meanLine(labels.before, sizes, line('before')),
              {
                ...meanLine(byBatch, sizes, line('before', 'batchStatistics')),
                style: 'dotted',
              },
            ],
          },
        },
      ],
    };
  },
};

/** In training mode, batch by batch; the running statistics move, but nobody asks for them any more. */
async function accuracyOfBatches(
  model: Sequential,
  test: LabData['test'],
  batchSize: number,
): Promise<number> {
  model.train();
  const shares: number[] = [];
  const batches = new DataLoader(test, { batchSize, shuffle: true, seed: 0, dropLast: true });
  for (const { x, shape, labels } of batches) {
    const output = noGrad(() => model.forward(tensor(x, { shape })));
    shares.push(await accuracy(output, labels));
  }
  return average(shares);
}
