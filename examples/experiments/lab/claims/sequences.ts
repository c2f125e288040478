import { Adam, type Dataset, manualSeed } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { combinations, differences, type Label, meanBars, outcomesOf, seedsOf } from '../outcomes.ts';
import {
  ROW,
  sequenceNets,
  type SequenceNet,
  sequenceNetwork,
  sequenceNorms,
  type SequenceNorm,
} from '../sequence-nets.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOfBatches, accuracyOn, BATCH_SIZE, trainToEnd } from '../train.ts';

type Setting = { variant: SequenceNet; norm: SequenceNorm; steps: number; seed: number };
/**
 * Test accuracy: on sequences as in training; on longer ones; and on the first ones in training mode, so with the
 * statistics of each batch.
 */
type Outcome = { accuracy: number; longer: number; batchStatistics: number };

const LEARNING_RATE = 0.003;
const MORE_STEPS = 14;

const nets: Readonly<Record<SequenceNet, string>> = {
  recurrent: 'Recurrent',
  attention: 'Self-attention',
};
const shown: Readonly<Record<SequenceNorm, Label>> = {
  none: { name: 'without', colour: 'plain' },
  shared: { name: 'batch normalization, one for all steps', colour: 'bn' },
  'per step': { name: 'batch normalization, one per step', colour: 'other' },
  layer: { name: 'layer normalization', colour: 'fourth' },
};
const kinds = {
  shared: 'one normalization for all steps',
  'per step': 'one normalization per step',
} as const;

/** A recurrent network and a block of self-attention over the rows of the images. */
export const sequences: Claim<Setting, Outcome> = {
  name: 'sequences',
  statement: 'It does not suit recurrent networks and self-attention.',
  method:
    'A sequence is the 28 rows of an image. A recurrent network, h ← tanh(norm([row, h]·W + b)) with 32 units, classifies ' +
    'its last state; one block of self-attention with 32 units normalizes after the attention and after its dense ' +
    'layers, and classifies the mean over the rows. Batch normalization is one layer for all steps, whose running ' +
    'statistics average over the steps, or one layer per step. Sequences longer than in training have ' +
    `${MORE_STEPS} blank rows where they disturb least: before the image for the recurrent network, and after it for ` +
    'self-attention, whose positions count from the first row. They use the last layer for all further steps. The ' +
    `networks are trained with Adam at a learning rate of ${LEARNING_RATE}, in batches of ${BATCH_SIZE}.`,
  why: {
    text:
      'In a recurrent network the means and variances of the steps differ: averages over the steps fit none of them, and ' +
      'statistics per step exist only for the steps of the training, and only at their places. Self-attention sees all ' +
      'steps at once and can take statistics over all of them, in training as in evaluation; layer normalization needs ' +
      'none but those of the row itself.',
    section: 'Running statistics and inference',
  },
  settings: (effort) =>
    combinations<Setting>({
      variant: sequenceNets,
      norm: sequenceNorms,
      steps: [effort === 'quick' ? 120 : 1000],
      seed: seedsOf(effort),
    }),
  run: async ({ variant, norm, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = sequenceNetwork(variant, norm);
    const optimizer = new Adam(model.parameters(), { lr: LEARNING_RATE });
    trainToEnd(model, training, { steps, optimizer, seed });
    const before = variant === 'recurrent' ? MORE_STEPS : 0;
    return {
      accuracy: await accuracyOn(model, test),
      longer: await accuracyOn(model, lengthened(test, before, MORE_STEPS - before)),
      batchStatistics: await accuracyOfBatches(model, test, BATCH_SIZE),
    };
  },
  judge: (runs) => {
    const of = (variant: SequenceNet, norm: SequenceNorm, column: keyof Outcome = 'accuracy') =>
      outcomesOf(runs, { variant, norm }).map((outcome) => outcome[column]);
    const lost = (variant: SequenceNet, norm: SequenceNorm) =>
      differences(of(variant, norm), of(variant, norm, 'longer'));
    const tests = sequenceNets.flatMap((net) => [
      ...(['shared', 'per step'] as const).flatMap((norm) => [
        decide({
          statement: `${nets[net]}, ${kinds[norm]}: accuracy is lower than without it`,
          quantity: 'test accuracy with it − without',
          expected: 'below',
          threshold: 0,
          values: differences(of(net, norm), of(net, 'none')),
        }),
        decide({
          statement: `${nets[net]}, ${kinds[norm]}: accuracy is lower than with layer normalization`,
          quantity: 'test accuracy with it − with layer normalization',
          expected: 'below',
          threshold: 0,
          values: differences(of(net, norm), of(net, 'layer')),
        }),
        decide({
          statement: `${nets[net]}, ${kinds[norm]}: longer sequences cost more accuracy than with layer normalization`,
          quantity: 'accuracy lost with it − with layer normalization',
          expected: 'above',
          threshold: 0,
          values: differences(lost(net, norm), lost(net, 'layer')),
        }),
      ]),
      decide({
        statement: `${nets[net]}, one normalization for all steps: running statistics are less accurate than those of a batch`,
        quantity: 'test accuracy with running − with batch statistics',
        expected: 'below',
        threshold: 0,
        values: differences(of(net, 'shared'), of(net, 'shared', 'batchStatistics')),
      }),
    ]);
    const chart = (column: keyof Outcome) => ({
      kind: 'bars' as const,
      categories: sequenceNets.map((net) => nets[net].toLowerCase()),
      y: { name: 'test accuracy', min: 0, max: 1 },
      series: sequenceNorms.map((norm) =>
        meanBars(
          shown[norm],
          sequenceNets.map((net) => of(net, norm, column)),
        ),
      ),
    });
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy on sequences',
          caption: `Test accuracy after ${runs[0].setting.steps} steps on sequences of ${ROW} rows; 0.1 is chance level.`,
          chart: chart('accuracy'),
        },
        {
          title: 'Accuracy on longer sequences',
          caption: `The same networks on sequences with ${MORE_STEPS} blank rows more.`,
          chart: chart('longer'),
        },
      ],
    };
  },
};

/** The images with blank rows above and below. */
function lengthened(data: Dataset, above: number, below: number): Dataset {
  const [count, size] = [data.labels.length, data.x.length / data.labels.length];
  const longer = size + (above + below) * ROW;
  const x = new Uint8Array(count * longer);
  for (let i = 0; i < count; i++) x.set(data.x.subarray(i * size, (i + 1) * size), i * longer + above * ROW);
  return { ...data, x, shape: [longer] };
}
