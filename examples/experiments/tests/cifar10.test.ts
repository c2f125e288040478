import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Results } from '../cifar10/results.ts';
import { nets } from '../cifar10/experiment.ts';
import { writeStart } from '../cifar10/start.ts';
import { manualSeed, tensor } from '../../../src/index.ts';
import { loadCifar10 } from '../../../src/node.ts';
import { type Output, root, runExample } from '../../tests/run-example.ts';
import { bundled } from './command/bundled.ts';

/** A file in the format of CIFAR-10: each label, followed by the 3,072 bytes of an image that no other one equals. */
function records(labels: readonly number[]): Uint8Array {
  const file = new Uint8Array(labels.length * 3073);
  labels.forEach((label, i) => {
    file[i * 3073] = label;
    for (let at = 0; at < 3072; at++) file[i * 3073 + 1 + at] = 31 * i + 7 * (at >> 10) + at;
  });
  return file;
}

const command = bundled('cifar10-batchnorm.ts');
const run = (...args: string[]) => command('--out', join(folder, 'reports'), ...args);

/** 130 images to train on, so that the last batch has two images, and 20 to test. */
let folder = '';
let data = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-cifar10-'));
  data = join(folder, 'data');
  mkdirSync(data);
  const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 10);
  writeFileSync(join(data, 'data_batch_1.bin.gz'), gzipSync(records(labels(130))));
  writeFileSync(join(data, 'test_batch.bin'), records(labels(20)));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('npm run cifar10, with a mistake', () => {
  it.each([
    [['--epoch', '3'], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    [['--ofline'], /unknown option '--ofline'\n\(Did you mean --offline\?\)/],
    [['--nets', 'plain,bn-pre'], /'bn-pre' is not one of plain, bn\./],
    [['--device', 'gpu'], /'gpu' is not one of webgpu, webgl, wasm, cpu\./],
    [['--epochs', '0'], /expected an integer ≥ 1/],
    [['--seed', '1,x'], /expected an integer ≥ 0/],
    [['--limit', '1'], /expected an integer ≥ 2/],
    [
      ['--data', 'no/such/folder'],
      /^loadCifar10: the folder no\/such\/folder cannot be read: .* Hint: download /,
    ],
    [
      ['--offline'],
      /^CIFAR-10: it is not in the cache, and --offline was given\. Hint: leave out --offline to download it; or --data DIR or CIFAR10_DIR=DIR names a folder with CIFAR-10\n$/,
    ],
    [
      ['--json', 'no/such/folder/x.json'],
      /^cifar10: cannot write into the folder of no\/such\/folder\/x\.json\. Hint: /,
    ],
  ])('%j: the message names it and says what to do', (args, message) => {
    const { status, stderr, stdout } = run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m); // no stack: a mistake of the user is not a bug
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  it('names a file that is not in the format of CIFAR-10', () => {
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'data_batch_1.bin'), records([1, 2]).subarray(1));
    writeFileSync(join(broken, 'test_batch.bin'), records([1]));
    const { status, stderr } = run('--data', broken);
    expect(stderr).toMatch(/^loadCifar10: .*data_batch_1\.bin.*Hint: /);
    expect(status).toBe(1);
  });
});

