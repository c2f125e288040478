import { manualSeed, SGD } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, differences, labels, meanLine, outcomesOf, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOfBatches, accuracyOn, LEARNING_RATE, trainToEnd } from '../train.ts';

type Setting = { norm: Norm; batchSize: number; examples: number; seed: number };
/** `batchStatistics`: test accuracy when evaluation uses the statistics of batches of that size. */
type Outcome = { accuracy: number; batchStatistics: number };

const [SMALLEST, USUAL] = [2, 32];

/** A sweep over the batch size. */
export const smallBatches: Claim<Setting, Outcome> = {
  name: 'small-batches',
  statement: 'It works badly with small batches.',
  method:
    `Networks see the same number of images in batches of 2 to 512. The learning rate is ${LEARNING_RATE} ` +
    `for batches of ${USUAL}, proportional to the batch size, and at most 0.5. The measures are the test ` +
    'accuracy that the smallest batch costs, with and without batch normalization, and the difference ' +
    'between evaluation with running statistics and with the statistics of batches of the training size.',
  why: {
    text:
      'With m = 2, xhat is ±1 whatever x is, and the backward pass removes the mean of g and its part along ' +
      'xhat: almost nothing is left, so the layers before it hardly learn. The mean and variance of two ' +
      'values are also poor estimates of the running statistics that evaluation uses.',
    section: 'Reading it',
  },
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
        statement: `Batches of ${SMALLEST} instead of ${USUAL} cost more accuracy with it than without it`,
        quantity: 'accuracy lost with it − without',
        expected: 'above',
        threshold: 0,
        values: differences(loss('before'), loss('none')),
      }),
      decide({
        statement: `With batches of ${SMALLEST}, accuracy is lower with it than without it`,
        quantity: 'test accuracy with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(of('before', SMALLEST), of('none', SMALLEST)),
      }),
      decide({
        statement: `With batches of ${SMALLEST}, evaluation is more accurate with running than with batch statistics`,
        quantity: 'test accuracy with running − with batch statistics',
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
          caption: `Test accuracy after ${runs[0].setting.examples.toLocaleString('en')} images. Dotted: evaluation also uses the statistics of batches of that size.`,
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
