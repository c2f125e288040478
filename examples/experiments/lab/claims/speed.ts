import { manualSeed, SGD } from '../../../../src/index.ts';
import { average } from '../../cli/results.ts';
import type { Claim, Run } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import {
  best,
  combinations,
  labels,
  meanLine,
  outcomesOf,
  ratios,
  seedsOf,
  transposed,
  valuesOf,
} from '../outcomes.ts';
import { decide, median, overall } from '../statistics.ts';
import { accuracyOn, checkpoints, train } from '../train.ts';

type Setting = { norm: Norm; lr: number; steps: number; seed: number };
type Outcome = { at: number[]; accuracy: number[]; stepMilliseconds: number };

/** The share of the final accuracy that must be reached; whether the final value itself is reached is chance. */
const GOAL = 0.99;
/** The learning rate of the first comparison: too low for both networks, as in the paper. */
const SAME = 0.01;

/** Steps and time until an accuracy is reached. */
export const speed: Claim<Setting, Outcome> = {
  name: 'speed',
  statement: 'It makes a network converge in fewer steps and in less time.',
  method:
    'The network is trained with and without batch normalization at several learning rates. The measure is ' +
    `the number of steps until ${100 * GOAL} % of the final accuracy of the network without it is reached: ` +
    `once with the same learning rate of ${SAME} for both, and once with the best learning rate of each. ` +
    'Time is the number of steps times the median time of a step.',
  why: {
    text:
      'Inputs with mean 0 and variance 1 make the loss better conditioned: the gradients of all weights ' +
      'have a comparable size, so one learning rate suits all of them. A step takes only about a tenth more ' +
      'time, so fewer steps also mean less time.',
    section: 'Reading it',
  },
  alone: true,
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      lr: effort === 'quick' ? [SAME, 0.1, 0.3] : [SAME, 0.03, 0.1, 0.3, 1],
      steps: [effort === 'quick' ? 300 : 3000],
      seed: seedsOf(effort),
    }),
  run: async ({ norm, lr, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm });
    const at = checkpoints(steps, 16);
    const accuracy: number[] = [];
    const times: number[] = [];
    const optimizer = new SGD(model.parameters(), { lr });
    for (const { step, milliseconds } of train(model, training, { steps, seed, optimizer })) {
      times.push(milliseconds);
      if (at.includes(step)) accuracy.push(await accuracyOn(model, test));
    }
    return { at, accuracy: at.map((_, i) => accuracy[i] ?? 0), stepMilliseconds: median(times) };
  },
  judge: (runs) => {
    const lrs = valuesOf(runs, 'lr');
    const bestLr = (norm: Norm) =>
      best(new Map(lrs.map((lr) => [lr, outcomesOf(runs, { norm, lr }).map(last)])));
    const [plainLr, bnLr] = [bestLr('none'), bestLr('before')];
    const same = comparison(runs, SAME, SAME);
    const own = comparison(runs, plainLr, bnLr);
    const atBest = `At the best learning rate of each (${plainLr} without, ${bnLr} with)`;
    const question = { expected: 'below', threshold: 1, ratio: true } as const;
    const [steps, time] = ['steps with it / steps without', 'time with it / time without'];
    const tests = [
      {
        statement: `At a learning rate of ${SAME}, it needs fewer steps`,
        quantity: steps,
        values: same.steps,
      },
      { statement: `At a learning rate of ${SAME}, it needs less time`, quantity: time, values: same.time },
      { statement: `${atBest}, it needs fewer steps`, quantity: steps, values: own.steps },
      { statement: `${atBest}, it needs less time`, quantity: time, values: own.time },
    ].map((each) => decide({ ...question, ...each }));
    const line = (norm: Norm, lr: number) => {
      const found = outcomesOf(runs, { norm, lr });
      const label = { ...labels[norm], name: `${norm === 'none' ? 'without' : 'with'}, learning rate ${lr}` };
      const values = transposed(found.map(({ accuracy }) => accuracy));
      return {
        ...meanLine(label, found[0].at, values),
        style: lr === SAME ? ('dashed' as const) : ('solid' as const),
      };
    };
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by steps',
          caption:
            'Accuracy on the test images: dashed with the same low learning rate, solid with the best one of each.',
          chart: {
            kind: 'lines',
            x: { name: 'step', scale: 'log' },
            y: { name: 'test accuracy' },
            series: [line('none', SAME), line('before', SAME), line('none', plainLr), line('before', bnLr)],
          },
        },
      ],
    };
  },
};

/**
 * Steps and time with batch normalization divided by those without, seed by seed. For a network that never reaches the
 * goal, its last step counts.
 */
function comparison(
  runs: readonly Run<Setting, Outcome>[],
  plainLr: number,
  bnLr: number,
): { steps: number[]; time: number[] } {
  const plain = outcomesOf(runs, { norm: 'none', lr: plainLr });
  const bn = outcomesOf(runs, { norm: 'before', lr: bnLr });
  const goals = plain.map((outcome) => GOAL * last(outcome));
  const stepsTo = (outcomes: readonly Outcome[]) =>
    outcomes.map(({ at, accuracy }, i) => {
      const reached = accuracy.findIndex((value) => value >= goals[i]);
      return at[reached < 0 ? at.length - 1 : reached];
    });
  const steps = ratios(stepsTo(bn), stepsTo(plain));
  const [slow, fast] = [bn, plain].map((side) => average(side.map((outcome) => outcome.stepMilliseconds)));
  return { steps, time: steps.map((ratio) => (ratio * slow) / fast) };
}

function last({ accuracy }: Outcome): number {
  return accuracy[accuracy.length - 1];
}
