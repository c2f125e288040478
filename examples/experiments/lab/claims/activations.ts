import { manualSeed } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { type Activation, activations as names, network, type Norm, norms } from '../nets.ts';
import { combinations, differences, labels, meanBars, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, trainToEnd } from '../train.ts';

type Setting = { activation: Activation; norm: Norm; steps: number; seed: number };
type Outcome = { accuracy: number };

/** Each activation without batch normalization, with it before the activation, and with it after. */
export const activations: Claim<Setting, Outcome> = {
  name: 'activations',
  statement: 'It helps with any activation, and it belongs before the activation.',
  method:
    'The network is trained with each activation: without batch normalization, with it before the ' +
    'activation as in the paper, and with it after the activation.',
  why: {
    text:
      'Before the activation, it keeps the inputs of a sigmoid or tanh where the slope is large, and lets a ' +
      'ReLU be active for about half of a batch. After the activation, it gives the next layer inputs with ' +
      'mean 0 and variance 1 whatever the range of the activation, which is the better place for sigmoid ' +
      'and tanh here.',
    section: 'What is computed',
  },
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
