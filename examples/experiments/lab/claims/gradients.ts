import { Dense, manualSeed, type Sequential } from '../../../../src/index.ts';
import { type Claim, type Effort } from '../claim.ts';
import { type Activation, network, type Norm } from '../nets.ts';
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
import { accuracyOn, backward, fixedBatch, trainToEnd } from '../train.ts';

type Setting = {
  activation: Activation;
  norm: Norm;
  depth: number;
  steps: number;
  seed: number;
};
/** `norms`: root mean square of the weight gradient of each layer between hidden layers, first layer first. */
type Outcome = { norms: number[]; accuracy: number };

const WIDTH = 50;
const tested = ['sigmoid', 'tanh', 'relu'] as const satisfies Activation[];
const depths = (effort: Effort) => (effort === 'quick' ? [10] : [10, 20]);

/** Gradients of deep networks before training, and their accuracy after it. */
export const gradients: Claim<Setting, Outcome> = {
  name: 'gradients',
  statement: 'It prevents vanishing and exploding gradients in deep networks.',
  method:
    `Networks of 10 and 20 hidden layers (with --quick, 10 only), ${WIDTH} units wide. Before training, the ` +
    'gradient of the loss of 256 images is computed for the weights of each layer. Its root mean square in ' +
    'the first layer between hidden layers, divided by that in the last one, shows how much gradients ' +
    'vanish (below 1) or explode (above 1) on the way back. Then the networks are trained.',
  why: {
    text:
      'The backward pass multiplies by γ·rstd, which is large where the signal is small: this compensates ' +
      "for sigmoid, whose slope is at most 1/4. With Glorot's and He's initialization, tanh and ReLU " +
      'already keep the size of the gradient, and there each batch normalization makes it grow a little on ' +
      'the way back.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      activation: tested,
      norm: ['none', 'before'],
      depth: depths(effort),
      steps: [effort === 'quick' ? 150 : 1000],
      seed: seedsOf(effort),
    }),
  run: async ({ activation, norm, depth, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ activation, norm, depth, width: WIDTH });
    backward(model, fixedBatch(training, 256));
    const norms = gradientNorms(model);
    trainToEnd(model, training, { steps, seed });
    return { norms, accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const tests = valuesOf(runs, 'depth').flatMap((depth) =>
      tested.flatMap((activation) => {
        const of = (norm: Norm) => outcomesOf(runs, { activation, norm, depth });
        const [plain, bn] = [of('none'), of('before')];
        return [
          decide({
            statement: `${depth} layers, ${activation}: the gradient changes less from the last layer to the first`,
            quantity: '|log₁₀(first/last)| with it − without',
            expected: 'below',
            threshold: 0,
            values: differences(bn.map(change), plain.map(change)),
          }),
          decide({
            statement: `${depth} layers, ${activation}: the trained network is more accurate`,
            quantity: 'test accuracy with it − without',
            expected: 'above',
            threshold: 0,
            values: differences(
              bn.map(({ accuracy }) => accuracy),
              plain.map(({ accuracy }) => accuracy),
            ),
          }),
        ];
      }),
    );
    const depth = Math.max(...valuesOf(runs, 'depth'));
    const line = (activation: Activation, norm: Norm) => {
      const norms = transposed(outcomesOf(runs, { activation, norm, depth }).map((outcome) => outcome.norms));
      return meanLine(
        labels[norm],
        norms.map((_, i) => i + 2), // layer 1, from the input, has another shape
        norms,
      );
    };
    return {
      verdict: overall(tests),
      tests,
      figures: tested.map((activation) => ({
        title: `Gradients before training, ${depth} layers, ${activation}`,
        caption:
          "Root mean square of the gradient of each layer's weights, from the first layer to the last.",
        chart: {
          kind: 'lines',
          x: { name: 'layer' },
          y: { name: 'gradient', scale: 'log' },
          series: [line(activation, 'none'), line(activation, 'before')],
        },
      })),
    };
  },
};

function gradientNorms(model: Sequential): number[] {
  const hidden = model.layers.filter((layer) => layer instanceof Dense).slice(1, -1);
  return hidden.map(({ weight }) => Math.max(weight.grad?.pow(2).mean().sqrt().item() ?? 0, SMALLEST));
}

/** The smallest normal number of float32, in place of a gradient of exactly 0, which has no logarithm. */
const SMALLEST = 2 ** -126;

function change({ norms }: Outcome): number {
  return Math.abs(Math.log10(norms[0] / norms[norms.length - 1]));
}
