import { manualSeed } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import {
  combinations,
  differences,
  labels,
  meanLine,
  outcomesOf,
  seedsOf,
  transposed,
  valuesOf,
} from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, trainToEnd } from '../train.ts';

type Setting = { norm: Norm; scale: number; steps: number; seed: number };
type Outcome = { accuracy: number };

/** A sweep over the size of the initial weights. */
export const initialization: Claim<Setting, Outcome> = {
  name: 'initialization',
  statement: 'It makes training less sensitive to the initialization.',
  method:
    "All initial weights are multiplied by one factor, from 0.01 to 10 (1 is He's initialization), and the " +
    'network is trained at one learning rate. The measure is the difference between the accuracy at the ' +
    'best and at the worst factor.',
  why: {
    text:
      'Multiplying the weights before it by a constant does not change its output, except through ε, so ' +
      'every hidden layer passes on the same scale. Without it the factor acts once per layer: in four ' +
      'layers, weights that are 100 times too small make the output 10⁸ times too small.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      scale: effort === 'quick' ? [0.01, 0.1, 1, 3, 10] : [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      steps: [effort === 'quick' ? 200 : 1000],
      seed: seedsOf(effort),
    }),
  run: async ({ norm, scale, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm, scale });
    trainToEnd(model, training, { steps, seed });
    return { accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const scales = valuesOf(runs, 'scale');
    const accuracies = (norm: Norm) =>
      scales.map((scale) => outcomesOf(runs, { norm, scale }).map(({ accuracy }) => accuracy));
    const [plain, bn] = [accuracies('none'), accuracies('before')];
    const fall = (bySeed: readonly number[]) => Math.max(...bySeed) - Math.min(...bySeed);
    const tests = [
      decide({
        statement: 'Accuracy depends less on the scale',
        quantity: '(best − worst accuracy) with it − without',
        expected: 'below',
        threshold: 0,
        values: differences(transposed(bn).map(fall), transposed(plain).map(fall)),
      }),
      decide({
        statement: 'Accuracy at the worst scale of each is higher',
        quantity: 'lowest accuracy with it − without',
        expected: 'above',
        threshold: 0,
        values: differences(
          transposed(bn).map((bySeed) => Math.min(...bySeed)),
          transposed(plain).map((bySeed) => Math.min(...bySeed)),
        ),
      }),
    ];
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by scale of the initial weights',
          caption: `Test accuracy after ${runs[0].setting.steps} steps at each scale; 0.1 is chance level.`,
          chart: {
            kind: 'lines',
            x: { name: 'scale of the initial weights', scale: 'log' },
            y: { name: 'test accuracy', min: 0, max: 1 },
            series: [meanLine(labels.none, scales, plain), meanLine(labels.before, scales, bn)],
          },
        },
      ],
    };
  },
};
