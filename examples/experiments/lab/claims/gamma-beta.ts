import { BatchNorm1d, manualSeed, type Sequential, SGD, type Tensor } from '../../../../src/index.ts';
import type { Claim } from '../claim.ts';
import { network } from '../nets.ts';
import { combinations, differences, meanBars, outcomesOf, seedsOf, valuesOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { accuracyOn, LEARNING_RATE, trainToEnd } from '../train.ts';

type Variant = 'all parameters' | 'γ = 1, β = 0' | 'only γ and β' | 'only the last layer';
type Setting = { variant: Variant; depth: number; steps: number; seed: number };
type Outcome = { accuracy: number };

/** The use of γ and β: fixed, and trained alone. */
export const gammaBeta: Claim<Setting, Outcome> = {
  name: 'gamma-beta',
  statement: 'Its γ and β let the network learn the representation that suits it.',
  method:
    'Networks with 3 and 6 hidden layers are trained as usual, with γ and β fixed at 1 and 0, with nothing but γ and β ' +
    'trained (all weights stay as they were drawn), and with nothing but the last layer trained, for comparison. Chance ' +
    'is an accuracy of 0.1.',
  why: {
    text:
      'With γ and β fixed, the weights of the next layer can still scale and shift what they read, so only the place where ' +
      'an activation cuts is lost. Trained alone, γ and β choose among random features: each can be made stronger, weaker ' +
      'or be switched off by an activation.',
    section: 'What is computed',
  },
  settings: (effort) =>
    combinations<Setting>({
      variant: ['all parameters', 'γ = 1, β = 0', 'only γ and β', 'only the last layer'],
      depth: [3, 6],
      steps: [effort === 'quick' ? 200 : 2000],
      seed: seedsOf(effort),
    }),
  run: async ({ variant, depth, steps, seed }, { training, test }) => {
    manualSeed(seed);
    const model = network({ norm: 'before', depth, affine: variant !== 'γ = 1, β = 0' });
    const optimizer = new SGD(trained(model, variant), { lr: LEARNING_RATE });
    trainToEnd(model, training, { steps, optimizer, seed });
    return { accuracy: await accuracyOn(model, test) };
  },
  judge: (runs) => {
    const depths = valuesOf(runs, 'depth');
    const variants = valuesOf(runs, 'variant');
    const of = (variant: Variant, depth: number) =>
      outcomesOf(runs, { variant, depth }).map(({ accuracy }) => accuracy);
    const tests = depths.flatMap((depth) => [
      decide({
        statement: `${depth} layers: accuracy is higher with learned γ and β than with 1 and 0`,
        quantity: 'test accuracy, learned − fixed',
        expected: 'above',
        threshold: 0,
        values: differences(of('all parameters', depth), of('γ = 1, β = 0', depth)),
      }),
      decide({
        statement: `${depth} layers: γ and β alone, with random weights, classify more than half of the images`,
        quantity: 'test accuracy, only γ and β trained',
        expected: 'above',
        threshold: 0.5,
        values: of('only γ and β', depth),
      }),
    ]);
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Accuracy by what is trained',
          caption: `Test accuracy after ${runs[0].setting.steps} steps, by the number of hidden layers; 0.1 is chance level.`,
          chart: {
            kind: 'bars',
            categories: depths.map((depth) => `${depth} layers`),
            y: { name: 'test accuracy', min: 0, max: 1 },
            series: variants.map((variant, k) =>
              meanBars(
                { name: variant, colour: (['bn', 'other', 'fourth', 'neutral'] as const)[k] },
                depths.map((depth) => of(variant, depth)),
              ),
            ),
          },
        },
      ],
    };
  },
};

/** The parameters that are trained. */
function trained(model: Sequential, variant: Variant): Tensor[] {
  if (variant === 'only γ and β') {
    return model.layers
      .filter((layer) => layer instanceof BatchNorm1d)
      .flatMap((layer) => layer.parameters());
  }
  if (variant === 'only the last layer') return model.layers.slice(-1).flatMap((layer) => layer.parameters());
  return model.parameters();
}
