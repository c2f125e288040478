import {
  BatchNorm1d,
  type Batch,
  manualSeed,
  noGrad,
  type Sequential,
  tensor,
} from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network } from '../nets.ts';
import { combinations, labels, meanLine, outcomesOf, seedsOf, transposed } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { fixedBatch, train } from '../train.ts';
import { quantile } from '../../cli/quantile.ts';
import { average } from '../../cli/results.ts';

type Setting = { steps: number; seed: number };
/** Distances from β and |γ| in units of the mean |γ|; percentiles 5, 50, 95 of γ and β after the steps `at`. */
type Outcome = {
  training: { mean: number; deviation: number };
  evaluation: { mean: number; deviation: number };
  at: number[];
  gamma: number[][];
  beta: number[][];
};

const POINTS = 30;
const SHARES = [0.05, 0.5, 0.95];

/** Means and standard deviations of the outputs, and γ and β during training. */
export const outputs: Claim<Setting, Outcome> = {
  name: 'outputs',
  statement: 'Its outputs have mean β and standard deviation |γ|.',
  method:
    'After training, the outputs of each normalized unit are measured: over a batch of 256 in training ' +
    'mode, where the claim should hold up to ε, and over all test images in evaluation mode, where running ' +
    'statistics replace those of the batch. All γ and β are recorded during training.',
  why: {
    text:
      'xhat has mean 0 and variance σ²/(σ² + ε) by construction, so y = γ·xhat + β has mean β and a ' +
      'standard deviation just below |γ|. Evaluation uses running averages over earlier batches, which ' +
      'differ a little from the statistics of the test images.',
    section: 'What is computed',
  },
  settings: (effort) =>
    combinations<Setting>({ steps: [effort === 'quick' ? 400 : 3000], seed: seedsOf(effort) }),
  run: ({ steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm: 'before' });
    const at: number[] = [0];
    const [gamma, beta] = [[percentiles(model, 'gamma')], [percentiles(model, 'beta')]];
    for (const { step } of train(model, training, { steps, seed })) {
      if (step % Math.ceil(steps / POINTS) !== 0) continue;
      at.push(step);
      gamma.push(percentiles(model, 'gamma'));
      beta.push(percentiles(model, 'beta'));
    }
    const inEvaluation = offBy(model.eval(), fixedBatch(test, test.labels.length));
    const inTraining = offBy(model.train(), fixedBatch(training, 256));
    return Promise.resolve({
      training: { mean: Math.max(...inTraining.mean), deviation: Math.max(...inTraining.deviation) },
      evaluation: { mean: average(inEvaluation.mean), deviation: average(inEvaluation.deviation) },
      at,
      gamma,
      beta,
    });
  },
  judge: (runs) => {
    const found = outcomesOf(runs, {});
    const tests = [
      decide({
        statement: 'In training mode, the mean of every unit is β',
        quantity: 'largest |mean − β| in units of |γ|',
        expected: 'below',
        threshold: 0.001,
        values: found.map(({ training }) => training.mean),
      }),
      decide({
        statement: 'In training mode, the standard deviation of every unit is |γ|',
        quantity: 'largest |deviation − |γ|| in units of |γ|',
        expected: 'below',
        threshold: 0.01,
        values: found.map(({ training }) => training.deviation),
      }),
      decide({
        statement: 'In evaluation mode, the mean is β within a tenth of |γ| on average',
        quantity: 'average |mean − β| in units of |γ|',
        expected: 'below',
        threshold: 0.1,
        values: found.map(({ evaluation }) => evaluation.mean),
      }),
      decide({
        statement: 'In evaluation mode, the standard deviation is |γ| within a tenth of |γ| on average',
        quantity: 'average |deviation − |γ|| in units of |γ|',
        expected: 'below',
        threshold: 0.1,
        values: found.map(({ evaluation }) => evaluation.deviation),
      }),
    ];
    const figure = (key: 'gamma' | 'beta', symbol: string) => {
      const line = (share: number, name: string) =>
        meanLine(
          { ...labels.before, name },
          found[0].at,
          transposed(found.map((outcome) => outcome[key].map((at) => at[share]))),
        );
      return {
        title: `${symbol} during training`,
        caption: `The 5th, 50th and 95th percentile of all ${symbol} of the network during training.`,
        chart: {
          kind: 'lines' as const,
          x: { name: 'step' },
          y: { name: symbol },
          series: [
            { ...line(2, '95th percentile'), style: 'dashed' as const },
            line(1, 'median'),
            { ...line(0, '5th percentile'), style: 'dotted' as const },
          ],
        },
      };
    };
    return { verdict: overall(tests), tests, figures: [figure('gamma', 'γ'), figure('beta', 'β')] };
  },
};

function normsOf(model: Sequential): BatchNorm1d[] {
  return model.layers.filter((layer) => layer instanceof BatchNorm1d);
}

function percentiles(model: Sequential, key: 'gamma' | 'beta'): number[] {
  const values = normsOf(model).flatMap((layer) => [...(layer[key]?.dataSync() ?? [])]);
  values.sort((a, b) => a - b);
  return SHARES.map((share) => quantile(values, share));
}

/** |mean − β| and |deviation − |γ|| of each unit of each normalized layer, divided by the mean |γ| of its layer. */
function offBy(model: Sequential, { x, shape }: Batch): { mean: number[]; deviation: number[] } {
  const off = { mean: [] as number[], deviation: [] as number[] };
  let y = tensor(x, { shape });
  for (const layer of model.layers) {
    const input = y;
    y = noGrad(() => layer.forward(input));
    if (!(layer instanceof BatchNorm1d)) continue;
    const { gamma, beta } = layer;
    if (gamma === null || beta === null) continue;
    const size = gamma.abs();
    const unit = size.mean().item();
    off.mean.push(...y.mean(0).sub(beta).abs().div(unit).dataSync());
    off.deviation.push(...y.variance(0).sqrt().sub(size).abs().div(unit).dataSync());
  }
  return off;
}
