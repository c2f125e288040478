import {
  type Batch,
  BatchNorm1d,
  Dense,
  Layer,
  manualSeed,
  noGrad,
  Sequential,
  SGD,
  type Tensor,
  tensor,
  uniform,
} from '../../../../src/index.ts';
import { quantile } from '../../cli/quantile.ts';
import { average } from '../../cli/results.ts';
import type { Claim } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { combinations, differences, outcomesOf, ratios, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, backward, fixedBatch, train } from '../train.ts';

/** `noise`: whether noise follows each batch normalization. */
type Setting = { norm: Norm; noise: boolean; steps: number; seed: number };
/**
 * `path`: percentiles 15, 50, 85 of the input of one unit, after the steps `at`. `accuracy`: the mean of the test accuracies
 * at these steps.
 */
type Outcome = { at: number[]; path: number[][]; drift: number; gradientChange: number; accuracy: number };

const SHARES = [0.15, 0.5, 0.85];
/** At lower rates, sigmoid networks without batch normalization hardly learn. */
const LEARNING_RATE = 1;
/** The number of measurements. */
const POINTS = 30;

/** The paper's own explanation of batch normalization, with its measure and one of its critics. */
export const covariateShift: Claim<Setting, Outcome> = {
  name: 'covariate-shift',
  statement: 'It works by reducing the drift of layer inputs, the "internal covariate shift".',
  method:
    "Sigmoid networks are trained as in the paper's first experiment, at a learning rate of 1, with which " +
    "both learn. At regular intervals, the inputs of the last hidden layer's sigmoids are measured over the " +
    "same 500 images: their 15th, 50th and 85th percentiles, as in the paper's figure. Drift is the " +
    'distance that these percentiles travel during training, divided by the distance between the outer two. ' +
    'The second measure is that of Santurkar et al. 2018, https://arxiv.org/abs/1805.11604: the relative ' +
    "change of the gradient of the last hidden layer's weights when only the layers before it are updated. The third " +
    'part repeats an experiment of theirs, to see whether less drift is the reason for faster training: after each batch ' +
    'normalization, every unit is multiplied by a number from 0.5 to 1.5 and shifted by one from −1 to 1, which ' +
    'are random and change in each step. Speed is the mean of the test accuracies at all measurements.',
  why: {
    text:
      'β and γ set the mean and the standard deviation of each input, so an update of the layers before can ' +
      'only change the shape of its distribution, and the gradient of a layer, which is computed from its inputs, ' +
      'changes less too. With noise the inputs drift more than without batch normalization, and the network still ' +
      'learns faster: less drift is not the reason.',
    section: 'What is computed',
  },
  settings: (effort) => {
    const steps = [effort === 'quick' ? 600 : 4000];
    const seed = seedsOf(effort);
    return [
      ...combinations<Setting>({ norm: ['none', 'before'], noise: [false], steps, seed }),
      ...combinations<Setting>({ norm: ['before'], noise: [true], steps, seed }),
    ];
  },
  run: async ({ norm, noise, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const net = network({ norm, activation: 'sigmoid' });
    const model = noise ? withNoise(net) : net;
    const [watched, batch] = [fixedBatch(test, 500), fixedBatch(training, 256)];
    const optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE });
    const at = [0];
    const paths = [percentiles(model, watched)];
    const changes: number[] = [];
    const accuracies: number[] = [];
    for (const { step } of train(model, training, { steps, seed, optimizer })) {
      if (step % Math.ceil(steps / POINTS) !== 0) continue;
      at.push(step);
      paths.push(percentiles(model, watched));
      changes.push(gradientChange(model, batch));
      accuracies.push(await accuracyOn(model, test));
    }
    return {
      at,
      path: paths.map((units) => units[0]),
      drift: average(paths[0].map((_, unit) => travelled(paths.map((units) => units[unit])))),
      gradientChange: average(changes),
      accuracy: average(accuracies),
    };
  },
  judge: (runs) => {
    type Column = 'drift' | 'gradientChange' | 'accuracy';
    const of = (norm: Norm, column: Column) =>
      outcomesOf(runs, { norm, noise: false }).map((outcome) => outcome[column]);
    const noisy = (column: Column) => outcomesOf(runs, { noise: true }).map((outcome) => outcome[column]);
    const question = { expected: 'below', threshold: 1, ratio: true } as const;
    const tests = [
      decide({
        ...question,
        statement: 'The percentiles of the layer inputs travel a shorter distance',
        quantity: 'distance travelled with it / without',
        values: ratios(of('before', 'drift'), of('none', 'drift')),
      }),
      decide({
        ...question,
        statement: 'A gradient changes less when the layers before it are updated',
        quantity: 'relative change of the gradient with it / without',
        values: ratios(of('before', 'gradientChange'), of('none', 'gradientChange')),
      }),
      decide({
        statement: 'With noise after it, the percentiles travel a longer distance than without it',
        quantity: 'distance travelled with it and noise / without',
        expected: 'above',
        threshold: 1,
        ratio: true,
        values: ratios(noisy('drift'), of('none', 'drift')),
      }),
      decide({
        statement: 'With noise after it, the network learns no faster than without it',
        quantity: 'mean test accuracy during training, with it and noise − without',
        expected: 'below',
        threshold: 0,
        values: differences(noisy('accuracy'), of('none', 'accuracy')),
      }),
    ];
    const shown = [
      { name: 'without', colour: 'plain', where: { norm: 'none', noise: false } },
      { name: 'with batch normalization', colour: 'bn', where: { norm: 'before', noise: false } },
      { name: 'with batch normalization and noise', colour: 'other', where: { noise: true } },
    ] as const;
    return {
      verdict: overall(tests),
      tests,
      figures: shown.map(({ name, colour, where }) => {
        const [{ at, path }] = outcomesOf(runs, where);
        return {
          title: `Inputs of one sigmoid, ${name}`,
          caption:
            'Input of the first unit of the last hidden layer during training with the first seed: the median, and the range from the 15th to the 85th percentile.',
          chart: {
            kind: 'lines' as const,
            x: { name: 'step' },
            y: { name: 'input of the sigmoid' },
            series: [
              {
                name: 'median, 15th … 85th percentile',
                colour,
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

/** The network with noise after each batch normalization. */
function withNoise({ layers }: Sequential): Sequential {
  return new Sequential(
    ...layers.flatMap<Layer>((layer) => (layer instanceof BatchNorm1d ? [layer, new Noise()] : [layer])),
  );
}

/** y = a·x + b in training mode, where a and b are new random numbers for each unit in each call; y = x in evaluation. */
class Noise extends Layer {
  override forward(x: Tensor): Tensor {
    if (!this.training) return x;
    const units = x.shape[1];
    return x.mul(uniform([units], 0.5, 1.5)).add(uniform([units], -1, 1));
  }
}

/** Percentiles of the input of each sigmoid of the last hidden layer, in training mode: [unit][percentile]. */
function percentiles(model: Sequential, { x, shape }: Batch): number[][] {
  const state = model.stateDict(); // to restore the running statistics
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

/** Σ |qₜ₊₁ − qₜ| divided by the mean width q₈₅ − q₁₅; the mean over the three percentiles q. */
function travelled(path: readonly (readonly number[])[]): number {
  const width = average(path.map(([low, , high]) => high - low));
  const distances = SHARES.map((_, k) =>
    path.slice(1).reduce((sum, percentile, t) => sum + Math.abs(percentile[k] - path[t][k]), 0),
  );
  return average(distances) / width;
}

/** ‖G′ − G‖/‖G‖: G is the gradient of the last hidden layer's weights, G′ that gradient after updating the layers before. */
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
  if (grad === null) throw new Error('the loss is not finite'); // never happens with sigmoids at this learning rate
  return grad.detach();
}
