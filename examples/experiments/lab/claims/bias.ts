import { Adam, BatchNorm1d, manualSeed, type Sequential, SGD, uniform } from '../../../../src/index.ts';
import type { Claim, LabData } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, labels, meanLine, outcomesOf, seedsOf, transposed } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { LEARNING_RATE, train } from '../train.ts';

type Rule = 'SGD' | 'Adam';
type Setting = { rule: Rule; norm: Norm; steps: number; seed: number };
/** log₁₀ |loss with biases − loss without| / loss: the largest of the first steps, and after some of all. */
type Outcome = { largest: number; at: number[]; apart: number[] };

/** What rounding explains: float32 has about seven digits, and a few hundred steps amplify their last. */
const ROUNDING = -3;
/** Below this the losses are equal. */
const EQUAL = 1e-9;
/** The steps of which the largest difference decides. */
const COMPARED = 100;
const POINTS = 50;

const optimizers = {
  SGD: (model: Sequential) => new SGD(model.parameters(), { lr: LEARNING_RATE }),
  Adam: (model: Sequential) => new Adam(model.parameters(), { lr: 0.001 }),
};

/** Two networks that differ in biases alone. */
export const bias: Claim<Setting, Outcome> = {
  name: 'bias',
  statement: 'A bias right before it is redundant.',
  method:
    'Two networks begin with the same weights and see the same images in the same order; the hidden layers of one have ' +
    'biases too, drawn from −0.5 to 0.5. Compared are their losses, step by step. The same two without batch ' +
    'normalization show that such biases do matter elsewhere. The activation is tanh, for it is smooth: where rounding ' +
    'moves an input of ReLU across its kink, the two networks part for another reason.',
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
        statement: 'Without batch normalization, they are not',
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
          title: 'How far the losses are apart',
          caption:
            'Relative difference of the losses of the two networks, as a power of ten: −7 is the rounding of float32, which training amplifies step by step.',
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

/** Those of the hidden layers; the weights were drawn before, and are those of the network without. */
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
