/**
 * Checkpoints: everything that training needs to continue as if it had never stopped, in one safetensors file (see
 * `src/io/safetensors.ts`). The names of the tensors are
 *
 *     model.<key>            a parameter or buffer
 *     optimizer.<i>.<slot>   a tensor that the optimizer keeps for parameter i
 *
 * and the metadata has `gammabeta` (the version, "1"), `gammabeta.crc32` (checksums of the tensors), and, as JSON, epoch,
 * extra, streams, and optimizer and loader if they were saved.
 *
 * Saving: this file collects the state. Restoring: `parse.ts` turns a file into state dicts and checks them, `restore.ts`
 * loads these into the model, optimizer and loader. `file.ts` (Node only) does both with a file.
 */
import { joined, partsOf, readBytes, type SafetensorsTensor } from '../../io/safetensors.ts';
import { expectInteger } from '../../tensor/errors.ts';
import { streams } from '../../tensor/random.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { dropoutOf, expectBetweenBatches } from '../snapshot.ts';
import { CheckpointError, checkpointSource } from './checkpoint-error.ts';
import { exactJson } from './exact-json.ts';
import { type Checkpoint, type Json, parseCheckpoint } from './parse.ts';
import {
  type CheckpointParts,
  expectFitting,
  expectParts,
  loaderState,
  restore,
  type Restored,
} from './restore.ts';

export { CheckpointError } from './checkpoint-error.ts';
export type { Checkpoint, Json, LoaderState } from './parse.ts';
export type { CheckpointParts, Restored } from './restore.ts';

export interface CheckpointContents extends CheckpointParts {
  /** The number of completed epochs. Default: `loader.epoch`, or 0 without a loader. */
  readonly epoch?: number;
  /**
   * Any JSON value of your own, such as the history or the best accuracy so far. It is read back exactly; values that
   * JSON would change (NaN, undefined, a Date, a Map, a typed array) are an error. Default: null.
   */
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
 * @throws {CheckpointError} JSON would change `extra` or an option of the optimizer, such as NaN; or the checkpoint is
 *   larger than an array can be: `saveCheckpoint` writes it in parts.
 * @throws {ValueError} epoch is not an integer ≥ 0, an option is unknown, or a part is not a model, optimizer or loader.
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
  return joined(checkpointSource('encodeCheckpoint'), await encode('encodeCheckpoint', contents));
}

/** @internal The checkpoint in parts; error messages begin with `op`. */
export async function encode(op: string, contents: CheckpointContents): Promise<Uint8Array[]> {
  expectParts(op, contents, ['epoch', 'extra']);
  const { model, optimizer, loader, epoch = loader?.epoch ?? 0, extra = null } = contents;
  expectInteger(op, 'epoch', epoch, 0);
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
  const { initialization, shuffling } = streams;
  const metadata = {
    gammabeta: '1',
    epoch: String(epoch),
    streams: json(op, 'streams', {
      initialization: initialization.state,
      shuffling: shuffling.state,
      dropout: dropoutOf(model),
    }),
    ...(loader && { loader: json(op, 'loader', loaderState(loader)) }),
    ...(state && {
      optimizer: json(op, 'the optimizer', { optimizer: state.optimizer, groups: state.groups, numbers }),
    }),
    extra: json(op, 'extra', extra),
  };
  const entries = tensors.map(async ([name, t]): Promise<[string, SafetensorsTensor]> => {
    const data = await t.data();
    return [name, { dtype: data instanceof Float64Array ? 'F64' : 'F32', shape: t.shape, data }];
  });
  const all = Object.fromEntries(await Promise.all(entries));
  return partsOf(checkpointSource(op), { tensors: all, metadata }, true);
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
export function decodeCheckpoint(bytes: Uint8Array | ArrayBuffer): Checkpoint {
  const source = checkpointSource('decodeCheckpoint');
  return parseCheckpoint(source, readBytes(source, bytes));
}

/**
 * Restores the model, the optimizer, the loader and the generators of {@link manualSeed} from a checkpoint. On the
 * same device, 5 epochs, a checkpoint and 5 more epochs give the same bits as 10 epochs.
 *
 * Build the same model, optimizer and loader first; an optimizer or loader left out of `parts` is not restored. The
 * whole checkpoint is checked before anything changes: either all of it is restored, or nothing.
 *
 * @returns The number of completed epochs, and your `extra`.
 * @throws {CheckpointError} The bytes are not a checkpoint, are cut short or damaged, do not fit the parts, or hold a
 *   state that cannot be, such as step −1.
 * @throws {ValueError} An option is unknown, or a part is not a model, optimizer or loader.
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
export function restoreCheckpoint(bytes: Uint8Array | ArrayBuffer, parts: CheckpointParts): Restored {
  expectParts('restoreCheckpoint', parts);
  expectBetweenBatches('restoreCheckpoint', parts.model);
  const source = checkpointSource('restoreCheckpoint');
  const contents = readBytes(source, bytes, (header) => expectFitting(source, header, parts.model));
  return restore(source, contents, parts);
}

/** JSON text that reads back as the same value. */
function json(op: string, name: string, value: unknown): string {
  return exactJson(value, (problem) => {
    const what = `${name} holds a value that JSON cannot represent: ${problem}`;
    return new CheckpointError(op, what, 'write null or a string instead');
  });
}
