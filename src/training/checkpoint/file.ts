/** Saves checkpoints to files and loads them, in Node. */
import { filePath } from '../../io/file-path.ts';
import { readFileInParts } from '../../io/read-file.ts';
import { saveFile } from '../../io/save-file.ts';
import { type CheckpointContents, encode } from './checkpoint.ts';
import { expectBetweenBatches } from '../snapshot.ts';
import { checkpointSource } from './checkpoint-error.ts';
import { type CheckpointParts, expectFitting, expectParts, restore, type Restored } from './restore.ts';

/**
 * Writes a checkpoint to a file in the safetensors format. `encodeCheckpoint` lists its contents.
 *
 * The checkpoint is written to a temporary file in the same folder, flushed to the disk, and renamed to `path`.
 * `path` therefore always holds a complete checkpoint, the previous one or the new one, even after a power failure. If
 * `path` is a symbolic link, the file that it leads to is replaced. An existing file keeps its mode. Temporary files
 * that a killed process left behind are removed by the next save to the same path.
 *
 * The state is that of the moment of the call. Calls that overlap are carried out in their order, so the last one wins.
 *
 * @param path A path or a `file:` URL.
 * @throws {CheckpointError} The file cannot be written (the temporary file is removed), or is a folder, a pipe or a
 *   device; or JSON would change `extra`. The previous file is unchanged.
 * @throws {ValueError} epoch is not an integer ≥ 0, an option is unknown, a part is not a model, optimizer or loader, or
 *   the path is neither a path nor a `file:` URL.
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
export async function saveCheckpoint(path: string | URL, contents: CheckpointContents): Promise<void> {
  const target = filePath('saveCheckpoint', path);
  const parts = encode('saveCheckpoint', contents);
  await saveFile(target, checkpointSource('saveCheckpoint', target), parts);
}

/**
 * Reads a checkpoint from a file and restores it as `restoreCheckpoint` does: either all of it, or nothing.
 *
 * @param path A path or a `file:` URL.
 * @returns The number of completed epochs, and your `extra`.
 * @throws {CheckpointError} The file is missing, is not a checkpoint, is cut short or damaged, does not fit the parts, or
 *   holds a state that cannot be, such as step −1.
 * @throws {ValueError} An option is unknown, a part is not a model, optimizer or loader, or the path is neither a path nor
 *   a `file:` URL.
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
export async function loadCheckpoint(path: string | URL, parts: CheckpointParts): Promise<Restored> {
  const source = checkpointSource('loadCheckpoint', filePath('loadCheckpoint', path));
  expectParts('loadCheckpoint', parts);
  const contents = await readFileInParts(source, (header) => expectFitting(source, header, parts.model));
  expectBetweenBatches('loadCheckpoint', parts.model);
  return restore(source, contents, parts);
}
