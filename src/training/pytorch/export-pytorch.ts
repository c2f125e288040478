/** Training in PyTorch, from where it is here. In Node. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataLoader } from '../../data/loader.ts';
import { filePath } from '../../io/file-path.ts';
import { partsOf, plainSource, type Source } from '../../io/safetensors.ts';
import { freePath, saveFolder } from '../../io/save-folder.ts';
import { weightParts } from '../../io/weights.ts';
import { expectLayer } from '../../layers/expect-layer.ts';
import type { Layer } from '../../layers/layer.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import type { LearningRate } from '../../optim/optimizer-options.ts';
import { SGD } from '../../optim/sgd.ts';
import { expectInteger, expectOptions, shown, ValueError } from '../../tensor/errors.ts';
import { expectOptimizer } from '../exclusive.ts';
import { modelCode } from './model-code.ts';
import { settingsCode } from './settings-code.ts';
import { torchOptimizer } from './torch-optimizer.ts';

export interface ExportPyTorchOptions {
  /** The folder to make: a path, or a `file:` URL. An existing folder must be empty. */
  readonly directory: string | URL;
  /**
   * The optimizer, with its state: an `SGD`, `Adam`, `AdamW` or `RMSprop`. Default: a new `SGD` over all parameters, with a
   * learning rate of 0.01.
   */
  readonly optimizer?: Optimizer<LearningRate>;
  /**
   * The loader whose batch size, seed, number of epochs and scaling to use. Its examples are not exported: `train.py` reads
   * files of MNIST's form. Default: shuffled batches of 32 with seed 0, and bytes divided by 255, in the shape [784].
   */
  readonly loader?: DataLoader;
  /** The number of examples at the front of the file that are for validation, as in `split(data, count)`. Default 0. */
  readonly validation?: number;
}

const optionNames = ['directory', 'optimizer', 'loader', 'validation'];

/** The files that are the same in each folder. */
const copied = ['train.py', 'data.py', 'batchnorm.py', 'safetensors_file.py', 'README.md'];

/**
 * Exports a training run to PyTorch, where it goes on in one process or, with `torchrun`, on several GPUs or machines. It
 * makes a folder with the model as a plain `nn.Sequential`, its weights, the optimizer with its state, the settings, a
 * training loop with softmax cross-entropy, and a README. It needs PyTorch 1.13 or newer, and no other package.
 *
 * One process computes what `fit` does, up to rounding. With several processes, each normalizes its own part of the batch,
 * or, with `--sync-bn`, all normalize the whole batch. {@link loadWeights} reads the weights that `train.py` saves.
 *
 * The state is that of the moment of the call. The folder is made as a whole: there is either all of it or nothing. A
 * warning counts the weights that are NaN, if there are any.
 *
 * @throws {ValueError} The model is not a layer; a layer, which the message names, has no form or is in the model twice; the
 *   optimizer has no form, or holds a parameter of another model; an option is unknown or out of its range.
 * @throws {FormatError} The folder cannot be written, is a file, or is not empty.
 * @see https://pytorch.org/docs/stable/elastic/run.html
 * @example
 * ```ts
 * import { mkdtemp, readdir } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { Adam, BatchNorm1d, Dense, ReLU, Sequential } from 'gammabeta';
 * import { exportPyTorch } from 'gammabeta/node';
 *
 * const model = new Sequential(new Dense(784, 64, { bias: false }), new BatchNorm1d(64), new ReLU(), new Dense(64, 10));
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
 * const directory = join(await mkdtemp(join(tmpdir(), 'gammabeta-')), 'for-pytorch');
 * await exportPyTorch(model, { optimizer, directory });
 * console.log((await readdir(directory)).filter((name) => name.endsWith('.safetensors')).join(' ')); // optimizer.safetensors weights.safetensors
 *
 * // then: torchrun --nproc_per_node=2 train.py --data MNIST
 * // and:  await loadWeights(model, 'trained.safetensors')
 * ```
 */
export async function exportPyTorch(model: Layer, options: ExportPyTorchOptions): Promise<void> {
  expectLayer('exportPyTorch', model);
  expectOptions('exportPyTorch', options, optionNames);
  const {
    optimizer = new SGD(model.parameters(), { lr: 0.01 }),
    loader = defaultLoader(),
    validation = 0,
  } = options;
  const directory = filePath('exportPyTorch', options.directory);
  expectOptimizer('exportPyTorch', optimizer);
  expectLoader(loader);
  expectInteger('exportPyTorch', 'validation', validation, 0);
  const forTorch = torchOptimizer(model, optimizer);
  const code = {
    'model.py': modelCode(model),
    'settings.py': settingsCode({ model, optimizer: forTorch, loader, validation }),
  };
  const state = model.stateDict();

  const source = plainSource('exportPyTorch', directory);
  await freePath(directory, source); // before the work
  const texts = Object.entries({ ...code, ...(await copies(source)) });
  const values = await Promise.all(Object.values(state).map((x) => x.data()));
  await saveFolder(directory, source, {
    ...Object.fromEntries(texts.map(([name, text]) => [name, [new TextEncoder().encode(text)]])),
    'weights.safetensors': weightParts('exportPyTorch', source, model, state, values, 'pytorch'),
    'optimizer.safetensors': partsOf(source, { tensors: await forTorch.state(), metadata: { format: 'pt' } }),
  });
}

/** The texts of the copied files, which the package has beside this module. */
async function copies(source: Source): Promise<Record<string, string>> {
  try {
    const texts = copied.map(async (name): Promise<[string, string]> => {
      return [name, await readFile(join(import.meta.dirname, 'python', name), 'utf8')];
    });
    return Object.fromEntries(await Promise.all(texts));
  } catch (cause) {
    const problem = `the Python files of gammabeta are missing: ${String(cause)}`;
    throw source.failure(problem, 'do not bundle gammabeta: exclude it as an external package', { cause });
  }
}

function defaultLoader(): DataLoader {
  const none = { x: new Uint8Array(784), shape: [784], labels: new Uint8Array(1), divisor: 255 };
  return new DataLoader(none, { batchSize: 32, shuffle: true, seed: 0 });
}

/** A subclass may have batches of its own. */
function expectLoader(loader: unknown): void {
  if (loader instanceof DataLoader && loader.constructor === DataLoader) return;
  const problem = `loader is ${loader instanceof DataLoader ? `a subclass: ${loader.constructor.name}` : shown(loader)}`;
  throw new ValueError('exportPyTorch', problem, 'pass a DataLoader, or leave loader out');
}
