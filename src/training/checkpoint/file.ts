/** Saves checkpoints to files and loads them, in Node. */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { CheckpointError, reasonOf } from './format.ts';
import { expectBetweenBatches } from '../snapshot.ts';
import { type CheckpointParts, restore, type Restored } from './restore.ts';
import { type CheckpointContents, encode } from './checkpoint.ts';

/**
 * Writes a checkpoint to a file in the safetensors format. {@link encodeCheckpoint} lists its contents.
 *
 * The checkpoint is written to a temporary file in the same folder, flushed to the disk, and renamed to `path`.
 * `path` therefore always holds a complete checkpoint, the previous one or the new one, even after a power failure.
 *
 * @throws {CheckpointError} The file cannot be written (the temporary file is removed), or `extra` is not JSON.
 * @throws {ValueError} epoch is not an integer ≥ 0, or an option is unknown.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { DataLoader, Dense, fit, SGD } from 'gammabeta';
 * import { saveCheckpoint } from 'gammabeta/node';
 *
 * const path = join(await mkdtemp(join(tmpdir(), 'gammabeta-')), 'latest.safetensors');
 * const data = { x: new Float32Array([1, 2]), shape: [1], labels: new Uint8Array([0, 1]) };
 * const model = new Dense(1, 2);
 * const loader = new DataLoader(data, { batchSize: 2, shuffle: true });
 * const optimizer = new SGD(model.parameters(), { lr: 0.1 });
 * await fit(model, {
 *   train: loader,
 *   optimizer,
 *   epochs: 2,
 *   onEpoch: () => saveCheckpoint(path, { model, optimizer, loader }),
 * });
 * console.log(loader.epoch); // 2
 * ```
 */
export async function saveCheckpoint(path: string, contents: CheckpointContents): Promise<void> {
  const bytes = await encode('saveCheckpoint', contents);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // report the first failure
    throw new CheckpointError(
      'saveCheckpoint',
      `${path} cannot be written: ${reasonOf(cause)}`,
      'the folder must exist, be writable, and have room for two copies of the file',
      { cause },
    );
  }
}

/**
 * Reads a checkpoint from a file and restores it as {@link restoreCheckpoint} does: either all of it, or nothing.
 *
 * @returns The number of completed epochs, and your `extra`.
 * @throws {CheckpointError} The file is missing, is not a checkpoint, is cut short or damaged, or does not fit the
 *   parts.
 * @throws {ValueError} An option is unknown.
 * @throws {BusyError} `fit` is computing a batch. In its callbacks, a checkpoint can be restored.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Dense } from 'gammabeta';
 * import { loadCheckpoint, saveCheckpoint } from 'gammabeta/node';
 *
 * const path = join(await mkdtemp(join(tmpdir(), 'gammabeta-')), 'best.safetensors');
 * await saveCheckpoint(path, { model: new Dense(2, 1), epoch: 7 });
 *
 * const { epoch } = await loadCheckpoint(path, { model: new Dense(2, 1) });
 * console.log(epoch); // 7
 * ```
 */
export async function loadCheckpoint(path: string, parts: CheckpointParts): Promise<Restored> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new CheckpointError(
      'loadCheckpoint',
      `${path} cannot be read: ${reasonOf(cause)}`,
      'give the path of a file written by saveCheckpoint',
      { cause },
    );
  }
  expectBetweenBatches('loadCheckpoint', parts.model);
  return restore({ op: 'loadCheckpoint', name: path }, bytes, parts);
}
