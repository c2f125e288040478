/** Exported training runs, which PyTorch continues with the same numbers. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Adam,
  AdamW,
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  type Dataset,
  decodeSafetensors,
  Dense,
  Dropout,
  Embedding,
  fit,
  Flatten,
  FormatError,
  freeze,
  GroupNorm,
  Identity,
  Layer,
  LayerNorm,
  LeakyReLU,
  type LearningRate,
  manualSeed,
  type Optimizer,
  ReLU,
  RMSprop,
  Sequential,
  SGD,
  Sigmoid,
  Softmax,
  split,
  Tanh,
  type Tensor,
  tensor,
  useDevice,
  ValueError,
} from '../../../src/index.ts';
import { nets } from '../../../src/networks.ts';
import { exportPyTorch, loadWeights } from '../../../src/node.ts';
import { encodeIdx } from '../../data/encode-idx.ts';
import { folder, rejection } from '../../data/helpers.ts';
import { expectClose, snapshot } from '../../layers/helpers.ts';
import { pythonWithTorch } from '../../python.ts';
import { runTrainPy } from './run-train-py.ts';

const VALIDATION = 10;
const ROWS = 93; // eight batches: seven of 12, and one of 9, which two processes cannot halve

/** Images of 4×3 bytes whose label is mostly that of the brightest row. */
const pixels = Uint8Array.from({ length: (VALIDATION + ROWS) * 12 }, (_, i) => (i * i * 7 + i * 31) % 256);
const labels = Uint8Array.from({ length: VALIDATION + ROWS }, (_, i) => {
  const sums = [0, 1, 2, 3].map((row) =>
    pixels.subarray(i * 12 + row * 3, i * 12 + row * 3 + 3).reduce((a, b) => a + b),
  );
  return i % 9 === 0 ? i % 4 : sums.indexOf(Math.max(...sums));
});

const images = encodeIdx({ shape: [VALIDATION + ROWS, 4, 3], dtype: 'uint8', data: pixels });
const idxFiles = {
  'train-images-idx3-ubyte': images,
  'train-labels.idx1-ubyte': encodeIdx({ shape: [labels.length], dtype: 'uint8', data: labels }),
};

const bytes: Dataset = { x: pixels, shape: [12], labels, divisor: 255 };

/** A training run: a model, its optimizer, and the form of the data. */
interface Run {
  readonly model: () => Sequential;
  readonly optimizer: (model: Sequential) => Optimizer<LearningRate>;
  readonly data?: Dataset;
  readonly shuffle?: boolean;
}

const float64 = { dtype: 'float64' } as const;
const keras = { eps: 1e-3, momentum: 0.01, runningVariance: 'biased' } as const;

