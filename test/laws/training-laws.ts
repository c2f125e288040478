/** Training runs and the laws about them, for `training.test.ts`. */
import {
  crossEntropy,
  DataLoader,
  type Dataset,
  digits,
  evaluate,
  type Layer,
  manualSeed,
  type Sequential,
  SGD,
  tensor,
} from '../../src/index.ts';
import { snapshot } from '../layers/helpers.ts';
import { values } from '../tensors.ts';

/** The results of a training run by name: losses, gradients, parameters and running statistics. */
export type Results = ReadonlyMap<string, readonly number[]>;

const data: Dataset = digits({ count: 320, seed: 1 });

/** Trains a network on the built-in digits for some steps of SGD. The seed is 1. */
export function train(makeModel: () => Sequential, steps: number): { results: Results; model: Sequential } {
  manualSeed(1);
  const model = makeModel();
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const results = new Map<string, readonly number[]>();
  let step = 0;
  for (const { x, shape, labels } of new DataLoader(data, { batchSize: 32 })) {
    if (++step > steps) break;
    const loss = crossEntropy(model.forward(tensor(x, { shape })), labels);
    optimizer.zeroGrad();
    loss.backward();
    results.set(`loss, step ${step}`, values(loss));
    for (const [name, w] of model.namedParameters()) {
      results.set(`gradient of ${name}, step ${step}`, values(w.grad));
    }
    optimizer.step();
  }
  for (const [name, x] of stateOf(model)) results.set(`${name} after training`, x);
  return { results, model };
}

/** All parameters and buffers, by name. */
function stateOf(model: Layer): Results {
  return new Map(Object.entries(snapshot(model)));
}

/** The loss of each step. */
export function lossesOf(results: Results): number[] {
  return [...results].flatMap(([name, found]) => (name.startsWith('loss') ? [...found] : []));
}

/**
 * Two runs have the same results: each value within `tolerance` times the largest of its tensor, or bit for bit if the
 * tolerance is 0.
 */
export function expectSameResults(found: Results, expected: Results, tolerance = 0): void {
  for (const [name, reference] of expected) {
    const result = found.get(name);
    if (result?.length !== reference.length) throw new Error(`${name}: ${result?.length ?? 'no'} values`);
    const largest = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    reference.forEach((value, at) => {
      const difference = Math.abs(result[at] - value);
      const isSame = tolerance === 0 ? Object.is(result[at], value) : difference <= tolerance * largest;
      if (!isSame) throw new Error(`${name}[${at}] is ${result[at]}, and not ${value}`);
    });
  }
}

/** Evaluation does not change parameters and running statistics. */
export async function expectEvaluationChangesNothing(model: Sequential): Promise<void> {
  const before = stateOf(model);
  await evaluate(model, data);
  expectSameResults(stateOf(model), before);
}
