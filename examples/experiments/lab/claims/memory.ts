import type { Claim } from '../claim.ts';
import { bytesOfEvaluation, bytesOfStep } from '../bytes.ts';
import { type Net, network } from '../nets.ts';
import { combinations, differences, meanBars, outcomesOf, ratios, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { fixedBatch } from '../train.ts';

type Variant = 'without' | 'with batch normalization' | 'with layer normalization';
const variants: Readonly<Record<Variant, Net>> = {
  without: { norm: 'none' },
  'with batch normalization': { norm: 'before' },
  'with layer normalization': { norm: 'before', kind: 'layer' },
};
const names = Object.keys(variants) as Variant[];
const modes = ['training', 'evaluation'] as const;
type Mode = (typeof modes)[number];

type Setting = { measure: Mode; variant: Variant; batchSize: number; seed: number };
/** Bytes: measured, and those of the running statistics alone. */
type Outcome = { value: number; statistics: number };

const BATCH = 256;
/** The number of normalized layers. */
const LAYERS = 3;

const shown = [
  { name: 'batch normalization, training', mode: 'training', variant: names[1], colour: 'bn' },
  { name: 'layer normalization, training', mode: 'training', variant: names[2], colour: 'other' },
  { name: 'batch normalization, evaluation', mode: 'evaluation', variant: names[1], colour: 'neutral' },
  { name: 'layer normalization, evaluation', mode: 'evaluation', variant: names[2], colour: 'fourth' },
] as const;

/** What the memory is needed for. */
export const memory: Claim<Setting, Outcome> = {
  name: 'memory',
  statement: 'It needs more memory, for its running statistics.',
  method:
    `Bytes of arrays on the device cpu, with batches of 8 to 1024 (with --quick, 32 and ${BATCH}); the parts compare batches of ` +
    `${BATCH}. In training: what a step holds at the end of its forward pass (the batch, parameters, gradients, running ` +
    'statistics, and what is kept for the backward pass). In evaluation: the network, the batch and its output. Three hidden ' +
    'layers are normalized; the network is also measured with layer normalization, which has no running statistics.',
  why: {
    text:
      'Running statistics are two numbers per unit, whatever the batch. For the backward pass a layer keeps its input, ' +
      'which is one number per unit and example: in training that is nearly all of what it adds.',
    section: 'Running statistics and inference',
  },
  alone: true,
  settings: (effort) =>
    combinations<Setting>({
      measure: modes,
      variant: names,
      batchSize: effort === 'quick' ? [32, BATCH] : [8, 32, 128, BATCH, 1024],
      seed: seedsOf(effort),
    }),
  run: async ({ measure, variant, batchSize, seed }, { training }) => {
    const bytes = measure === 'training' ? bytesOfStep : bytesOfEvaluation;
    const net = variants[variant];
    const statistics = Object.values(network(net).bufferDict());
    return {
      value: await bytes(net, seed, fixedBatch(training, batchSize)),
      statistics: statistics.reduce((sum, { size }) => sum + 4 * size, 0),
    };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'batchSize');
    const of = (measure: Mode, variant: Variant, batchSize = BATCH) =>
      outcomesOf(runs, { measure, variant, batchSize }).map(({ value }) => value);
    const added = (measure: Mode, variant: Variant, size?: number) =>
      differences(of(measure, variant, size), of(measure, 'without', size));
    const statistics = outcomesOf(runs, {
      measure: 'training',
      variant: 'with batch normalization',
      batchSize: BATCH,
    }).map((outcome) => outcome.statistics);
    const tests = [
      ...modes.map((mode) =>
        decide({
          statement: `In ${mode}, the network needs more memory with it than without it`,
          quantity: 'bytes added by it / bytes without it',
          expected: 'above',
          threshold: 0,
          values: ratios(added(mode, 'with batch normalization'), of(mode, 'without')),
        }),
      ),
      decide({
        statement: 'In training, most of the memory that it adds is for running statistics',
        quantity: 'bytes of running statistics / bytes added',
        expected: 'above',
        threshold: 0.5,
        values: ratios(statistics, added('training', 'with batch normalization')),
      }),
      decide({
        statement:
          'In training, it needs more memory than layer normalization, which has no running statistics',
        quantity: 'bytes added by it / by layer normalization',
        expected: 'above',
        threshold: 1,
        ratio: true,
        values: ratios(
          added('training', 'with batch normalization'),
          added('training', 'with layer normalization'),
        ),
      }),
    ];
    const perLayer = (mode: Mode, variant: Variant, size: number) =>
      added(mode, variant, size).map((bytes) => bytes / LAYERS / 1000);
    const series = shown.map(({ mode, variant, ...label }) =>
      meanBars(
        label,
        sizes.map((size) => perLayer(mode, variant, size)),
      ),
    );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Memory that a layer adds',
          caption: `Kilobytes more than the network without normalization, divided by its ${LAYERS} normalized layers: at the end of the forward pass of a training step, and in evaluation.`,
          chart: {
            kind: 'bars',
            categories: sizes.map((size) => `batches of ${size}`),
            y: { name: 'kilobytes', min: 0 },
            series,
          },
        },
      ],
    };
  },
};
