import {
  type Batch,
  Dense,
  manualSeed,
  noGrad,
  type Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../../../src/index.ts';
import { quantile } from '../../cli/quantile.ts';
import { average } from '../../cli/results.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, outcomesOf, ratios, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { backward, fixedBatch, train } from '../train.ts';

type Setting = { norm: Norm; steps: number; seed: number };
/** `path`: percentiles 15, 50, 85 of what goes into one unit, after the steps `at`. */
type Outcome = { at: number[]; path: number[][]; drift: number; gradientChange: number };

const SHARES = [0.15, 0.5, 0.85];
/** With less, sigmoids without batch normalization hardly learn anything. */
const LEARNING_RATE = 1;
/** How often the network is looked at. */
const POINTS = 30;

/** The paper's own reason for batch normalization, and its critics' measure of the same. */
export const covariateShift: Claim<Setting, Outcome> = {
  name: 'covariate-shift',
  statement: 'It reduces the drift of layer inputs, the "internal covariate shift".',
  method:
    "Sigmoid networks are trained as in the paper's first experiment, at a learning rate at which both learn (1). After some of the steps, the inputs of the last hidden " +
    "layer's sigmoids are measured over the same 500 images: their 15th, 50th and 85th percentiles, as in the " +
    "paper's figure. Drift is the distance that these travel during training, relative to the distance between the " +
    'outer two. The second measure is that of Santurkar et al. 2018, https://arxiv.org/abs/1805.11604: how much the gradient of the last ' +
    "hidden layer's weights changes, relatively, when only the layers before it make their step.",
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      steps: [effort === 'quick' ? 600 : 4000],
      seed: seedsOf(effort),
    }),
  run: ({ norm, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm, activation: 'sigmoid' });
    const [watched, batch] = [fixedBatch(test, 500), fixedBatch(training, 256)];
    const optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE });
    const at = [0];
    const paths = [percentiles(model, watched)];
    const changes: number[] = [];
    for (const { step } of train(model, training, { steps, seed, optimizer })) {
      if (step % Math.ceil(steps / POINTS) !== 0) continue;
      at.push(step);
      paths.push(percentiles(model, watched));
      changes.push(gradientChange(model, batch));
    }
    return Promise.resolve({
      at,
      path: paths.map((units) => units[0]),
      drift: average(paths[0].map((_, unit) => travelled(paths.map((units) => units[unit])))),
      gradientChange: average(changes),
    });
  },
  judge: (runs) => {
    const of = (norm: Norm, column: 'drift' | 'gradientChange') =>
      outcomesOf(runs, { norm }).map((outcome) => outcome[column]);
    const question = { expected: 'below', threshold: 1, ratio: true } as const;
    const tests = [
      decide({
        ...question,
        statement: 'The percentiles of the layer inputs travel less',
        quantity: 'distance travelled with it / without',
        values: ratios(of('before', 'drift'), of('none', 'drift')),
      }),
      decide({
        ...question,
        statement: 'A gradient changes less when the layers before it make their step',
        quantity: 'relative change of the gradient with it / without',
        values: ratios(of('before', 'gradientChange'), of('none', 'gradientChange')),
      }),
    ];
    return {
      verdict: overall(tests),
      tests,
      figures: (['none', 'before'] as const).map((norm) => {
        const [{ at, path }] = outcomesOf(runs, { norm });
        return {
          title: `Inputs of one sigmoid, ${norm === 'none' ? 'without' : 'with batch normalization'}`,
          caption:
            'Median of what goes into the first unit of the last hidden layer, and the range from the 15th to the 85th percentile, while the network of the first seed is trained.',
          chart: {
            kind: 'lines' as const,
            x: { name: 'step' },
            y: { name: 'input of the sigmoid' },
            series: [
              {
                name: 'median, 15th … 85th percentile',
                colour: norm === 'none' ? ('plain' as const) : ('bn' as const),
                points: at.map((step, i) => [step, path[i][1]] as const),
                band: at.map((step, i) => [step, path[i][0], path[i][2]] as const),
              },
            ],
          },
        };
      }),
    };
  },
};

/** Of what goes into each sigmoid of the last hidden layer: [unit][percentile]. In training mode, as it is trained. */
function percentiles(model: Sequential, { x, shape }: Batch): number[][] {
  const state = model.stateDict(); // the running statistics shall not see this batch
  const inputs = noGrad(() =>
    model.layers.slice(0, -2).reduce<Tensor>((y, layer) => layer.forward(y), tensor(x, { shape })),
  );
  model.loadStateDict(state);
  const [rows, units] = inputs.shape;
  const values = inputs.dataSync();
  return Array.from({ length: units }, (_, unit) => {
    const column = Float64Array.from({ length: rows }, (_, row) => values[row * units + unit]).sort();
    return SHARES.map((share) => quantile(column, share));
  });
}

/** Σ |qₜ₊₁ − qₜ| over the mean width q₈₅ − q₁₅, the mean of the three percentiles q. */
function travelled(path: readonly (readonly number[])[]): number {
  const width = average(path.map(([low, , high]) => high - low));
  const distances = SHARES.map((_, k) =>
    path.slice(1).reduce((sum, percentile, t) => sum + Math.abs(percentile[k] - path[t][k]), 0),
  );
  return average(distances) / width;
}

/** ‖G′ − G‖/‖G‖: G the gradient of the last hidden layer's weights, G′ the same after a step of the layers before it. */
function gradientChange(model: Sequential, batch: Batch): number {
  const hidden = model.layers.filter((layer) => layer instanceof Dense).slice(0, -1);
  const last = hidden[hidden.length - 1];
  const state = model.stateDict();
  const before = gradientOf(model, last, batch);
  const earlier = model.layers.slice(0, model.layers.indexOf(last)).flatMap((layer) => layer.parameters());
  new SGD(earlier, { lr: LEARNING_RATE }).step();
  const after = gradientOf(model, last, batch);
  model.loadStateDict(state);
  return after.sub(before).pow(2).sum().sqrt().div(before.pow(2).sum().sqrt()).item();
}

function gradientOf(model: Sequential, layer: Dense, batch: Batch): Tensor {
  backward(model, batch);
  const { grad } = layer.weight;
  if (grad === null) throw new Error('the loss is not finite'); // sigmoids at this learning rate: it always is
  return grad.detach();
}
