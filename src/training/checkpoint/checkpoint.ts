/**
 * Checkpoints: everything that training needs to continue as if it had never stopped, in one safetensors file
 * (https://github.com/huggingface/safetensors):
 *
 *     8 bytes    N, the size of the header: an unsigned 64-bit integer, little-endian
 *     N bytes    the header, a JSON object padded with spaces; its keys are
 *                model.<key>            { dtype, shape, data_offsets: [begin, end] } of a parameter or buffer
 *                optimizer.<i>.<slot>   the same fields, of a tensor that the optimizer keeps for parameter i
 *                __metadata__           strings: gammabeta (the version, "1"), and, as JSON, epoch, extra,
 *                                       streams, and optimizer and loader if they were saved
 *     the rest   the byte buffer: all values, little-endian and without gaps; data_offsets count from its start
 *
 * Saving: this file collects the state, `format.ts` writes the bytes. Restoring: `format.ts` reads the bytes,
 * `parse.ts` turns them into state dicts and checks them, `restore.ts` loads these into the model, optimizer and
 * loader. `file.ts` (Node only) does both with a file.
 */
import type { Layer } from '../../layers/layer.ts';
import { expectInteger, expectOptions } from '../../tensor/errors.ts';
import { streams } from '../../tensor/random.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { CheckpointError, type Entry, writeSafetensors } from './format.ts';
import { type Checkpoint, type Json, parseCheckpoint } from './parse.ts';
import { dropoutOf, expectBetweenBatches, stateOf } from '../snapshot.ts';
import { type CheckpointParts, loaderState, restore, type Restored } from './restore.ts';

export { CheckpointError } from './format.ts';
export type { Checkpoint, Json, LoaderState } from './parse.ts';
export type { CheckpointParts, Restored } from './restore.ts';

export interface CheckpointContents extends CheckpointParts {
  /** The number of completed epochs. Default: `loader.epoch`, or 0 without a loader. */
  readonly epoch?: number;
  /** Any JSON value of your own, such as the history or the best accuracy so far. Default: null. */
  readonly extra?: Json;
}

/**
 * Returns a checkpoint as bytes in the safetensors format. It holds the model's parameters and buffers (`model.`
 * followed by PyTorch's key; a `Dense` weight is [in, out], the transpose of PyTorch's), the optimizer's state
 * (`optimizer.0.m` is slot m of parameter 0) and options, the loader's settings and epoch, and the states of the
 * random number generators of {@link manualSeed}.
 *
 * Everything is copied at the time of the call, so training may continue before the promise resolves. Call it
 * between epochs, for example in `onEpoch`: the loader's position within an epoch is not saved.
 *
 * @throws {CheckpointError} `extra` or an option of the optimizer is not a JSON value, such as NaN.
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

/** @internal {@link encodeCheckpoint}; error messages begin with `op`. */
export async function encode(op: string, contents: CheckpointContents): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions(op, contents, ['model', 'optimizer', 'loader', 'epoch', 'extra']);
  const { model, optimizer, loader, extra = null } = contents;
  const epoch = expectInteger(op, 'epoch', contents.epoch ?? loader?.epoch ?? 0, 0);
  const state = optimizer?.stateDict();
  const slots = state?.slots ?? [];
  const tensors = [
    ...Object.entries(stateOf(model)).map(([name, t]): [string, Tensor] => [`model.${name}`, t]),
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
    streams: json(op, 'streams', streamStates(model)),
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
 * Returns the contents of a checkpoint without restoring them. Use it to load a part of a model, or to load a model
 * of another element type.
 *
 * @throws {CheckpointError} The bytes are not a checkpoint, are cut short, or are damaged.
 * @example
 * ```ts
 * import { decodeCheckpoint, Dense, encodeCheckpoint, useDevice } from 'gammabeta';
 *
 * await useDevice('cpu'); // supports float64
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
 * Restores the model, the optimizer, the loader and the generators of {@link manualSeed} from a checkpoint. On the
 * same device, 5 epochs, a checkpoint and 5 more epochs give the same bits as 10 epochs.
 *
 * Build the same model, optimizer and loader first; an optimizer or loader left out of `parts` is not restored. The
 * whole checkpoint is checked before anything changes: either all of it is restored, or nothing.
 *
 * @returns The number of completed epochs, and your `extra`.
 * @throws {CheckpointError} The bytes are not a checkpoint, are cut short or damaged, or do not fit the parts.
 * @throws {ValueError} An option is unknown.
 * @throws {BusyError} `fit` is computing a batch. In its callbacks, a checkpoint can be restored.
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
 * const { model, loader, optimizer } = start(); // for example in a new process
 * const { epoch } = restoreCheckpoint(bytes, { model, loader, optimizer });
 * await fit(model, { train: loader, optimizer, epochs: 5 - epoch });
 * console.log(loader.epoch); // 5
 * ```
 */
export function restoreCheckpoint(bytes: Uint8Array, parts: CheckpointParts): Restored {
  expectBetweenBatches('restoreCheckpoint', parts.model);
  return restore({ op: 'restoreCheckpoint', name: 'the data' }, bytes, parts);
}

function streamStates(model: Layer): Checkpoint['streams'] {
  const { initialization, shuffling } = streams;
  return { initialization: initialization.state, shuffling: shuffling.state, dropout: dropoutOf(model) };
}

/** JSON text; throws for values that would not read back as they are, such as NaN or a function. */
function json(op: string, name: string, value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    const lost =
      typeof part === 'number'
        ? !Number.isFinite(part)
        : !['object', 'string', 'boolean', 'undefined'].includes(typeof part);
    if (!lost) return part;
    throw new CheckpointError(
      op,
      `${name} holds a value that JSON cannot represent: ${key === '' ? '' : `${key} is `}${String(part)}`,
      'write null or a string instead',
    );
  });
}
