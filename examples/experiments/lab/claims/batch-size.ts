import { manualSeed, SGD } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import {
  best,
  combinations,
  differences,
  labels,
  meanLine,
  outcomesOf,
  seedsOf,
  valuesOf,
} from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, LEARNING_RATE, trainToEnd } from '../train.ts';

type Rule = 'constant' | 'root' | 'linear';
type Setting = { norm: Norm; batchSize: number; rule: Rule; examples: number; seed: number };
type Outcome = { accuracy: number };

const USUAL = 32;
/** A loss of accuracy that counts as little. */
const LITTLE = 0.01;
const powers: Readonly<Record<Rule, number>> = { constant: 0, root: 0.5, linear: 1 };
const rules = Object.keys(powers) as Rule[];

/** The batch size over two decades, with scaled learning rates. */
export const batchSize: Claim<Setting, Outcome> = {
  name: 'batch-size',
  statement: 'The batch size can be chosen freely.',
  method:
    'Networks see the same number of images in batches of 8 to 1024 (with --quick, fewer sizes). The learning rate is ' +
    `${LEARNING_RATE} for batches of ${USUAL}; for others it is the same, proportional to the root of the batch size, or ` +
    'proportional to the batch size. The best of the three counts. "Freely" means that a size costs less than ' +
    `${LITTLE} of the accuracy at ${USUAL}.`,
  why: {
    text:
      'From about 16 samples on, mean and variance of a batch are good estimates, and larger batches hardly change what is ' +
      'computed. But each epoch then has fewer steps, and beyond some size no learning rate makes up for them, with batch ' +
      'normalization or without.',
    section: 'Running statistics and inference',
  },
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      batchSize: effort === 'quick' ? [8, USUAL, 128, 512] : [8, 16, USUAL, 64, 128, 256, 512, 1024],
      rule: rules,
      examples: [effort === 'quick' ? 5120 : 51_200],
      seed: seedsOf(effort),
    }).filter((setting) => setting.batchSize !== USUAL || setting.rule === 'constant'),
  run: async ({ norm, batchSize, rule, examples, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const lr = LEARNING_RATE * (batchSize / USUAL) ** powers[rule];
    const optimizer = new SGD(model.parameters(), { lr });
    trainToEnd(model, training, { steps: Math.ceil(examples / batchSize), batchSize, optimizer, seed });
    return { accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const sizes = valuesOf(runs, 'batchSize');
    /** The accuracies with the rule whose mean is highest. */
    const of = (norm: Norm, size: number) => {
      const byRule = new Map(
        (size === USUAL ? (['constant'] as const) : rules).map((rule) => [
          rule,
          outcomesOf(runs, { norm, batchSize: size, rule }).map(({ accuracy }) => accuracy),
        ]),
      );
      return byRule.get(best(byRule)) ?? [];
    };
    const others = sizes.filter((size) => size !== USUAL);
    const lost = (norm: Norm, size: number) => differences(of(norm, USUAL), of(norm, size));
    const worst = (norm: Norm) =>
      of(norm, USUAL).map((_, seed) => Math.max(...others.map((size) => lost(norm, size)[seed])));
    const tests = [
      ...others.map((size) =>
        decide({
          statement: `Batches of ${size} cost less than ${LITTLE} of accuracy, compared with ${USUAL}`,
          quantity: `test accuracy at ${USUAL} − at ${size}`,
          expected: 'below',
          threshold: LITTLE,
          values: lost('before', size),
        }),
      ),
      decide({
        statement: 'The worst size costs less accuracy with it than without it',
        quantity: 'accuracy lost at the worst size, with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(worst('before'), worst('none')),
      }),
    ];
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by batch size, with scaled learning rates',
          caption: `Test accuracy after ${runs[0].setting.examples.toLocaleString('en')} images, with the best rule for the learning rate at each size.`,
          chart: {
            kind: 'lines',
            x: { name: 'batch size', scale: 'log' },
            y: { name: 'test accuracy' },
            series: (['none', 'before'] as const).map((norm) =>
              meanLine(
                labels[norm],
                sizes,
                sizes.map((size) => of(norm, size)),
              ),
            ),
          },
        },
      ],
    };
  },
};
