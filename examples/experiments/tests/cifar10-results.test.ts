import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Comparison, agrees, meansOf, sideNames, TOLERANCE } from '../cifar10/comparison.ts';
import { netNames } from '../cifar10/experiment.ts';
import { cifar10Chart } from '../results/chart.ts';
import { cifar10Table, hasBlock, quoted } from '../results/quotes.ts';
import { root } from '../../tests/run-example.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const comparison = JSON.parse(read('examples/experiments/results/cifar10.json')) as Comparison;

describe('the committed results on CIFAR-10', () => {
  it('have both networks, three seeds and five epochs, of gammabeta and of PyTorch', () => {
    for (const side of sideNames) {
      const { runs, epochs, trainingImages, testImages } = comparison[side];
      expect([epochs, trainingImages, testImages]).toEqual([5, 5000, 1000]);
      expect(runs.map(({ net, seed }) => `${net} ${seed}`).sort()).toEqual(
        netNames.flatMap((net) => [1, 2, 3].map((seed) => `${net} ${seed}`)).sort(),
      );
      for (const { history } of runs)
        for (const column of Object.values(history)) expect(column).toHaveLength(5);
    }
  });

  it('agree in their means, which are computed from the runs', () => {
    const { means, ...sides } = comparison;
    expect(means).toEqual(meansOf(sides));
    expect(agrees(means)).toBe(true);
    for (const net of netNames) {
      const { gammabeta, pytorch, pytorchSameStart } = means[net];
      expect(Math.abs(gammabeta - pytorch)).toBeLessThanOrEqual(0.015);
      expect(Math.abs(gammabeta - pytorchSameStart)).toBeLessThanOrEqual(0.015);
    }
  });

  it('agree run by run with the same start', () => {
    const { gammabeta, pytorchSameStart } = comparison;
    gammabeta.runs.forEach(({ net, seed, history }, i) => {
      const theirs = pytorchSameStart.runs[i];
      expect([theirs.net, theirs.seed]).toEqual([net, seed]);
      expect(Math.abs(history.loss[0] - theirs.history.loss[0])).toBeLessThan(1e-3);
      expect(Math.abs(history.loss[4] - theirs.history.loss[4])).toBeLessThan(2e-2);
      expect(Math.abs(history.valAccuracy[4] - theirs.history.valAccuracy[4])).toBeLessThanOrEqual(0.015);
    });
  });

  it('do not agree if one mean is off', () => {
    const { means } = comparison;
    const off = { ...means.bn, gammabeta: means.bn.pytorch + TOLERANCE + 0.001 };
    expect(agrees({ ...means, bn: off })).toBe(false);
    expect(agrees({ ...means, bn: { ...off, gammabeta: NaN } })).toBe(false);
  });

  it('are shown in documents and picture (npm run docs)', async () => {
    const documents = ['README.md', 'examples/experiments/cifar10/README.md'].map(read);
    expect(hasBlock(documents[1], 'cifar10')).toBe(true);
    for (const text of documents.filter((each) => hasBlock(each, 'cifar10')))
      expect(await quoted(text, 'cifar10', cifar10Table(comparison))).toBe(text);
    expect(cifar10Chart(comparison)).toBe(read('examples/experiments/results/cifar10.svg'));
  });
});
