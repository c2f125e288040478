/** The reports of the experiments: committed results, and networks that were measured but not trained. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, digits, manualSeed, type Sequential } from '../../../src/index.ts';
import { nets as mnistNets } from '../../../src/networks.ts';
import { root } from '../../tests/run-example.ts';
import { nets as cifar10Nets } from '../cifar10/experiment.ts';
import { findingsOf as cifar10Findings } from '../cifar10/report.ts';
import type { Results as Cifar10Results } from '../cifar10/results.ts';
import { findingsOf as mnistFindings } from '../mnist/report.ts';
import type { Results as MnistResults } from '../mnist/results.ts';
import { experimentReport } from '../report/experiment.ts';
import type { Report } from '../report/model.ts';
import { type Inside, watch } from '../report/watch.ts';

const committed = (file: string): unknown =>
  JSON.parse(readFileSync(join(root, 'examples/experiments/results', file), 'utf8'));

async function measured(
  nets: Readonly<Record<string, () => Sequential>>,
  data: Dataset,
): Promise<Map<string, Inside>> {
  const insides = new Map<string, Inside>();
  for (const [name, make] of Object.entries(nets)) {
    manualSeed(1);
    const watching = await watch(make(), data, 2);
    await watching.batch();
    insides.set(name, await watching.end());
  }
  return insides;
}

export async function mnistReport(): Promise<Report> {
  const validation = digits({ count: 200, seed: 1 });
  const insides = await measured(mnistNets, validation);
  const details = { insides, validation, comparable: true, batchSize: 32, learningRate: 0.001 };
  return experimentReport(mnistFindings(committed('mnist.json') as MnistResults, details));
}

export async function cifar10Report(): Promise<Report> {
  const x = Uint8Array.from({ length: 60 * 3072 }, (_, i) => (i * 37 + (i >> 10)) % 256);
  const test = { x, shape: [3072], labels: Uint8Array.from({ length: 60 }, (_, i) => i % 10), divisor: 255 };
  const { gammabeta } = committed('cifar10.json') as { readonly gammabeta: Cifar10Results };
  return experimentReport(cifar10Findings(gammabeta, { insides: await measured(cifar10Nets, test), test }));
}
