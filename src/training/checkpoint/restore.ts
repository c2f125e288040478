/** Restores a checkpoint into the model, the optimizer, the loader and the generators: all of them, or none. */
import { formatShape, sameShape } from '../../../kernels/shape.ts';
import { DataLoader } from '../../data/loader.ts';
import type { Entry, Header, Safetensors, Source } from '../../io/safetensors.ts';
import { expectLayer } from '../../layers/expect-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import { prepareState } from '../../layers/load-state-dict.ts';
import { Optimizer } from '../../optim/optimizer.ts';
import type { LearningRate } from '../../optim/optimizer-options.ts';
import type { OptimizerState } from '../../optim/optimizer-state.ts';
import { inPlace } from '../../tensor/assign.ts';
import { DeviceError, expectOptions, GammaBetaError, shown, ValueError } from '../../tensor/errors.ts';
import { misfits } from '../../tensor/misfits.ts';
import { streams } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
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

/** Checks the parts of a checkpoint, and the names of the options: theirs and these others. */
export function expectParts(op: string, parts: CheckpointParts, others: readonly string[] = []): void {
  expectOptions(op, parts, ['model', 'optimizer', 'loader', ...others]);
  const { model, optimizer, loader } = parts;
  expectLayer(op, model);
  for (const [name, part, kind] of [
    ['optimizer', optimizer, Optimizer],
    ['loader', loader, DataLoader],
  ] as const) {
    if (part === undefined || part instanceof kind) continue;
    throw new ValueError(op, `${name} is ${shown(part)}`, `pass the ${name}, or leave it out`);
  }
}

/** Restores the contents of a file, whose header is checked, into checked parts. */
export function restore(source: Source, contents: Safetensors, parts: CheckpointParts): Restored {
  const { model, optimizer, loader } = parts;
  const saved = parseCheckpoint(source, contents);
  if (loader) expectLoader(source, saved.loader, loaderState(loader));
  inPlace(() => {
    const load = [
      fitting(source, 'model', () => prepareState('loadStateDict', model, saved.model)),
      optimizer ? preparedOptimizer(source, saved.optimizer, optimizer) : () => undefined,
    ];
    // Nothing below throws.
    for (const apply of load) apply();
  });
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

function refused(source: Source, part: string, problems: readonly string[], hint: string): GammaBetaError {
  return source.failure(`${source.name} does not fit the ${part}: ${problems.join('; ')}`, hint);
}

/** Prepares a part of the state; an error of the state becomes one of the checkpoint. */
function fitting(source: Source, part: string, prepare: () => () => void): () => void {
  try {
    return prepare();
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    const known = cause instanceof GammaBetaError ? cause : null;
    const reason = known?.message.split('. Hint: ')[0] ?? String(cause);
    const problem = `${source.name} does not fit the ${part}: ${reason}`;
    throw source.failure(problem, known?.hint ?? `build the ${part} that was saved`, { cause });
  }
}

/** Checks that a checkpoint has the tensors of the model. `parseCheckpoint` refuses files that are not checkpoints. */
export function expectFitting(source: Source, { entries, metadata }: Header, model: Layer): void {
  const isKnown = ({ name, dtype }: Entry): boolean =>
    /^(?:model|optimizer)\./.test(name) && (dtype === 'F32' || dtype === 'F64');
  if (metadata.gammabeta !== '1' || !entries.every(isKnown)) return;
  const saved = entries.flatMap(({ name, dtype, shape }): [string, string][] => {
    if (!name.startsWith('model.')) return [];
    return [
      [name.slice('model.'.length), describe({ shape, dtype: dtype === 'F64' ? 'float64' : 'float32' })],
    ];
  });
  const own = model.registeredSlots().map(([name, { held, shape, read }]): [string, string] => {
    return [name, describe({ shape, dtype: (held ?? read()).dtype })]; // a state dict would copy a large model
  });
  const problems = misfits(new Map(own), new Map(saved));
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

function preparedOptimizer(
  source: Source,
  saved: OptimizerState | null,
  optimizer: Optimizer<LearningRate>,
): () => void {
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
  return fitting(source, 'optimizer', () => optimizer.prepareState(saved));
}

function missingPart({ name, failure }: Source, part: string): GammaBetaError {
  return failure(`${name} has no ${part}`, `it was saved without one: leave ${part} out`);
}

/** The properties of a tensor that must match the model. */
type Form = Pick<Tensor, 'shape' | 'dtype'>;

function alike(a: Form, b: Form): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

function describe({ shape, dtype }: Form): string {
  return `${formatShape(shape)} ${dtype}`;
}
