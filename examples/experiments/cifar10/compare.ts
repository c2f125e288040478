/**
 * Compares the experiment on CIFAR-10 with PyTorch:
 *
 *     npx tsx examples/experiments/cifar10/compare.ts --data DIR --json examples/experiments/results/cifar10.json
 *
 * Runs `npm run cifar10`, then PyTorch twice: with its own random numbers, and with the weights and the order of images
 * of gammabeta. In the second case nothing is random, so the runs agree one by one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { GammaBetaError } from '../../../src/index.ts';
import { loadCifar10 } from '../../../src/node.ts';
import { integerFrom, listOf } from '../cli/options.ts';
import { expectWritable, writeResults } from '../cli/results.ts';
import { runCommand } from '../cli/run.ts';
import { agrees, type Comparison, meansOf, meansTable } from './comparison.ts';
import { EPOCHS, netNames } from './experiment.ts';
import type { Results } from './results.ts';
import { writeStart } from './start.ts';

interface Options {
  readonly data: string;
  readonly seed: number[];
  readonly epochs: number;
  readonly json?: string;
}

const { data, seed, epochs, json } = new Command('npx tsx examples/experiments/cifar10/compare.ts')
  .description('Compares npm run cifar10 with PyTorch on the same images.')
  .requiredOption('--data <dir>', 'folder with the files of CIFAR-10')
  .option('--seed <n>', 'one seed or several, as in 1,2,3', listOf(integerFrom(0)), [1, 2, 3])
  .option('--epochs <n>', 'number of passes through the training images', integerFrom(1), EPOCHS)
  .option('--json <file>', 'write all measured values to this file')
  .parse()
  .opts<Options>();

await runCommand(async () => {
  await expectWritable('compare', json);
  const python = process.env.PYTHON ?? '/usr/bin/python3';
  call(python, ['-c', 'import torch']); // fails before training if there is no PyTorch
  const folder = await mkdtemp(join(tmpdir(), 'gammabeta-cifar10-'));
  try {
    const { train: training } = await loadCifar10({ dir: data });
    const common = ['--data', data, '--seed', seed.join(), '--epochs', String(epochs)];
    const result = async (command: string, args: readonly string[]) => {
      const file = join(folder, 'results.json');
      call(command, [...args, ...common, '--json', file]);
      return JSON.parse(await readFile(file, 'utf8')) as Results;
    };

    console.log('— gammabeta');
    const ours = join(import.meta.dirname, '..', 'cifar10-batchnorm.ts');
    const gammabeta = await result(process.execPath, ['--import', 'tsx', ours, '--out', folder]);
    // -B: write no bytecode into this folder.
    const theirs = ['-B', join(import.meta.dirname, 'pytorch.py')];
    console.log('\n— PyTorch');
    const pytorch = await result(python, theirs);
    console.log('\n— PyTorch, from our weights, with our order of the images');
    for (const each of seed)
      for (const net of netNames) await writeStart(folder, net, each, { training, epochs });
    const pytorchSameStart = await result(python, [...theirs, '--start', folder]);

    const sides = { gammabeta, pytorch, pytorchSameStart };
    const comparison: Comparison = { means: meansOf(sides), ...sides };
    console.log(`\n${meansTable(comparison.means)}`);
    if (json !== undefined) {
      await writeResults(json, comparison);
      console.log(`\nWritten: ${json}`);
    }
    if (!agrees(comparison.means)) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true });
  }
});

function call(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  const why = error?.message ?? `exit status ${status ?? 'of a signal'}`;
  const hint =
    'see its message above; to get PyTorch: apt-get install python3-torch, or set PYTHON to a Python that has it';
  throw new GammaBetaError('compare', `${command} failed: ${why}`, hint);
}
