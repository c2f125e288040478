/**
 * Checkpoints: all that training needs to go on as if it had never stopped. `checkpoint-format.ts` has the
 * bytes, `checkpoint-parse.ts` what they mean, `checkpoint-file.ts` the files.
 */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import type { DataLoader } from '../data/loader.ts';
import type { Layer, StateDict } from '../layers/layer.ts';
import type { LearningRate, Optimizer, OptimizerState } from '../optim/optimizer.ts';
import { expectInteger, expectOptions, GammaBetaError } from '../tensor/errors.ts';
import { type StreamName, streams } from '../tensor/random.ts';
import { Tensor } from '../tensor/tensor.ts';
import { CheckpointError, type Entry, type Source, writeSafetensors } from './checkpoint-format.ts';
import { type Checkpoint, type Json, type LoaderState, parseCheckpoint } from './checkpoint-parse.ts';

export { CheckpointError } from './checkpoint-format.ts';
export type { Checkpoint, Json, LoaderState } from './checkpoint-parse.ts';

/** What a checkpoint is made from, and restored into. */
export interface CheckpointParts {
  readonly model: Layer;
  /** Left out, training starts over with what the optimizer remembers. */
  readonly optimizer?: Optimizer<LearningRate>;
  /** The training data's: its place in the sequence of shuffled orders. */
  readonly loader?: DataLoader;
}

export interface CheckpointContents extends CheckpointParts {
  /** How many epochs are behind. The loader's count by default, 0 without one. */
  readonly epoch?: number;
  /** Anything of your own that JSON can say: the history so far, the best accuracy. */
  readonly extra?: Json;
}

/** What a checkpoint says about where training stood. */
export interface Restored {
  /** How many epochs are behind. */
  readonly epoch: number;
  /** What was saved as `extra`; null if nothing was. */
  readonly extra: Json;
}

/**
 * A checkpoint as bytes, in the safetensors format: parameters and buffers of the model (as `model.` and
 * PyTorch's key; a `Dense` weight is [in, out], PyTorch's transposed), what the optimizer remembers
 * (`optimizer.0.m`, by parameter), its options, the loader's seed and epoch, and where the generators of
 * {@link manualSeed} stand.
 *
 * All is copied when it is called: training may go on while it is awaited. Call it between epochs, such as
 * in `onEpoch`: the loader's place within an epoch is not kept.
 *
 * @throws {CheckpointError} `extra` or an option of the optimizer is nothing that JSON can say, such as NaN.
 * @throws {ValueError} epoch is not an integer ≥ 0, or an option is unknown.
 * @see https://github.com/huggingface/safetensors
 * @example
 * ```ts
 * import { Dense, encodeCheckpoint, restoreCheckpoint } from 'gammabeta';
 *
 * const model = new Dense(2, 1);
 * const bytes = await encodeCheckpoint({ model, epoch: 3, extra: { accuracy: 0.5 } });
 *
 * const again = new Dense(2, 1);
 * console.log(restoreCheckpoint(bytes, { model: again })); // { epoch: 3, extra: { accuracy: 0.5 } }
 * console.log(String(again.weight.toArray()) === String(model.weight.toArray())); // true
 * ```
 */
export async function encodeCheckpoint(contents: CheckpointContents): Promise<Uint8Array<ArrayBuffer>> {
  return encode('encodeCheckpoint', contents);
}

/** @internal {@link encodeCheckpoint}, under the name that messages give it. */
export async function encode(op: string, contents: CheckpointContents): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions(op, contents, ['model', 'optimizer', 'loader', 'epoch', 'extra']);
  const { model, optimizer, loader, extra = null } = contents;
  const epoch = expectInteger(op, 'epoch', contents.epoch ?? loader?.epoch ?? 0, 0);
  const state = optimizer?.stateDict();
  const slots = state?.slots ?? [];
  const tensors = [
    ...Object.entries(model.stateDict()).map(([name, t]): [string, Tensor] => [`model.${name}`, t]),
    ...slots.flatMap((of, i) =>
      Object.entries(of).flatMap(([name, slot]): [string, Tensor][] =>
        slot instanceof Tensor ? [[`optimizer.${i}.${name}`, slot]] : [],
      ),
    ),
  ];
  const numbers = slots.map((of) =>
    Object.fromEntries(Object.entries(of).filter(([, slot]) => typeof slot === 'number')),
  );
  const metadata = {
    gammabeta: '1',
    epoch: String(epoch),
    streams: json(op, 'streams', streamStates()),
    ...(loader && { loader: json(op, 'loader', loaderState(loader)) }),
    ...(state && {
      optimizer: json(op, 'the optimizer', { optimizer: state.optimizer, groups: state.groups, numbers }),
    }),
    extra: json(op, 'extra', extra),
  };
  const entries = tensors.map(async ([name, t]): Promise<[string, Entry]> => {
    return [name, { shape: t.shape, values: await t.data() }];
  });
  return writeSafetensors({ tensors: Object.fromEntries(await Promise.all(entries)), metadata });
}

