import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Results } from '../mnist/results.ts';
import { hasMnist, mnistDir } from '../../tests/run-example.ts';
import { bundled } from './command/bundled.ts';

let reports = '';
beforeAll(() => {
  reports = mkdtempSync(join(tmpdir(), 'gammabeta-reports-'));
});
afterAll(() => rmSync(reports, { recursive: true }));

const command = bundled('mnist-batchnorm.ts');
const run = (...args: string[]) => command('--out', reports, ...args);

describe('npm run mnist, with something wrong', () => {
  it.each([
    [['--epoch', '3'], /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    [['--nets', 'plain,foo'], /'foo' is not one of plain, bn, bn-pre/],
    [['--epochs', '0'], /expected an integer ≥ 1/],
    [['--seed', '1.5'], /expected an integer ≥ 0/],
    [['--limit', 'many'], /expected an integer ≥ 2/],
    [
      ['--data', 'no/such/folder'],
      /^loadMnist: the folder no\/such\/folder cannot be read: .* Hint: download train-images/,
    ],
    [
      ['--json', 'no/such/folder/x.json'],
      /^mnist: cannot write into the folder of no\/such\/folder\/x\.json\. Hint: /,
    ],
    [
      ['--out', 'package.json/reports'],
      /^mnist: the report cannot be written into the folder package\.json\/reports: ENOTDIR\. Hint: name another/,
    ],
    [['--ofline'], /unknown option '--ofline'\n\(Did you mean --offline\?\)/],
    [['--device', 'gpu'], /'gpu' is not one of webgpu, webgl, wasm, cpu\./],
  ])('%j says what, and what to do', (args, message) => {
    const { status, stderr, stdout } = run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m); // no stack: it is the user's mistake, not a bug
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('npm run mnist, where MNIST can be neither found nor fetched', () => {
  let folder = '';
  let stdout = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-digits-'));
    const json = join(folder, 'digits.json');
    ({ stdout } = run('--offline', '--limit', '640', '--epochs', '1', '--device', 'wasm', '--json', json));
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('takes the built-in digits, and says so first, at the table and in the JSON', () => {
    expect(stdout).toMatch(
      /^Data: the built-in digits, NOT MNIST, which is not available: .* Hint: --data DIR/,
    );
    expect(stdout).toMatch(/^the built-in digits: 640 images to train on, 5000 to validate\.$/m);
    expect(stdout).toMatch(/^On the built-in digits:$/m);
    expect(stdout).not.toMatch(/Keras|On MNIST/);
    const results = JSON.parse(readFileSync(join(folder, 'digits.json'), 'utf8')) as Results;
    expect(results).toMatchObject({ data: 'the built-in digits', from: 'built in' });
  });

  it('prints the time of both networks and its ratio', () => {
    expect(stdout).toMatch(/^Time to train without batch normalization \(plain\): +\d+\.\d s$/m);
    expect(stdout).toMatch(
      /^Time to train with batch normalization \(bn\): +\d+\.\d s, \d+\.\d\d times as long$/m,
    );
  });

  it('calls them by their name in the report too', () => {
    const report = readFileSync(join(reports, 'mnist.html'), 'utf8');
    expect(report).toContain('<h1>Batch normalization on the built-in digits</h1>');
    expect(report).toContain('<dd>the built-in digits, drawn from a seed</dd>');
    expect(report).not.toMatch(/MNIST|Keras/);
  });

  it('draws no chart of a single epoch', () => {
    expect(stdout).not.toContain('●');
  });

  it('computes where it was asked to', () => {
    expect(stdout).toMatch(/^Device: wasm \(WebAssembly, .*\), as requested\./m);
  });
});

describe.skipIf(!hasMnist)('npm run mnist, on 640 real images', () => {
  const nets = ['plain', 'bn', 'bn-pre'];
  let folder = '';
  let stdout = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-mnist-'));
    const json = join(folder, 'mnist.json');
    ({ stdout } = run(
      '--data',
      mnistDir,
      '--limit',
      '640',
      '--epochs',
      '1',
      '--nets',
      nets.join(),
      '--json',
      json,
    ));
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('prints one line an epoch and a table with the nets side by side', () => {
    expect(stdout).toMatch(
      /^Data: MNIST, from .*\.\nDevice: wasm \(WebAssembly, (relaxed )?SIMD\).*\nMNIST: 640 images to train on, 5000 to validate\.\n/,
    );
    expect(stdout).toMatch(/^On MNIST:$/m);
    for (const net of nets)
      expect(stdout).toMatch(new RegExp(`^${net}  epoch 1/1  loss \\d.*valAccuracy 0\\.\\d{4}`, 'm'));
    expect(stdout).toMatch(/│ +plain +│ +bn +│ +bn-pre +│/);
    expect(stdout).not.toContain('Keras'); // those figures are for all of the images
  });

  it('says what the difference means, in two sentences', () => {
    expect(stdout).toMatch(/^After the first epoch, bn .*plain \d+\.\d %\. Its epoch takes \d.*\.$/m);
  });

  it('ends with the path of its report, in which each network is', () => {
    const path = join(reports, 'mnist.html');
    expect(stdout.endsWith(`\nWritten: ${join(folder, 'mnist.json')}\n\n${path}\n`)).toBe(true);
    const report = readFileSync(path, 'utf8');
    expect(report).toContain('<h1>Batch normalization on MNIST</h1>');
    expect(report).not.toContain('Keras'); // as above
    for (const net of nets)
      expect(report).toMatch(new RegExp(`${net}: [\\d,]+ of 5,000 validation images are correct`));
    for (const place of [
      'γ of bn-pre, batch normalization after dense layer 2',
      'Gradient of the weight: dense layer 3',
    ])
      expect(report).toContain(place);
  });

  it('writes what it measured, and nothing else', () => {
    expect(readdirSync(folder)).toEqual(['mnist.json']);
    expect(readdirSync(reports)).toEqual(['mnist.html']);
    const { runs, trainingImages } = JSON.parse(readFileSync(join(folder, 'mnist.json'), 'utf8')) as Results;
    expect(trainingImages).toBe(640);
    expect(runs.map(({ net }) => net)).toEqual(nets);
    for (const { history } of runs) {
      expect(Object.keys(history).sort()).toEqual(['accuracy', 'loss', 'seconds', 'valAccuracy', 'valLoss']);
      expect(history.loss).toHaveLength(1);
    }
  });
});
