/**
 * From a file to a {@link Checkpoint}: the names of the tensors say whether they belong to the model or to the
 * optimizer; everything else is JSON in the metadata. This file makes all checks that need no model or optimizer.
 */
import {
  damaged,
  isInteger,
  isIntegers,
  isRecord,
  reasonOf,
  type Safetensors,
  show,
  type Source,
} from '../../io/safetensors.ts';
import type { StateDict } from '../../layers/state-dict.ts';
import type { OptimizerState, Slots } from '../../optim/optimizer-state.ts';
import { cpu } from '../../tensor/device/cpu.ts';
import { tensor } from '../../tensor/create.ts';
import type { StreamName, StreamState } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A loader's epoch, and the settings that determine its batches. */
export interface LoaderState {
  readonly epoch: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** The number of examples in the dataset. */
  readonly examples: number;
}

/** The contents of a checkpoint. Tensors are on the `cpu` device, with the element type they were saved with. */
export interface Checkpoint {
  /** Parameters and buffers, for `loadStateDict`. */
  readonly model: StateDict;
  /** The optimizer's state, for its `loadStateDict`; null if no optimizer was saved. */
  readonly optimizer: OptimizerState | null;
  /** The loader's state; null if no loader was saved. */
  readonly loader: LoaderState | null;
  /** The states of the random number generators of `manualSeed`. */
  readonly streams: Readonly<Record<StreamName, StreamState>>;
  /** The number of completed epochs. */
  readonly epoch: number;
  /** The `extra` that was saved; null if there was none. */
  readonly extra: Json;
}

const LARGEST_UINT32 = 2 ** 32 - 1;

/** @throws {CheckpointError} The file is not a checkpoint, or is damaged. */
export function parseCheckpoint(source: Source, { tensors, metadata }: Safetensors): Checkpoint {
  expectVersion(source, metadata.gammabeta);
  const read = (key: string): unknown => {
    if (!Object.hasOwn(metadata, key)) return null;
    try {
      return JSON.parse(metadata[key]);
    } catch (cause) {
      throw damaged(source, `the metadata's ${key} is not JSON: ${reasonOf(cause)}`, { cause });
    }
  };
  const epoch = read('epoch');
  if (!isInteger(epoch)) throw damaged(source, `the epoch is ${show(epoch)}`);

  const optimizer = parseOptimizer(source, read('optimizer'));
  const model: [name: string, value: Tensor][] = [];
  const slots = optimizer?.numbers.map((of) => new Map<string, Tensor | number>(Object.entries(of))) ?? [];
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (dtype !== 'F32' && dtype !== 'F64') {
      const problem = `${source.name} stores ${name} in an unsupported element type: ${dtype}`;
      throw source.failure(problem, 'convert it to F32 or F64');
    }
    // On the cpu device, which is always available and read synchronously.
    const values = data as Float32Array | Float64Array;
    const value = tensor(values, { shape, dtype: dtype === 'F32' ? 'float32' : 'float64', device: cpu });
    const match = /^optimizer\.(0|[1-9]\d*)\.(.+)$/.exec(name);
    const of = match === null ? undefined : slots.at(Number(match[1]));
    if (name.startsWith('model.')) model.push([name.slice('model.'.length), value]);
    else if (match === null) {
      throw damaged(source, `the tensor ${name} belongs to neither the model nor the optimizer`);
    } else if (of === undefined || of.has(match[2])) {
      throw damaged(source, `${name} is not a tensor of the optimizer's state`);
    } else of.set(match[2], value);
  }
  return {
    model: Object.fromEntries(model),
    optimizer: optimizer && {
      optimizer: optimizer.optimizer,
      groups: optimizer.groups,
      slots: slots.map((of): Slots => Object.fromEntries(of)),
    },
    loader: parseLoader(source, read('loader')),
    streams: parseStreams(source, read('streams')),
    epoch,
    extra: read('extra') as Json,
  };
}

function expectVersion({ name, wanted, failure }: Source, version: string | undefined): void {
  if (version === '1') return;
  if (version === undefined) {
    const problem = `${name} is not a checkpoint: it is in the safetensors format, but from another program`;
    throw failure(problem, `${wanted}; loadWeights reads the weights of other programs`);
  }
  const hint = 'use the version of gammabeta that wrote it, or a newer one';
  throw failure(`${name} has an unknown format version: ${version}`, hint);
}

/** What the metadata says of the optimizer's state; its tensors are stored as tensors. */
interface OptimizerEntry extends Pick<OptimizerState, 'optimizer' | 'groups'> {
  readonly numbers: readonly Readonly<Record<string, number>>[];
}

function parseOptimizer(source: Source, state: unknown): OptimizerEntry | null {
  if (state === null) return null;
  const { optimizer, groups, numbers } = isRecord(state) ? state : {};
  if (typeof optimizer !== 'string' || !isArrayOf(groups, isGroup) || !isArrayOf(numbers, isNumbers)) {
    throw damaged(source, "the optimizer's entry is not { optimizer, groups, numbers }");
  }
  const members = groups.flatMap(({ params }) => params);
  if (members.length !== numbers.length || members.some((index, i) => index !== i)) {
    throw damaged(
      source,
      `the optimizer's groups list parameters [${members.join(', ')}] of ${numbers.length}`,
    );
  }
  return { optimizer, groups, numbers };
}

function parseLoader(source: Source, state: unknown): LoaderState | null {
  if (state === null) return null;
  const { epoch, seed, shuffle, batchSize, dropLast, examples } = isRecord(state) ? state : {};
  if (
    isInteger(epoch, LARGEST_UINT32) &&
    isInteger(seed) &&
    isInteger(batchSize) &&
    isInteger(examples) &&
    typeof shuffle === 'boolean' &&
    typeof dropLast === 'boolean'
  ) {
    return { epoch, seed, shuffle, batchSize, dropLast, examples };
  }
  throw damaged(source, `the loader is ${show(state)}`);
}

function parseStreams(source: Source, state: unknown): Checkpoint['streams'] {
  const { initialization, shuffling, dropout } = isRecord(state) ? state : {};
  if (isStream(initialization) && isStream(shuffling) && isStream(dropout)) {
    return { initialization, shuffling, dropout };
  }
  throw damaged(source, `the generators' states are ${show(state)}`);
}

function isArrayOf<T>(value: unknown, is: (entry: unknown) => entry is T): value is T[] {
  return Array.isArray(value) && value.every(is);
}

function isGroup(value: unknown): value is OptimizerState['groups'][number] {
  return isRecord(value) && isIntegers(value.params) && isRecord(value.options);
}

function isNumbers(value: unknown): value is Record<string, number> {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === 'number');
}

/** Four 32-bit words, not all zero: from the zero state the generator draws only zeros. */
function isStream(value: unknown): value is StreamState {
  return isIntegers(value, LARGEST_UINT32) && value.length === 4 && value.some((word) => word !== 0);
}