const runs: Readonly<Record<string, Run>> = {
  'plain, SGD with Nesterov momentum': {
    model: () => new Sequential(new Dense(12, 8), new LeakyReLU(0.3), new Dense(8, 4)),
    optimizer: (m) => new SGD(m.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
  },
  "Keras' batch normalization, SGD": {
    model: () =>
      new Sequential(
        new BatchNorm1d(12, keras),
        new Dense(12, 8),
        new ReLU(),
        new BatchNorm1d(8, { ...keras, momentum: null }),
        new Dense(8, 4),
      ),
    optimizer: (m) => new SGD(m.parameters(), { lr: 0.1 }),
  },
  "PyTorch's batch normalization, Adam with groups": {
    model: () =>
      new Sequential(new Dense(12, 8, { bias: false }), new BatchNorm1d(8), new ReLU(), new Dense(8, 4)),
    optimizer: (m) =>
      new Adam(
        [
          { params: m.layers[3].parameters(), lr: 0.02 },
          { params: m.layers.slice(0, 3).flatMap((layer) => layer.parameters()) },
        ],
        { lr: 0.01, betas: [0.8, 0.99], eps: 1e-3, weightDecay: 0.01, amsgrad: true },
      ),
  },
  'other forms of batch normalization, AdamW': {
    model: () =>
      new Sequential(
        new Dense(12, 8, { bias: false }), // the gradient of a bias would be noise, which AdamW scales up
        new BatchNorm1d(8, { momentum: null, affine: false }),
        new Sigmoid(),
        new Dense(8, 8, { bias: false }),
        new Dropout(0),
        new BatchNorm1d(8, { eps: 0.1, momentum: 0.3 }),
        new Tanh(),
        new Dense(8, 4),
      ),
    optimizer: (m) => new AdamW(m.parameters(), { lr: 0.01, weightDecay: 0.1 }),
    shuffle: false,
  },
  'nested, in float64 and partly frozen, centered RMSprop': {
    model: () => {
      const frozen = new Sequential(new Dense(12, 8, float64), new BatchNorm1d(8, float64));
      frozen.forward(
        tensor(
          [...pixels.subarray(0, 60)].map((x) => x / 255),
          { shape: [5, 12], ...float64 },
        ),
      );
      const model = new Sequential(freeze(frozen), new ReLU(), new Identity(), new Dense(8, 4, float64));
      return model;
    },
    optimizer: (m) => new RMSprop(m.parameters(), { lr: 0.01, eps: 0.01, momentum: 0.5, centered: true }),
  },
  'normalization of rows': {
    model: () =>
      new Sequential(
        new Dense(12, 8),
        new LayerNorm(8, { eps: 0.01 }),
        new ReLU(),
        new GroupNorm(2, 8, { affine: false }),
        new Dense(8, 4),
      ),
    optimizer: (m) => new SGD(m.parameters(), { lr: 0.05, momentum: 0.5, dampening: 0.25 }),
  },
  'rows and columns, scaled, RMSprop': {
    model: () => new Sequential(new BatchNorm1d(4), new Flatten(), new Dense(12, 4)),
    optimizer: (m) => new RMSprop(m.parameters(), { lr: 0.01, eps: 1e-3, weightDecay: 0.01 }),
    data: { ...bytes, shape: [4, 3], mean: Array.from({ length: 12 }, (_, i) => i / 30), deviation: 0.3 },
  },
};

/** A run after one epoch, exported to a folder. */
async function exported(name: string, directory: string) {
  const { [name]: run } = runs;
  manualSeed(7);
  const model = run.model();
  const optimizer = run.optimizer(model);
  const [, train] = split(run.data ?? bytes, VALIDATION);
  const loader = new DataLoader(train, { batchSize: 12, shuffle: run.shuffle ?? true });
  await fit(model, { train: loader, optimizer, epochs: 1 });
  await exportPyTorch(model, { optimizer, loader, directory, validation: VALIDATION });
  return { model, optimizer, loader };
}

/** The state that `train.py` has saved. */
async function expectSaved(file: string, name: string, expected: Layer): Promise<void> {
  const model = runs[name].model();
  expect(await loadWeights(model, file)).toEqual({ missing: [], unexpected: [] });
  for (const [key, x] of Object.entries(model.stateDict())) expectClose(x, expected.stateDict()[key], 1e-5);
}

/** One epoch of two processes: each has half of a batch, and statistics of its own; the gradients are averaged. */
function trainHalves(
  model: Sequential,
  other: Sequential,
  optimizer: Optimizer<LearningRate>,
  loader: DataLoader,
): void {
  for (const { x, shape, labels: targets } of loader) {
    other.loadStateDict(model.stateDict()); // of process 0
    const [size] = shape;
    const half = Math.ceil(size / 2);
    optimizer.zeroGrad();
    for (const p of other.parameters()) p.grad = null;
    const all = tensor(x, { shape });
    for (const [of, begin, end] of [
      [model, 0, half],
      [other, half, size],
    ] as const) {
      // prettier-ignore
      const output = of.train().forward(all.slice(begin, end));
      crossEntropy(output, targets.slice(begin, end), { reduction: 'sum' })
        .mul(1 / size)
        .backward();
    }
    const [mine, theirs] = [model.parameters(), other.parameters()];
    mine.forEach((p, i) => {
      const { grad } = theirs[i];
      if (p.grad !== null && grad !== null) p.grad = p.grad.add(grad);
    });
    optimizer.step();
  }
}

beforeAll(() => useDevice('cpu'));
beforeEach(() => manualSeed(1));

const python = pythonWithTorch();

describe.skipIf(python === undefined)('train.py', () => {
  it('in one process continues as fit does', { timeout: 60_000 }, async () => {
    const dir = await folder(idxFiles);
    const names = Object.keys(runs);
    const parts = [];
    for (const [k, name] of names.entries()) parts.push(await exported(name, join(dir, String(k))));
    const save = (k: number) => join(dir, `${k}.safetensors`);
    const printed = await runTrainPy(
      python ?? '',
      names.map((_, k) => ({
        directory: join(dir, String(k)),
        arguments: ['--data', dir, '--epochs', '1', '--save', save(k)],
      })),
      1,
    );
    const lines = printed.split('\n');
    for (const [k, { model, optimizer, loader }] of parts.entries()) {
      const history = await fit(model, { train: loader, optimizer, epochs: 1 });
      await expectSaved(save(k), names[k], model);
      expect(lines[2 * k]).toMatch(/^epoch 2 {2}loss \d\.\d{4} {2}validation accuracy [01]\.\d{4}$/);
      expect(lines[2 * k]).toContain(`loss ${history.loss[0].toFixed(4)}`);
    }
  });

  it(
    'in two processes trains on halves, or with --sync-bn as one process does',
    { timeout: 60_000 },
    async () => {
      const dir = await folder(idxFiles);
      const names = Object.keys(runs).filter((name) => !name.includes('float64'));
      for (const [k, name] of names.entries()) await exported(name, join(dir, String(k)));
      const save = (k: number, how: string) => join(dir, `${k}${how}.safetensors`);
      await runTrainPy(
        python ?? '',
        ['', '--sync-bn'].flatMap((how) =>
          names.map((_, k) => ({
            directory: join(dir, String(k)),
            arguments: ['--data', dir, '--epochs', '1', '--save', save(k, how), ...(how === '' ? [] : [how])],
          })),
        ),
        2,
      );
      for (const [k, name] of names.entries()) {
        const halves = await exported(name, join(dir, `halves-${k}`));
        trainHalves(halves.model, runs[name].model(), halves.optimizer, halves.loader);
        await expectSaved(save(k, ''), name, halves.model);
        const whole = await exported(name, join(dir, `whole-${k}`));
        await fit(whole.model, { train: whole.loader, optimizer: whole.optimizer, epochs: 1 });
        await expectSaved(save(k, '--sync-bn'), name, whole.model);
      }
    },
  );
});

/** A folder that does not exist yet. */
const newFolder = async (): Promise<string> => join(await folder({}), 'exported');
const small = (): Sequential => new Sequential(new Dense(2, 2), new BatchNorm1d(2));

describe('exportPyTorch', () => {
  it('makes a folder with everything that PyTorch needs', async () => {
    const directory = await newFolder();
    const model = small();
    await exportPyTorch(model, { directory: pathToFileURL(directory) });
    expect((await readdir(directory)).sort()).toEqual([
      'README.md',
      'batchnorm.py',
      'data.py',
      'model.py',
      'optimizer.safetensors',
      'safetensors_file.py',
      'settings.py',
      'train.py',
      'weights.safetensors',
    ]);
    expect(await readdir(dirname(directory))).toEqual(['exported']); // no temporary folder
    const imported = /^(?:from|import) (\w+)/gm;
    const files = (await readdir(directory)).filter((name) => name.endsWith('.py'));
    const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
    const own = files.map((name) => name.replace('.py', ''));
    const others = texts.flatMap((text) => [...text.matchAll(imported)].map(([, name]) => name));
    const standard = ['argparse', 'ctypes', 'gzip', 'json', 'os', 'pathlib', 'struct'];
    expect([...new Set(others)].filter((name) => ![...own, ...standard].includes(name))).toEqual(['torch']);
    await loadWeights(small(), join(directory, 'weights.safetensors'));
  });

  it('writes each layer as PyTorch code', async () => {
    const directory = await newFolder();
    await exportPyTorch(
      new Sequential(
        new Flatten(),
        new Sequential(new Dense(6, 4, { bias: false }), new BatchNorm1d(4)),
        new LeakyReLU(0.3),
        new BatchNorm1d(4, {
          momentum: null,
          affine: false,
          trackRunningStats: false,
          runningVariance: 'biased',
        }),
        new Dropout(0.25),
        new Sequential(),
        new Softmax(),
      ),
      { directory },
    );
    expect(await readFile(join(directory, 'model.py'), 'utf8')).toBe(`"""The network."""

from torch import nn

from batchnorm import BatchNorm1d


def build():
    return nn.Sequential(
        nn.Flatten(),
        nn.Sequential(
            nn.Linear(6, 4, bias=False),
            nn.BatchNorm1d(4, eps=0.00001, momentum=0.1),
        ),
        nn.LeakyReLU(0.3),
        BatchNorm1d(4, eps=0.00001, momentum=None, affine=False, track_running_stats=False, biased=True),
        nn.Dropout(0.25),
        nn.Sequential(),
        nn.Softmax(dim=-1),
    )
`);
  });

  it('writes the settings of the loader and the optimizer, and its state by the names of the parameters', async () => {
    const directory = await newFolder();
    const model = new Sequential(
      new Dense(2, 3),
      freeze(new BatchNorm1d(3)),
      new Dense(3, 2),
      new Dropout(0.5),
    );
    model.layers[3].eval();
    const optimizer = new Adam([{ params: model.layers[2].parameters(), lr: 0.5 }]);
    const data = {
      x: Uint8Array.of(1, 2, 3, 4),
      shape: [2],
      labels: Uint8Array.of(0, 1),
      mean: [1, 2],
      deviation: 0.5,
    };
    const loader = new DataLoader(data, { batchSize: 2, shuffle: true, seed: 2 ** 40, dropLast: true });
    await fit(model, { train: loader, optimizer, epochs: 3 });
    await exportPyTorch(model, { directory, optimizer, loader, validation: 5 });
    const settings = await readFile(join(directory, 'settings.py'), 'utf8');
    const values = Object.fromEntries(
      [...settings.matchAll(/^([A-Z_]+) = (.*?)(?: {2}#.*)?$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(values).toMatchObject({
      BATCH_SIZE: '2',
      SHUFFLE: 'True',
      SEED: '1099511627776',
      EPOCH: '3',
      DROP_LAST: 'True',
      VALIDATION: '5',
      SHAPE: '[2]',
      MEAN: '[1, 2]',
      DEVIATION: '0.5',
      OPTIMIZER: '"Adam"',
      FROZEN_PARAMETERS: '["1.weight", "1.bias"]',
      LAYERS_IN_EVALUATION: '["1", "3"]',
    });
    expect(settings).toContain('        "params": ["2.weight", "2.bias"],\n        "lr": 0.5,\n');
    expect(settings).toContain('        "weight_decay": 0,\n        "amsgrad": False,\n');
    const { tensors } = decodeSafetensors(await readFile(join(directory, 'optimizer.safetensors')));
    expect(Object.entries(tensors).map(([name, { shape }]) => [name, shape])).toEqual(
      expect.arrayContaining([
        ['exp_avg.2.weight', [2, 3]],
        ['exp_avg_sq.2.bias', [2]],
        ['step.2.bias', []],
      ]),
    );
    expect(Object.keys(tensors)).toHaveLength(6);
    expect(tensors['step.2.weight'].data[0]).toBe(3);
  });

  it('exports the state of the moment of the call, and changes nothing', async () => {
    const directory = await newFolder();
    const model = small();
    const before = snapshot(model);
    const exporting = exportPyTorch(model, { directory });
    expect(snapshot(model)).toEqual(before);
    model.loadStateDict(small().stateDict());
    await exporting;
    await loadWeights(model, join(directory, 'weights.safetensors'));
    expect(snapshot(model)).toEqual(before);
  });

  it('counts NaN in a warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const model = small();
    model.loadStateDict({ '0.bias': tensor([NaN, 1]) }, { strict: false });
    await exportPyTorch(model, { directory: await newFolder() });
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^exportPyTorch: 1 values are NaN: 0\.bias\. Hint: /)],
    ]);
    warn.mockRestore();
  });

  it('writes into an empty folder, and never over something', async () => {
    const dir = await folder({ file: 'mine' });
    const refused = async (directory: string, problem: string): Promise<void> => {
      const before = await readdir(dir);
      const { message } = await rejection(exportPyTorch(small(), { directory }), FormatError);
      expect(message).toContain(`exportPyTorch: ${problem}`);
      expect(await readdir(dir)).toEqual(before);
    };
    await refused(dir, `the folder ${dir} is not empty: it has file`);
    await refused(join(dir, 'file'), `${join(dir, 'file')} is not a folder`);
    await refused(join(dir, 'no', 'folder'), `${join(dir, 'no', 'folder')} cannot be written: ENOENT`);
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('mine');
    const empty = await folder({});
    await exportPyTorch(small(), { directory: empty });
    expect(await readdir(empty)).toContain('train.py');
    await writeFile(join(empty, 'train.py'), 'changed by me');
    await expect(exportPyTorch(small(), { directory: empty })).rejects.toThrow('is not empty');
    expect(await readFile(join(empty, 'train.py'), 'utf8')).toBe('changed by me');
  });

  it('refuses what PyTorch would compute in another way, by name', async () => {
    class Twice extends Layer {
      override forward(x: Tensor): Tensor {
        return x.mul(2);
      }
    }
    class MySGD extends SGD {}
    class MyLoader extends DataLoader {}
    const directory = await newFolder();
    const refused = async (model: Layer, options: object, problem: string): Promise<void> => {
      const { message } = await rejection(exportPyTorch(model, { directory, ...options }), ValueError);
      expect(message).toContain(`exportPyTorch: ${problem}`);
      expect(await readdir(dirname(directory))).toEqual([]);
    };
    const model = small();
    const twice = new Dense(2, 2);
    await refused(new Sequential(new Dense(2, 2), new Twice()), {}, 'layer 1, Twice, has no form in PyTorch');
    await refused(new Embedding(2, 2), {}, 'the model, Embedding(2 → 2), has no form in PyTorch');
    await refused(new Sequential(twice, new ReLU(), twice), {}, 'layer 2, Dense(2 → 2), is also layer 0');
    const options = { lr: 0.1 };
    await refused(
      model,
      { optimizer: new MySGD(model.parameters(), options) },
      'the optimizer MySGD has no form',
    );
    await refused(
      model,
      { optimizer: new SGD(small().parameters(), options) },
      'the optimizer holds a parameter',
    );
    await refused(model, { loader: new MyLoader(bytes, { batchSize: 2 }) }, 'loader is a subclass: MyLoader');
    await refused(model, { validation: -1 }, 'validation is -1');
    await refused(model, { folder: directory }, 'unknown option: folder');
  });

  it.each(Object.keys(nets))('takes the network %s', async (name) => {
    const directory = await newFolder();
    await exportPyTorch(nets[name as keyof typeof nets](), { directory });
    const code = await readFile(join(directory, 'model.py'), 'utf8');
    expect(code.match(/nn\.Linear/g)).toHaveLength(3);
    expect(code.includes('biased=True')).toBe(name !== 'plain');
  });
});