describe('npm run cifar10', () => {
  let output: Output;
  let results: Results;
  beforeAll(() => {
    const json = join(folder, 'cifar10.json');
    output = run('--data', data, '--epochs', '2', '--seed', '1,2', '--json', json);
    results = JSON.parse(readFileSync(json, 'utf8')) as Results;
  }, 180_000);

  it('says where the data came from, and prints a line per epoch and a table', () => {
    const { stdout, stderr, status } = output;
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Data: CIFAR-10, from .*\/data\.\nDevice: .*\nCIFAR-10: 130 images to train on, 20 to test\.$/m,
    );
    for (const net of ['plain', 'bn'])
      expect(stdout).toMatch(
        new RegExp(`^${net} \\(seed 2\\)  epoch 2/2  loss \\d.*testLoss \\d.*testAccuracy \\d\\.\\d{4}`, 'm'),
      );
    expect(stdout).toMatch(/│ +plain +│ +bn +│/);
    expect(stdout).toMatch(/│ epoch │ loss +│ acc +│ test loss │ test acc │/);
    expect(stdout).toMatch(/^After the first epoch, bn classifies .* of the test images/m);
    expect(stdout).toMatch(/^Test accuracy without batch normalization \(plain\): +\d+\.\d %$/m);
    expect(stdout).toMatch(/^Test accuracy with batch normalization \(bn\): +\d+\.\d %$/m);
  });

  it('writes all measured values with machine and versions, and no other file', () => {
    expect(readdirSync(folder)).not.toContainEqual(expect.stringContaining('.tmp'));
    expect(results).toMatchObject({
      experiment: 'cifar10-batchnorm',
      data: 'CIFAR-10',
      from: 'folder',
      trainingImages: 130,
      testImages: 20,
      epochs: 2,
      batchSize: 64,
      learningRate: 0.001,
      machine: { device: expect.stringMatching(/^wasm/) as string },
      versions: { gammabeta: expect.stringMatching(/^\d/) as string, node: process.version },
    });
    expect(results.runs.map(({ net, seed }) => `${net} ${seed}`)).toEqual([
      'plain 1',
      'bn 1',
      'plain 2',
      'bn 2',
    ]);
    for (const { history } of results.runs) {
      expect(Object.keys(history).sort()).toEqual(['accuracy', 'loss', 'seconds', 'valAccuracy', 'valLoss']);
      for (const column of Object.values(history)) expect(column).toHaveLength(2);
    }
  });

  it('draws the accuracy, and prints the path of its report last', () => {
    expect(output.stdout).toMatch(/^test accuracy by epoch: {2}o plain {3}● bn$/m);
    expect(output.stdout.endsWith(`\n\n${join(folder, 'reports', 'cifar10.html')}\n`)).toBe(true);
    const report = readFileSync(join(folder, 'reports', 'cifar10.html'), 'utf8');
    expect(report).toContain('Lines are means of 2 seeds');
    expect(report).toMatch(/bn: \d+ of 20 test images are correct/);
    expect([...report.matchAll(/<img src="data:image\/png;base64,/g)]).toHaveLength(12);
  });

  it('trains one network, on one device, on the first images only', () => {
    const { stdout, status } = run(
      ...['--data', data, '--nets', 'bn', '--epochs', '1', '--limit', '65', '--device', 'cpu', '--offline'],
    ); // 65: a last batch of one image, which batch normalization rejects
    expect(stdout).toMatch(/^Device: cpu .*\nCIFAR-10: 65 images to train on, 20 to test\.$/m);
    expect(stdout).toContain('To see what batch normalization changes, train plain and bn.');
    expect(status).toBe(0);
  });
});

describe('the networks', () => {
  it('start with the same weights, in the range of PyTorch', () => {
    const [plain, bn] = [nets.plain, nets.bn].map((make) => {
      manualSeed(5);
      return make().stateDict();
    });
    expect(bn['0.weight'].toArray()).toEqual(plain['0.weight'].toArray());
    expect(bn['3.bias'].toArray()).toEqual(plain['2.bias'].toArray());
    for (const [name, fanIn] of [
      ['0.weight', 3072],
      ['0.bias', 3072],
      ['2.weight', 512],
    ] as const) {
      const values = Float64Array.from(plain[name].dataSync());
      const bound = 1 / Math.sqrt(fanIn);
      expect(values.every((value) => Math.abs(value) <= bound)).toBe(true);
      expect(
        values.reduce((sum, value) => sum + value ** 2, 0) / values.length / (bound ** 2 / 3),
      ).toBeCloseTo(1, 0);
    }
    expect(
      nets
        .bn()
        .eval()
        .forward(tensor(new Float32Array(2 * 3072), { shape: [2, 3072] })).shape,
    ).toEqual([2, 10]);
  });
});

const python = process.env.PYTHON ?? '/usr/bin/python3';
const hasTorch = existsSync(python) && spawnSync(python, ['-c', 'import torch']).status === 0;
if (!hasTorch) console.warn(`cifar10 against PyTorch SKIPPED: no torch in ${python}`);

describe.skipIf(!hasTorch)('PyTorch', () => {
  it('with the same weights and order gives the same results, in the same format', async () => {
    const { train } = await loadCifar10({ dir: data });
    const start = mkdtempSync(join(folder, 'start-'));
    for (const net of ['plain', 'bn'] as const)
      await writeStart(start, net, 1, { training: train, epochs: 1 });
    const [ours, theirs] = ['ours.json', 'theirs.json'].map((name) => join(folder, name));
    const common = ['--data', data, '--epochs', '1', '--seed', '1', '--json'];
    const reports = join(folder, 'reports');
    const source = 'experiments/cifar10-batchnorm.ts';
    expect(runExample(source, '--out', reports, ...common, ours).status).toBe(0);
    const script = join(root, 'examples/experiments/cifar10/pytorch.py');
    const { status, stderr } = spawnSync(python, ['-B', script, ...common, theirs, '--start', start], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const [a, b] = [ours, theirs].map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
    const { runs: runsOfOurs, machine } = a;
    expect(b).toMatchObject({
      ...a,
      runs: [{ net: 'plain' }, { net: 'bn' }],
      machine: { cpu: machine.cpu },
      versions: { torch: expect.any(String) as string },
    });
    b.runs.forEach(({ net, seed, history }, i) => {
      expect({ net, seed }).toEqual({ net: runsOfOurs[i].net, seed: runsOfOurs[i].seed });
      expect(Object.keys(history).sort()).toEqual(Object.keys(runsOfOurs[i].history).sort());
      expect(history.loss[0]).toBeCloseTo(runsOfOurs[i].history.loss[0], 3);
      expect(history.valLoss[0]).toBeCloseTo(runsOfOurs[i].history.valLoss[0], 2);
    });
  }, 180_000);
});
