import {
  crossEntropy,
  DataLoader,
  manualSeed,
  scope,
  type Sequential,
  SGD,
  tensor,
} from '../../../../src/index.ts';
import type { Claim, LabData } from '../claim.ts';
import { type Kind, network } from '../nets.ts';
import { combinations, differences, meanLine, outcomesOf, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOfBatches, accuracyOn, LEARNING_RATE } from '../train.ts';

type Setting = { variant: Kind | 'accumulated'; batchSize: number; examples: number; seed: number };
/** `batchStatistics`: test accuracy when evaluation uses the statistics of batches of that size. */
type Outcome = { accuracy: number; batchStatistics: number };

const USUAL = 32;

const remedies = [
  { variant: 'batch', name: 'running statistics in evaluation' },
  { variant: 'accumulated', name: `gradients accumulated over ${USUAL} images` },
  { variant: 'layer', name: 'layer normalization' },
  { variant: 'group', name: 'group normalization' },
] as const;
const colours = ['bn', 'other', 'fourth', 'plain'] as const;

/** Ways out for small batches. */
export const remediesForSmallBatches: Claim<Setting, Outcome> = {
  name: 'small-batch-remedies',
  statement: 'Its limits with small batches can be mitigated.',
  method:
    'Networks see the same number of images in batches of 2, 4 and 8 (with --quick, 2 and 8). The starting point is batch ' +
    'normalization that evaluates with the statistics of batches of that size. The remedies are running statistics in ' +
    `evaluation; these, with gradients accumulated over ${USUAL} images before each step; layer normalization; and group ` +
    `normalization with ten units per group. The learning rate is ${LEARNING_RATE} per ${USUAL} images of a step.`,
  why: {
    text:
      'Running statistics average over many batches, so evaluation no longer depends on a few samples, but training ' +
      'still does: accumulated gradients are those of small batches, each normalized alone. Layer and group normalization ' +
      'take their statistics from the sample itself, so the size of the batch does not enter at all.',
    section: 'Running statistics and inference',
  },
  settings: (effort) =>
    combinations<Setting>({
      variant: remedies.map(({ variant }) => variant),
      batchSize: effort === 'quick' ? [2, 8] : [2, 4, 8],
      examples: [effort === 'quick' ? 2560 : 25_600],
      seed: seedsOf(effort),
    }),
  run: async ({ variant, batchSize, examples, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm: 'before', kind: variant === 'accumulated' ? 'batch' : variant });
    const perStep = variant === 'accumulated' ? Math.max(1, USUAL / batchSize) : 1;
    const lr = (LEARNING_RATE * batchSize * perStep) / USUAL;
    trainAccumulated(model, training, {
      batchSize,
      batches: Math.floor(examples / batchSize),
      perStep,
      lr,
      seed,
    });
    return {
      accuracy: await accuracyOn(model, test),
      batchStatistics: await accuracyOfBatches(model, test, batchSize),
    };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'batchSize');
    const of = (variant: Setting['variant'], batchSize: number, column: keyof Outcome = 'accuracy') =>
      outcomesOf(runs, { variant, batchSize }).map((outcome) => outcome[column]);
    const tests = sizes.flatMap((batchSize) =>
      remedies.map(({ variant, name }) =>
        decide({
          statement: `Batches of ${batchSize}: ${name} is more accurate than batch statistics`,
          quantity: 'test accuracy with the remedy − with batch statistics',
          expected: 'above',
          threshold: 0,
          values: differences(of(variant, batchSize), of('batch', batchSize, 'batchStatistics')),
        }),
      ),
    );
    const line = (variant: Setting['variant'], column?: keyof Outcome) =>
      sizes.map((size) => of(variant, size, column));
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy with small batches',
          caption: `Test accuracy after ${runs[0].setting.examples.toLocaleString('en')} images.`,
          chart: {
            kind: 'lines',
            x: { name: 'batch size', scale: 'log' },
            y: { name: 'test accuracy' },
            series: [
              meanLine(
                { name: 'batch statistics', colour: 'neutral' },
                sizes,
                line('batch', 'batchStatistics'),
              ),
              ...remedies.map(({ variant, name }, k) =>
                meanLine({ name, colour: colours[k] }, sizes, line(variant)),
              ),
            ],
          },
        },
      ],
    };
  },
};

type Accumulation = {
  readonly batchSize: number;
  readonly batches: number;
  /** The number of batches before each step. */
  readonly perStep: number;
  readonly lr: number;
  readonly seed: number;
};

/** Each step uses the mean of the gradients of several batches. */
function trainAccumulated(model: Sequential, data: LabData['training'], options: Accumulation): void {
  const { batchSize, batches, perStep, lr, seed } = options;
  const optimizer = new SGD(model.parameters(), { lr });
  const loader = new DataLoader(data, { batchSize, shuffle: true, seed, dropLast: true });
  model.train();
  for (let done = 0; done < batches;) {
    for (const { x, shape, labels } of loader) {
      if (done % perStep === 0) optimizer.zeroGrad();
      scope(() => {
        crossEntropy(model.forward(tensor(x, { shape })), labels)
          .div(perStep)
          .backward(); // adds to the gradients
      });
      if (++done % perStep === 0) optimizer.step();
      if (done === batches) return;
    }
  }
}
