/** Saves weights to files and loads them, in Node. */
import type { Layer } from '../layers/layer.ts';
import type { StateDict } from '../layers/state-dict.ts';
import { filePath } from './file-path.ts';
import { readFileInParts } from './read-file.ts';
import { plainSource, type Source } from './safetensors.ts';
import { saveFile } from './save-file.ts';
import {
  type EncodeWeightsOptions,
  expectFitting,
  expectLoading,
  load,
  type LoadedWeights,
  type LoadWeightsOptions,
  stateToSave,
  weightParts,
} from './weights.ts';

/**
 * Writes the parameters and buffers of a model to a safetensors file, as `encodeWeights` does, from any device. The
 * file is replaced as a whole, as by {@link saveCheckpoint}; the state is that of the moment of the call.
 *
 * @param path A path or a `file:` URL.
 * @throws {FormatError} The file cannot be written (the temporary file is removed), or is a folder, a pipe or a device.
 * @throws {ValueError} The model is not a layer, an option is unknown, or the path is neither a path nor a `file:` URL.
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Dense } from 'gammabeta';
 * import { loadWeights, saveWeights } from 'gammabeta/node';
 *
 * const path = join(await mkdtemp(join(tmpdir(), 'gammabeta-')), 'model.safetensors');
 * await saveWeights(path, new Dense(3, 2), { layout: 'pytorch' });
 * console.log(await loadWeights(new Dense(3, 2), path)); // { missing: [], unexpected: [] }
 * ```
 */
export async function saveWeights(
  path: string | URL,
  model: Layer,
  options: EncodeWeightsOptions = {},
): Promise<void> {
  const target = filePath('saveWeights', path);
  const source = plainSource('saveWeights', target);
  const state = stateToSave('saveWeights', model, options);
  await saveFile(target, source, encode(source, model, state, options));
}

async function encode(
  source: Source,
  model: Layer,
  state: StateDict,
  { layout }: EncodeWeightsOptions,
): Promise<readonly Uint8Array[]> {
  const values = await Promise.all(Object.values(state).map((x) => x.data()));
  return weightParts('saveWeights', source, model, state, values, layout);
}

/**
 * Loads the parameters and buffers of a model from a safetensors file, of this library or of another program such as
 * PyTorch. Other element types are converted. If an error is thrown, nothing is changed.
 *
 * @param path A path or a `file:` URL. For bytes, use `loadWeights` of `gammabeta`.
 * @returns The names that were ignored with `strict: false`.
 * @throws {FormatError} The file cannot be read, is not safetensors, is cut short or damaged, or is in another layout.
 * @throws {StateDictError} The tensors do not fit the model; the message lists all that do not. Or one has a value that
 *   the model cannot have: a float64 or int64 value that is out of range, or a negative running variance.
 * @throws {ValueError} The model is not a layer, an option is unknown, or the path is neither a path nor a `file:` URL.
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Dense, encodeSafetensors } from 'gammabeta';
 * import { loadWeights } from 'gammabeta/node';
 *
 * // in place of a file that PyTorch has saved: a Linear(3, 1) has a weight of [1, 3]
 * const path = join(await mkdtemp(join(tmpdir(), 'gammabeta-')), 'linear.safetensors');
 * const weight = { shape: [1, 3], data: new Float32Array([1, 2, 3]) };
 * await writeFile(path, encodeSafetensors({ weight, bias: { shape: [1], data: new Float32Array(1) } }));
 *
 * const model = new Dense(3, 1);
 * await loadWeights(model, path, { layout: 'pytorch' });
 * console.log(model.weight.toArray()); // [ [ 1 ], [ 2 ], [ 3 ] ]
 * ```
 */
export async function loadWeights(
  model: Layer,
  path: string | URL,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  expectLoading(model, options);
  const source = plainSource('loadWeights', filePath('loadWeights', path));
  const contents = await readFileInParts(source, (header) => expectFitting(source, model, header, options));
  return load(source, model, contents, options);
}
