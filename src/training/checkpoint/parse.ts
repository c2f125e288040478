/**
 * From bytes to a {@link Checkpoint}: the names of the tensors say whether they belong to the model or to the
 * optimizer; everything else is JSON in the metadata. This file makes all checks that need no model or optimizer.
 */
import type { StateDict } from '../../layers/layer.ts';
import type { OptimizerState, Slots } from '../../optim/optimizer.ts';
import { cpu } from '../../tensor/device/cpu.ts';
import { tensor } from '../../tensor/create.ts';
import type { StreamName, StreamState } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  ANOTHER,
  CheckpointError,
  damaged,
  isInteger,
  isIntegers,
  isRecord,
  readJson,
  readSafetensors,
  type Source,
} from './format.ts';

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

/** @throws {CheckpointError} The bytes are not a checkpoint, are cut short, or are damaged. */
export function parseCheckpoint(source: Source, bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(source, bytes);
  expectVersion(source, metadata.gammabeta);
  const read = (key: string): unknown =>
    key in metadata ? readJson(source, `the metadata's ${key}`, metadata[key]) : null;
  const epoch = read('epoch');
  if (!isInteger(epoch)) throw damaged(source, `the epoch is ${JSON.stringify(epoch)}`);

  const model: [name: string, value: Tensor][] = [];
  const moments: [index: number, name: string, slot: Tensor][] = [];
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const dtype = values instanceof Float32Array ? 'float32' : 'float64';
    const value = tensor(values, { shape, dtype, device: cpu }); // always available, and read synchronously
    const slot = /^optimizer\.(0|[1-9]\d*)\.(.+)$/.exec(name);
    if (name.startsWith('model.')) model.push([name.slice('model.'.length), value]);
    else if (slot !== null) moments.push([Number(slot[1]), slot[2], value]);
    else throw damaged(source, `the tensor ${name} belongs to neither the model nor the optimizer`);
  }

  const optimizer = parseOptimizer(source, read('optimizer'));
  for (const [index, name, value] of moments) {
    const slots = optimizer?.slots[index];
    if (slots === undefined || name in slots) {
      throw damaged(source, `optimizer.${index}.${name} is not a tensor of the optimizer's state`);
    }
    slots[name] = value;
  }
  return {
    model: Object.fromEntries(model),
    optimizer,
    loader: parseLoader(source, read('loader')),
    streams: parseStreams(source, read('streams')),
    epoch,
    extra: read('extra') as Json,
  };
}

function expectVersion({ op, name }: Source, version: string | undefined): void {
  if (version === '1') return;
  throw version === undefined
    ? new CheckpointError(
        op,
        `${name} is not a checkpoint: it is in the safetensors format, but from another program`,
        ANOTHER,
      )
    : new CheckpointError(
        op,
        `${name} has an unknown format version: ${version}`,
        'use the version of gammabeta that wrote it, or a newer one',
      );
}

function parseOptimizer(source: Source, state: unknown): (OptimizerState & { slots: Slots[] }) | null {
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
  return { optimizer, groups, slots: numbers.map((of) => ({ ...of })) };
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
  throw damaged(source, `the loader is ${JSON.stringify(state)}`);
}

function parseStreams(source: Source, state: unknown): Checkpoint['streams'] {
  const { initialization, shuffling, dropout } = isRecord(state) ? state : {};
  if (isStream(initialization) && isStream(shuffling) && isStream(dropout)) {
    return { initialization, shuffling, dropout };
  }
  throw damaged(source, `the generators' states are ${JSON.stringify(state)}`);
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
