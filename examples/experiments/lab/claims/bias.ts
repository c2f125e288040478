import { Adam, BatchNorm1d, manualSeed, type Sequential, SGD, uniform } from '../../../../src/index.ts';
import type { Claim, LabData } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, labels, meanLine, outcomesOf, seedsOf, transposed } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { LEARNING_RATE, train } from '../train.ts';

type Rule = 'SGD' | 'Adam';
type Setting = { rule: Rule; norm: Norm; steps: number; seed: number };
/** log₁₀ |loss with biases − loss without| / loss: `largest` over the first steps, `apart` after the steps `at`. */
type Outcome = { largest: number; at: number[]; apart: number[] };

/** Differences below 10⁻³ are rounding: float32 has about seven digits, and training amplifies the last one. */
const ROUNDING = -3;
/** Smaller relative differences count as this one: 0 has no logarithm. */
const EQUAL = 1e-9;
/** The number of steps over which the largest difference is taken. */
const COMPARED = 100;
const POINTS = 50;

const optimizers = {
  SGD: (model: Sequential) => new SGD(model.parameters(), { lr: LEARNING_RATE }),
  Adam: (model: Sequential) => new Adam(model.parameters(), { lr: 0.001 }),
};

/** Two networks that differ only in their biases. */
export const bias: Claim<Setting, Outcome> = {
  name: 'bias',
  statement: 'A bias right before it is redundant.',
  method:
    'Two networks start with the same weights and see the same images in the same order. The hidden layers ' +
    'of one of them also have biases, drawn from −0.5 to 0.5. Their losses are compared step by step. The ' +
    'same comparison without batch normalization shows that such biases matter elsewhere. The activation is ' +
    'tanh because it is smooth: at the kink of ReLU, a rounding difference would separate the two networks ' +
    'for another reason.',
  why: {
    text:
      'Subtracting the mean of a column removes every constant that was added to it, so the output does not ' +
      'depend on the bias. The gradient of the bias is the sum of dx over the batch, which is 0, so ' +
      'training does not change it either.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      rule: ['SGD', 'Adam'],
      norm: ['before', 'none'],
      steps: [effort === 'quick' ? 150 : 500],
      seed: seedsOf(effort),
    }),
  run: ({ rule, norm, steps, seed }, { training }) => {
    const losses = [false, true].map((biased) => lossesOf({ rule, norm, steps, seed }, biased, training));
    const [without, withBias] = losses;
    const apart = without.map((loss, i) => Math.log10(Math.max(Math.abs(withBias[i] - loss) / loss, EQUAL)));
    const at = Array.from({ length: POINTS }, (_, i) => 1 + Math.floor((i * (steps - 1)) / (POINTS - 1)));
    return Promise.resolve({
      largest: Math.max(...apart.slice(0, COMPARED)),
      at,
      apart: at.map((step) => apart[step - 1]),
    });
  },
  judge: (runs) => {
    const most = (rule: Rule, norm: Norm) => outcomesOf(runs, { rule, norm }).map(({ largest }) => largest);
    const quantity = `log₁₀ of the largest relative difference of the losses in ${COMPARED} steps`;
    const tests = [
      ...(['SGD', 'Adam'] as const).map((rule) =>
        decide({
          statement: `With ${rule}, the losses with and without the biases are equal up to rounding`,
          quantity,
          expected: 'below',
          threshold: ROUNDING,
          values: most(rule, 'before'),
        }),
      ),
      decide({
        statement: 'Without batch normalization, the losses differ',
        quantity,
        expected: 'above',
        threshold: ROUNDING,
        values: most('SGD', 'none'),
      }),
    ];
    const line = (name: string, rule: Rule, norm: Norm) => {
      const found = outcomesOf(runs, { rule, norm });
      const apart = transposed(found.map((outcome) => outcome.apart));
      return meanLine({ ...labels[norm], name }, found[0].at, apart);
    };
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Difference of the losses',
          caption:
            'Relative difference of the losses of the two networks, as a power of ten. −7 is the rounding error of float32, which training amplifies step by step.',
          chart: {
            kind: 'lines',
            x: { name: 'step' },
            y: { name: 'log₁₀ of the difference' },
            series: [
              line('without, SGD', 'SGD', 'none'),
              line('with batch normalization, SGD', 'SGD', 'before'),
              { ...line('with, Adam', 'Adam', 'before'), style: 'dashed' },
            ],
          },
        },
      ],
    };
  },
};

function lossesOf(
  { rule, norm, steps, seed }: Setting,
  biased: boolean,
  training: LabData['training'],
): number[] {
  manualSeed(seed);
  const model = network({ norm, bias: biased, activation: 'tanh' });
  if (biased) drawBiases(model);
  const optimizer = optimizers[rule](model);
  return Array.from(train(model, training, { steps, seed, optimizer }), ({ loss }) => loss);
}

/** Draws the biases of the hidden layers; the weights, drawn before, equal those of the network without biases. */
function drawBiases(model: Sequential): void {
  const state = model.stateDict();
  const output = model.layers.length - 1;
  for (const [i, layer] of model.layers.entries()) {
    const name = `${i}.bias`;
    if (layer instanceof BatchNorm1d || i === output || !(name in state)) continue;
    state[name] = uniform(state[name].shape, -0.5, 0.5);
  }
  model.loadStateDict(state);
}
