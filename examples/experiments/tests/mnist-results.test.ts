import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../tests/run-example.ts';
import type { Results } from '../mnist/results.ts';
import { mnistChart } from '../results/chart.ts';
import { mnistTable, quoted } from '../results/quotes.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const mnist = JSON.parse(read('examples/experiments/results/mnist.json')) as Results;

describe('the committed results on MNIST', () => {
  it('are what the README quotes and the picture shows (npm run docs)', async () => {
    const readme = read('README.md');
    expect(await quoted(readme, 'mnist', mnistTable(mnist))).toBe(readme);
    expect(mnistChart(mnist)).toBe(read('examples/experiments/results/mnist.svg'));
  });

  it('are in the range of the results of Keras and PyTorch', () => {
    const bands = { plain: { first: 0.77, last: 0.915 }, bn: { first: 0.855, last: 0.948 } };
    for (const [net, band] of Object.entries(bands)) {
      const accuracies = mnist.runs.filter((run) => run.net === net).map((run) => run.history.valAccuracy);
      expect(accuracies.length).toBeGreaterThanOrEqual(3);
      for (const accuracy of accuracies) {
        expect(accuracy[0]).toBeGreaterThan(band.first);
        expect(Math.abs(accuracy[9] - band.last)).toBeLessThanOrEqual(0.008);
      }
    }
  });
});
