/** Restores a checkpoint into the model, the optimizer, the loader and the generators: all of them, or none. */
import { formatShape, sameShape } from '../../../kernels/shape.ts';
import type { DataLoader } from '../../data/loader.ts';
import type { Layer, StateDict } from '../../layers/layer.ts';
import type { LearningRate, Optimizer, OptimizerState } from '../../optim/optimizer.ts';
import { expectOptions, GammaBetaError } from '../../tensor/errors.ts';
import { streams } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { CheckpointError, type Source } from './format.ts';
import { type Json, type LoaderState, parseCheckpoint } from './parse.ts';

/** The objects that a checkpoint saves and restores. */
export interface CheckpointParts {
  readonly model: Layer;
  /** Without it, the optimizer's state (such as Adam's moments) is not saved or restored. */
  readonly optimizer?: Optimizer<LearningRate>;
  /** The loader of the training data. Without it, the loader's epoch and settings are not saved or restored. */
  readonly loader?: DataLoader;
}

/** What `restoreCheckpoint` and `loadCheckpoint` return. */
export interface Restored {
  /** The number of completed epochs. */
  readonly epoch: number;
  /** The `extra` that was saved; null if there was none. */
  readonly extra: Json;
}

/** `restoreCheckpoint`; error messages name `source`. */
export function restore(source: Source, bytes: Uint8Array, parts: CheckpointParts): Restored {
  expectOptions(source.op, parts, ['model', 'optimizer', 'loader']);
  const { model, optimizer, loader } = parts;
  const saved = parseCheckpoint(source, bytes);
  expectModel(source, saved.model, model.stateDict());
  if (loader) expectLoader(source, saved.loader, loaderState(loader));
  if (optimizer) restoreOptimizer(source, saved.optimizer, optimizer); // throws before it changes anything
  // Nothing below throws.
  model.loadStateDict(saved.model);
  if (loader && saved.loader) loader.epoch = saved.loader.epoch;
  streams.initialization.state = saved.streams.initialization;
  streams.shuffling.state = saved.streams.shuffling;
  streams.dropout.state = saved.streams.dropout;
  return { epoch: saved.epoch, extra: saved.extra };
}

/** The part of a loader that a checkpoint holds. */
export function loaderState({ epoch, seed, shuffle, batchSize, dropLast, dataset }: DataLoader): LoaderState {
  return { epoch, seed, shuffle, batchSize, dropLast, examples: dataset.labels.length };
}

function refused(
  { op, name }: Source,
  what: string,
  problems: readonly string[],
  hint: string,
): CheckpointError {
  return new CheckpointError(op, `${name} does not fit the ${what}: ${problems.join('; ')}`, hint);
}

/** The saved names, shapes and element types must be those of the model. */
function expectModel(source: Source, saved: Readonly<StateDict>, own: Readonly<StateDict>): void {
  const missing = Object.keys(own).filter((name) => !Object.hasOwn(saved, name));
  const unexpected = Object.keys(saved).filter((name) => !Object.hasOwn(own, name));
  const different = Object.entries(own).flatMap(([name, mine]) =>
    Object.hasOwn(saved, name) && !alike(mine, saved[name])
      ? [`${name} is ${describe(saved[name])}, not ${describe(mine)}`]
      : [],
  );
  const problems = [
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected: ${unexpected.join(', ')}`] : []),
    ...different,
  ];
  if (problems.length === 0) return;
  throw refused(
    source,
    'model',
    problems,
    'build the model that was saved; to load parts of it, use decodeCheckpoint(bytes).model and loadStateDict',
  );
}

/** The saved settings must be those of the loader, so that it yields the same batches. */
function expectLoader(source: Source, saved: LoaderState | null, own: LoaderState): void {
  if (saved === null) throw missingPart(source, 'loader');
  const settings = ['batchSize', 'shuffle', 'seed', 'dropLast', 'examples'] as const;
  const problems = settings.flatMap((name) =>
    saved[name] === own[name] || (name === 'seed' && !saved.shuffle)
      ? []
      : [`${name} is ${saved[name]}, not ${own[name]}`],
  );
  if (problems.length === 0) return;
  throw refused(
    source,
    'loader',
    problems,
    'build the loader that was saved, with the same seed; or leave it out and set loader.epoch',
  );
}

function restoreOptimizer(
  source: Source,
  saved: OptimizerState | null,
  optimizer: Optimizer<LearningRate>,
): void {
  if (saved === null) throw missingPart(source, 'optimizer');
  const problems = optimizer.parameters.flatMap((w, i) =>
    Object.entries(saved.slots[i] ?? {}).flatMap(([name, slot]) =>
      typeof slot === 'number' || alike(slot, w)
        ? []
        : [`${name} of parameter ${i} is ${describe(slot)}, not ${describe(w)}`],
    ),
  );
  const hint = 'build the optimizer that was saved, over the same parameters';
  if (problems.length > 0) throw refused(source, 'optimizer', problems, hint);
  try {
    optimizer.loadStateDict(saved);
  } catch (cause) {
    const reason = cause instanceof GammaBetaError ? cause.message.split('. Hint: ')[0] : String(cause);
    throw new CheckpointError(source.op, `${source.name} does not fit the optimizer: ${reason}`, hint, {
      cause,
    });
  }
}

function missingPart({ op, name }: Source, part: string): CheckpointError {
  return new CheckpointError(op, `${name} has no ${part}`, `it was saved without one: leave ${part} out`);
}

function alike(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

function describe({ shape, dtype }: Tensor): string {
  return `${formatShape(shape)} ${dtype}`;
}
