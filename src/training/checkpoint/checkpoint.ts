/**
 * Checkpoints: all that training needs to go on as if it had never stopped. `checkpoint-format.ts` has the
 * bytes, `checkpoint-parse.ts` what they mean, `checkpoint-restore.ts` the way back, `checkpoint-file.ts` the files.
 */
import { expectInteger, expectOptions } from '../../tensor/errors.ts';
import { streams } from '../../tensor/random.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { CheckpointError, type Entry, writeSafetensors } from './format.ts';
import { type Checkpoint, type Json, parseCheckpoint } from './parse.ts';
import { type CheckpointParts, loaderState, restore, type Restored } from './restore.ts';

export { CheckpointError } from './format.ts';
export type { Checkpoint, Json, LoaderState } from './parse.ts';
export type { CheckpointParts, Restored } from './restore.ts';

export interface CheckpointContents extends CheckpointParts {
  /** How many epochs are behind. The loader's count by default, 0 without one. */
  readonly epoch?: number;
  /** Anything of your own that JSON can say: the history so far, the best accuracy. */
  readonly extra?: Json;
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
 * import { decodeCheckpoint, Dense, encodeCheckpoint, useDevice } from 'gammabeta';
 *
 * await useDevice('cpu'); // which has float64
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

function streamStates(): Checkpoint['streams'] {
  const { initialization, shuffling, dropout } = streams;
  return { initialization: initialization.state, shuffling: shuffling.state, dropout: dropout.state };
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
