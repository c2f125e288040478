import { manualSeed } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { type Activation, activations as names, network, type Norm, norms } from '../nets.ts';
import { combinations, differences, labels, meanBars, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, trainToEnd } from '../train.ts';

type Setting = { activation: Activation; norm: Norm; steps: number; seed: number };
type Outcome = { accuracy: number };

/** Every activation, with batch normalization nowhere, before it and after it. */
export const activations: Claim<Setting, Outcome> = {
  name: 'activations',
  statement: 'It helps with any activation, and belongs before it.',
  method:
    'The network is trained with each activation: without batch normalization, with it before the activation, as the ' +
    'paper places it, and after it.',
  settings: (effort) =>
    combinations<Setting>({
      activation: names,
      norm: norms,
      steps: [effort === 'quick' ? 150 : 1500],
      seed: seedsOf(effort),
    }),
  run: async ({ activation, norm, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ activation, norm });
    trainToEnd(model, training, { steps, seed });
    return { accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const of = (activation: Activation, norm: Norm) =>
      outcomesOf(runs, { activation, norm }).map(({ accuracy }) => accuracy);
    const question = { expected: 'above', threshold: 0 } as const;
    const tests = [
      ...names.map((activation) =>
        decide({
          ...question,
          statement: `With ${activation}, accuracy is higher than without it`,
          quantity: 'test accuracy, before the activation − without',
          values: differences(of(activation, 'before'), of(activation, 'none')),
        }),
      ),
      ...names.map((activation) =>
        decide({
          ...question,
          statement: `With ${activation}, before the activation is better than after it`,
          quantity: 'test accuracy, before − after',
          values: differences(of(activation, 'before'), of(activation, 'after')),
        }),
      ),
    ];
    const series = norms.map((norm) =>
      meanBars(
        labels[norm],
        names.map((activation) => of(activation, norm)),
      ),
    );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by activation',
          caption: `Test accuracy after ${runs[0].setting.steps} steps.`,
          chart: { kind: 'bars', categories: names, y: { name: 'test accuracy' }, series },
        },
      ],
    };
  },
};
