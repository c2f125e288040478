/** Checkpoints in files, on Node. */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { CheckpointError } from './format.ts';
import { type CheckpointParts, restore, type Restored } from './restore.ts';
import { type CheckpointContents, encode } from './checkpoint.ts';

/**
 * Writes a checkpoint, in the safetensors format: see {@link encodeCheckpoint} for what it holds.
 *
 * The file is written beside its place, flushed to the disk, and then renamed: at no time, not even when the
 * machine goes down, does `path` hold half a checkpoint. What was there before stays until then.
 *
 * @throws {CheckpointError} The file cannot be written; nothing is left of it. Or `extra` is not JSON.
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
  const unfinished = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(unfinished, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true }).catch(() => undefined); // the first failure is the one to report
    throw new CheckpointError(
      'saveCheckpoint',
      `${path} cannot be written: ${reasonOf(cause)}`,
      'the folder has to exist, be writable, and have room for the file twice',
      { cause },
    );
  }
}

/**
 * Reads a checkpoint and restores it: see {@link restoreCheckpoint} for what that means. Either all of it is
 * restored, or nothing.
 *
 * @returns How many epochs are behind, and your `extra`.
 * @throws {CheckpointError} The file is missing, cut short, damaged, something else, or does not fit the parts.
 * @throws {ValueError} An option is unknown.
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
      'give the path of a file that saveCheckpoint wrote',
      { cause },
    );
  }
  return restore({ op: 'loadCheckpoint', name: path }, bytes, parts);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
