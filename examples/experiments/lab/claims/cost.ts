import { manualSeed } from '../../../../src/index.ts';
import { bytesOfStep } from '../bytes.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, labels, meanLine, outcomesOf, ratios, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, median, overall } from '../statistics.ts';
import { fixedBatch, train } from '../train.ts';

const measures = ['time', 'memory'] as const;
type Measure = (typeof measures)[number];
type Setting = { measure: Measure; norm: Norm; batchSize: number; steps: number; seed: number };
/** Milliseconds or bytes of one training step. */
type Outcome = { value: number };

/** "Little" means less than this times the cost without batch normalization. */
const LITTLE = 1.5;
const WARM_UP = 50;

/** Time and memory of a training step. */
export const cost: Claim<Setting, Outcome> = {
  name: 'cost',
  statement: 'It costs little time and memory.',
  method:
    'The same network with and without batch normalization. Time is the median time of the training steps, ' +
    'on the device of this lab. Memory is what a step holds at the end of its forward pass: the batch, ' +
    'parameters, gradients, running statistics, and what the forward pass keeps for the backward pass. It ' +
    'is measured on the device cpu, whose tensors are garbage-collected arrays. "Little" means less than ' +
    `${LITTLE} times the network without it.`,
  why: {
    text:
      'A dense layer multiplies each of its inputs by 100 weights here, while batch normalization needs ' +
      'only a few operations per element. For the backward pass it keeps one more array of the size of its ' +
      'input, whose share of the memory grows with the batch.',
    section: 'From six equations to three terms',
  },
  alone: true,
  settings: (effort) =>
    combinations<Setting>({
      measure: measures, // time first, before another device has run in the same thread
      batchSize: effort === 'quick' ? [32, 256] : [8, 32, 64, 256, 1024],
      steps: [effort === 'quick' ? 100 : 300],
      seed: seedsOf(effort),
      norm: ['none', 'before'], // in turns, because the speed of the machine changes
    }),
  run: async ({ measure, norm, batchSize, steps, seed }, { training }) => {
    if (measure === 'memory')
      return { value: await bytesOfStep({ norm }, seed, fixedBatch(training, batchSize)) };
    manualSeed(seed);
    const made = train(network({ norm }), training, { steps: WARM_UP + steps, batchSize, seed });
    const times = Array.from(made, ({ milliseconds }) => milliseconds);
    return { value: median(times.slice(WARM_UP)) };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'batchSize');
    const of = (measure: Measure, norm: Norm, batchSize: number) =>
      outcomesOf(runs, { measure, norm, batchSize }).map(({ value }) => value);
    const tests = sizes.flatMap((batchSize) =>
      measures.map((measure) =>
        decide({
          statement: `Batches of ${batchSize}: a step takes less than ${LITTLE} times the ${measure}`,
          quantity: `${measure} with it / without`,
          expected: 'below',
          threshold: LITTLE,
          ratio: true,
          values: ratios(of(measure, 'before', batchSize), of(measure, 'none', batchSize)),
        }),
      ),
    );
    const lines = (measure: Measure, unit: number) =>
      (['none', 'before'] as const).map((norm) =>
        meanLine(
          labels[norm],
          sizes,
          sizes.map((size) => of(measure, norm, size).map((value) => value / unit)),
        ),
      );
    const x = { name: 'batch size', scale: 'log' } as const;
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Time of a step',
          caption: 'Forward, backward and SGD, by batch size.',
          chart: {
            kind: 'lines',
            x,
            y: { name: 'milliseconds', scale: 'log' },
            series: lines('time', 1),
          },
        },
        {
          title: 'Memory of a step',
          caption: 'Memory held between the forward and the backward pass, by batch size.',
          chart: { kind: 'lines', x, y: { name: 'megabytes', min: 0 }, series: lines('memory', 1e6) },
        },
      ],
    };
  },
};
