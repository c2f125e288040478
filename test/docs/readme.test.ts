import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mnistChart } from '../../examples/experiments/results/chart.ts';
import type { Results } from '../../examples/experiments/mnist/results.ts';
import { mnistTable, quoted } from '../../examples/experiments/results/quotes.ts';
import { root } from './collect-examples.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const mnist = JSON.parse(read('examples/experiments/results/mnist.json')) as Results;

describe('the documentation', () => {
  it('quotes the committed results (npm run docs)', async () => {
    const readme = read('README.md');
    expect(await quoted(readme, 'mnist', mnistTable(mnist))).toBe(readme);
    expect(mnistChart(mnist)).toBe(read('examples/experiments/results/mnist.svg'));
  });

  it('has results in the bands in which Keras and PyTorch lie', () => {
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

  it('links to files that are there', () => {
    const guides = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md') && !/(?:^|\/)(?:node_modules|dist|\.[^/]*)\//.test(file))
      .map((file) => file.replaceAll('\\', '/'));
    expect(guides).toEqual(expect.arrayContaining(['README.md', 'examples/experiments/cifar10/README.md']));
    const broken = guides.flatMap((guide) =>
      [...read(guide).matchAll(/\]\((?!https?:|#)(?<path>[^)#]+)/g)]
        .map((link) => link.groups?.path ?? '')
        .filter((path) => !existsSync(join(root, dirname(guide), path)))
        .map((path) => `${guide} → ${path}`),
    );
    expect(broken).toEqual([]);
  });
});
