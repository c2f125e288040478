/**
 * What the bytes of a checkpoint mean: tensors are sorted into model and optimizer by their names, and the
 * rest is JSON under the metadata's keys. Everything is checked here that can be without model and optimizer.
 */
import type { StateDict } from '../../layers/layer.ts';
import type { OptimizerState, Slots } from '../../optim/optimizer.ts';
import { cpu } from '../../tensor/device/cpu.ts';
import { tensor } from '../../tensor/create.ts';
import type { StreamName, StreamState } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  CheckpointError,
  damaged,
  isInteger,
  isIntegers,
  isRecord,
  readJson,
  readSafetensors,
  type Source,
} from './format.ts';

/** A value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A loader's place in its sequence of orders, and what that sequence is made of. */
export interface LoaderState {
  readonly epoch: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** The number of examples in the dataset. */
  readonly examples: number;
}

/** What a checkpoint holds. Its tensors are on the `cpu` device, in the element type they were saved in. */
export interface Checkpoint {
  /** Parameters and buffers, for `loadStateDict`. */
  readonly model: StateDict;
  /** For the optimizer's `loadStateDict`; null if it was saved without one. */
  readonly optimizer: OptimizerState | null;
  /** Null if it was saved without one. */
  readonly loader: LoaderState | null;
  /** Where the generators of `manualSeed` stood. */
  readonly streams: Readonly<Record<StreamName, StreamState>>;
  /** How many epochs were behind. */
  readonly epoch: number;
  /** What was saved as `extra`; null if nothing was. */
  readonly extra: Json;
}

const WORD = 2 ** 32 - 1;

/** @throws {CheckpointError} The bytes are something else, cut short, or damaged. */
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
    const value = tensor(values, { shape, dtype, device: cpu }); // the device that can always be read at once
    const slot = /^optimizer\.(0|[1-9]\d*)\.(.+)$/.exec(name);
    if (name.startsWith('model.')) model.push([name.slice('model.'.length), value]);
    else if (slot !== null) moments.push([Number(slot[1]), slot[2], value]);
    else throw damaged(source, `${name} is neither the model's nor the optimizer's`);
  }

  const optimizer = parseOptimizer(source, read('optimizer'));
  for (const [index, name, value] of moments) {
    const slots = optimizer?.slots[index];
    if (slots === undefined || name in slots) {
      throw damaged(source, `optimizer.${index}.${name} is of no parameter that the optimizer has`);
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
        `${name} is not a checkpoint: it holds safetensors of another program`,
        'give one that was made by saveCheckpoint or encodeCheckpoint',
      )
    : new CheckpointError(
        op,
        `${name} is of a format that is not known: version ${version}`,
        'use the version of gammabeta that made it, or a newer one',
      );
}

function parseOptimizer(source: Source, state: unknown): (OptimizerState & { slots: Slots[] }) | null {
  if (state === null) return null;
  const { optimizer, groups, numbers } = isRecord(state) ? state : {};
  if (typeof optimizer !== 'string' || !isArrayOf(groups, isGroup) || !isArrayOf(numbers, isNumbers)) {
    throw damaged(source, 'the optimizer is not kind, groups and numbers');
  }
  const members = groups.flatMap(({ params }) => params);
  if (members.length !== numbers.length || members.some((index, i) => index !== i)) {
    throw damaged(source, `parameters ${members.join(', ')} in the optimizer's groups, of ${numbers.length}`);
  }
  return { optimizer, groups, slots: numbers.map((of) => ({ ...of })) };
}

function parseLoader(source: Source, state: unknown): LoaderState | null {
  if (state === null) return null;
  const { epoch, seed, shuffle, batchSize, dropLast, examples } = isRecord(state) ? state : {};
  if (
    isInteger(epoch, WORD) &&
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

/** Four words that are not all zero: from there the generator would only ever draw 0. */
function isStream(value: unknown): value is StreamState {
  return isIntegers(value, WORD) && value.length === 4 && value.some((word) => word !== 0);
}
