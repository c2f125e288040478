/** What a training run has to itself: its model, optimizer and loader, and the choice of the device. */
import type { DataLoader } from '../data/loader.ts';
import { Dropout } from '../layers/dropout.ts';
import type { Layer } from '../layers/layer.ts';
import { Optimizer } from '../optim/optimizer.ts';
import type { LearningRate } from '../optim/optimizer-options.ts';
import { holdDevice, BusyError } from '../tensor/device/hold.ts';
import { shown, ValueError } from '../tensor/errors.ts';

interface Parts {
  readonly model: Layer;
  readonly optimizer: Optimizer<LearningRate>;
  readonly loader?: DataLoader;
}

/** The layers, optimizers and loaders in use, each with the function that uses it. */
const inUse = new Map<object, string>();

/**
 * Reserves the parts of a training run.
 *
 * @returns A function that releases them.
 * @throws {BusyError} Another training run uses one of them, or both models draw from the dropout stream.
 * @throws {ValueError} The optimizer trains no parameter of the model.
 */
export function reserve(op: string, { model, optimizer, loader }: Parts): () => void {
  const layers = model.modules();
  for (const [part, name] of [
    ...layers.map((layer) => [layer, `the model ${layer.toString()}`] as const),
    [optimizer, 'the optimizer'] as const,
    ...(loader ? [[loader, 'the loader'] as const] : []),
  ]) {
    const by = inUse.get(part);
    if (by !== undefined) throw busy(op, `${name} is in use by ${by}`);
  }
  const drops = (layer: object): boolean => layer instanceof Dropout;
  if (layers.some(drops) && [...inUse.keys()].some(drops)) {
    throw busy(
      op,
      'another model with dropout is being trained, and both draw from one stream of random numbers',
    );
  }
  expectTrained(op, model, optimizer);
  const parts = [...layers, optimizer, ...(loader ? [loader] : [])];
  for (const part of parts) inUse.set(part, op);
  const finish = holdDevice(op);
  return () => {
    finish();
    for (const part of parts) inUse.delete(part);
  };
}

function busy(op: string, problem: string): BusyError {
  return new BusyError(op, problem, 'wait for it: await the first call before the next one');
}

/** Otherwise training would change nothing. */
function expectTrained(op: string, model: Layer, optimizer: Optimizer<LearningRate>): void {
  const parameters = new Set(model.parameters());
  const own = optimizer.parameters.filter((p) => parameters.has(p));
  if (own.length === 0) {
    const problem = `the optimizer holds none of the ${parameters.size} parameters of the model`;
    throw new ValueError(op, problem, 'make the optimizer with model.parameters() of this model');
  }
  if (own.some((p) => p.requiresGrad)) return;
  const all =
    own.length === parameters.size
      ? 'no parameter of the model'
      : 'none of the parameters that the optimizer holds';
  throw new ValueError(
    op,
    `${all} requires a gradient`,
    'call unfreeze for a layer, or give the optimizer others',
  );
}

/** Checks that a value is an optimizer. */
export function expectOptimizer(op: string, optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  const problem = `optimizer is not an optimizer: ${shown(optimizer)}`;
  throw new ValueError(op, problem, 'pass one, such as new SGD(model.parameters(), { lr: 0.1 })');
}