/**
 * What a checkpoint holds, without restoring it: the state dict of a part of the model, or one that is to
 * be loaded into another element type.
 *
 * @throws {CheckpointError} The bytes are something else, cut short, or damaged.
 * @example
 * ```ts
 * import { decodeCheckpoint, Dense, encodeCheckpoint } from 'gammabeta';
 *
 * const bytes = await encodeCheckpoint({ model: new Dense(2, 1) });
 * const { model } = decodeCheckpoint(bytes);
 * console.log(Object.entries(model).map(([name, t]) => `${name} ${t.size}`)); // [ 'weight 2', 'bias 1' ]
 *
 * const wide = new Dense(2, 1, { dtype: 'float64' });
 * wide.loadStateDict(model);
 * ```
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  return parseCheckpoint({ op: 'decodeCheckpoint', name: 'the data' }, bytes);
}

/**
 * Puts model, optimizer, loader and the generators of {@link manualSeed} back to where they were when the
 * checkpoint was made: 5 epochs, a checkpoint and 5 more give, bit for bit, what 10 give on the same device.
 *
 * Build the same model, optimizer and loader first; what you leave out of `parts` is not restored. All of
 * the checkpoint is verified before anything is changed: either all of it is restored, or nothing.
 *
 * @returns How many epochs are behind, and your `extra`.
 * @throws {CheckpointError} The bytes are something else, cut short or damaged, or do not fit the parts.
 * @throws {ValueError} An option is unknown.
 * @example
 * ```ts
 * import { Adam, DataLoader, Dense, encodeCheckpoint, fit, manualSeed, restoreCheckpoint } from 'gammabeta';
 *
 * const data = { x: new Float32Array([1, 0, 0, 1, 3, 1, 2, 5]), shape: [2], labels: new Uint8Array([0, 1, 0, 1]) };
 * const start = () => {
 *   manualSeed(1);
 *   const model = new Dense(2, 2);
 *   const loader = new DataLoader(data, { batchSize: 2, shuffle: true });
 *   return { model, loader, optimizer: new Adam(model.parameters()) };
 * };
 *
 * const parts = start();
 * await fit(parts.model, { train: parts.loader, optimizer: parts.optimizer, epochs: 2 });
 * const bytes = await encodeCheckpoint(parts);
 *
 * const { model, loader, optimizer } = start(); // in another process, on another day
 * const { epoch } = restoreCheckpoint(bytes, { model, loader, optimizer });
 * await fit(model, { train: loader, optimizer, epochs: 5 - epoch });
 * console.log(loader.epoch); // 5
 * ```
 */
export function restoreCheckpoint(bytes: Uint8Array, parts: CheckpointParts): Restored {
  return restore({ op: 'restoreCheckpoint', name: 'the data' }, bytes, parts);
}

/** @internal {@link restoreCheckpoint}, under the names that messages give it and the bytes. */
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

const streamNames: readonly StreamName[] = ['initialization', 'shuffling', 'dropout'];

function streamStates(): Checkpoint['streams'] {
  const { initialization, shuffling, dropout } = streams;
  return { initialization: initialization.state, shuffling: shuffling.state, dropout: dropout.state };
}

function loaderState({ epoch, seed, shuffle, batchSize, dropLast, dataset }: DataLoader): LoaderState {
  return { epoch, seed, shuffle, batchSize, dropLast, examples: dataset.labels.length };
}

/** JSON that reads back as what it was written from. */
function json(op: string, name: string, value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    const lost =
      typeof part === 'number'
        ? !Number.isFinite(part)
        : !['object', 'string', 'boolean', 'undefined'].includes(typeof part);
    if (!lost) return part;
    throw new CheckpointError(
      op,
      `${name} holds what JSON cannot say: ${key === '' ? '' : `${key} is `}${String(part)}`,
      'write null or a string instead',
    );
  });
}

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
