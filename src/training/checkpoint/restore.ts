/** From a checkpoint back into model, optimizer, loader and generators: all of them, or none. */
import { formatShape, sameShape } from '../../../kernels/shape.ts';
import type { DataLoader } from '../../data/loader.ts';
import type { Layer, StateDict } from '../../layers/layer.ts';
import type { LearningRate, Optimizer, OptimizerState } from '../../optim/optimizer.ts';
import { expectOptions, GammaBetaError } from '../../tensor/errors.ts';
import { type StreamName, streams } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { CheckpointError, type Source } from './format.ts';
import { type Json, type LoaderState, parseCheckpoint } from './parse.ts';

/** What a checkpoint is made from, and restored into. */
export interface CheckpointParts {
  readonly model: Layer;
  /** Left out, training starts over with what the optimizer remembers. */
  readonly optimizer?: Optimizer<LearningRate>;
  /** The training data's: its place in the sequence of shuffled orders. */
  readonly loader?: DataLoader;
}

/** What a checkpoint says about where training stood. */
export interface Restored {
  /** How many epochs are behind. */
  readonly epoch: number;
  /** What was saved as `extra`; null if nothing was. */
  readonly extra: Json;
}

/** `restoreCheckpoint`, under the names that messages give it and the bytes. */
export function restore(source: Source, bytes: Uint8Array, parts: CheckpointParts): Restored {
  expectOptions(source.op, parts, ['model', 'optimizer', 'loader']);
  const { model, optimizer, loader } = parts;
  const saved = parseCheckpoint(source, bytes);
  expectModel(source, saved.model, model.stateDict());
  if (loader) expectLoader(source, saved.loader, loaderState(loader));
  if (optimizer) restoreOptimizer(source, saved.optimizer, optimizer); // changes all of it or nothing
  // From here on nothing is refused.
  model.loadStateDict(saved.model);
  if (loader && saved.loader) loader.epoch = saved.loader.epoch;
  for (const name of streamNames) streams[name].state = saved.streams[name];
  return { epoch: saved.epoch, extra: saved.extra };
}

/** Where a loader stands, and what its orders are made of. */
export function loaderState({ epoch, seed, shuffle, batchSize, dropLast, dataset }: DataLoader): LoaderState {
  return { epoch, seed, shuffle, batchSize, dropLast, examples: dataset.labels.length };
}

const streamNames: readonly StreamName[] = ['initialization', 'shuffling', 'dropout'];

function refused(
  { op, name }: Source,
  what: string,
  problems: readonly string[],
  hint: string,
): CheckpointError {
  return new CheckpointError(op, `${name} does not fit the ${what}: ${problems.join('; ')}`, hint);
}

/** Names, shapes and element types are those of the model. */
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
    'build the model that was saved; parts of it are in decodeCheckpoint(bytes).model, for loadStateDict',
  );
}

/** The loader gives the batches that the saved one would have given. */
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
    'build the loader that was saved, with its seed; or leave it out, and set loader.epoch',
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
