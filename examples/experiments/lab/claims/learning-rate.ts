import { manualSeed, SGD } from '../../../../src/index.ts';
import type { Claim, Run } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, labels, meanLine, outcomesOf, ratios, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, trainToEnd } from '../train.ts';

type Setting = { norm: Norm; lr: number; steps: number; seed: number };
type Outcome = { accuracy: number; diverged: boolean };

/** A network with a lower test accuracy has not learned at that rate. */
const LEARNED = 0.5;

/** A sweep over the learning rate. */
export const learningRate: Claim<Setting, Outcome> = {
  name: 'learning-rate',
  statement: 'It allows higher learning rates.',
  method:
    'The network is trained with learning rates from 0.001 to 3. A rate is usable if the loss stays finite ' +
    'and the trained network classifies more than half of the test images correctly.',
  why: {
    text:
      'If the weights before it grow by a factor, its output stays the same and their gradient shrinks by ' +
      'that factor. A step that is too large therefore lengthens the weights and shortens the steps that ' +
      'follow, where a network without it diverges.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      lr: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      steps: [effort === 'quick' ? 150 : 1000],
      seed: seedsOf(effort),
    }),
  run: async ({ norm, lr, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const optimizer = new SGD(model.parameters(), { lr });
    const finalLoss = trainToEnd(model, training, { steps, seed, optimizer });
    return { accuracy: await accuracyOn(model, test), diverged: !Number.isFinite(finalLoss) };
  },
  judge: (runs) => {
    const [plain, bn] = [usable(runs, 'none'), usable(runs, 'before')];
    const lrs = valuesOf(runs, 'lr');
    const tests = [
      decide({
        statement: 'The highest learning rate at which it learns is higher',
        quantity: 'highest usable rate with it / without',
        expected: 'above',
        threshold: 1,
        ratio: true,
        values: ratios(bn.map(highest), plain.map(highest)),
      }),
      decide({
        statement: 'The range of learning rates at which it learns is wider',
        quantity: '(highest / lowest usable rate) with it / without',
        expected: 'above',
        threshold: 1,
        ratio: true,
        values: ratios(
          bn.map((rates) => highest(rates) / lowest(rates)),
          plain.map((rates) => highest(rates) / lowest(rates)),
        ),
      }),
    ];
    const line = (norm: Norm) =>
      meanLine(
        labels[norm],
        lrs,
        lrs.map((lr) => outcomesOf(runs, { norm, lr }).map(({ accuracy }) => accuracy)),
      );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by learning rate',
          caption: `Test accuracy after ${runs[0].setting.steps} steps at each rate; 0.1 is chance level: training diverged.`,
          chart: {
            kind: 'lines',
            x: { name: 'learning rate', scale: 'log' },
            y: { name: 'test accuracy', min: 0, max: 1 },
            series: [line('none'), line('before')],
          },
        },
      ],
    };
  },
};

/** The learning rates at which a seed's network learns, for each seed. */
function usable(runs: readonly Run<Setting, Outcome>[], norm: Norm): number[][] {
  return valuesOf(runs, 'seed').map((seed) =>
    valuesOf(runs, 'lr').filter((lr) => {
      const [{ accuracy, diverged }] = outcomesOf(runs, { norm, lr, seed });
      return !diverged && accuracy > LEARNED;
    }),
  );
}

/** If no rate is usable, the lowest rate that was tried counts. */
function highest(rates: readonly number[]): number {
  return rates.length === 0 ? 0.001 : Math.max(...rates);
}

function lowest(rates: readonly number[]): number {
  return rates.length === 0 ? 0.001 : Math.min(...rates);
}
