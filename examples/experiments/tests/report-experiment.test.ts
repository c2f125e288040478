import { describe, expect, it } from 'vitest';
import { findingsOf } from '../mnist/report.ts';
import type { Results, Run } from '../mnist/results.ts';
import { experimentReport } from '../report/experiment.ts';
import type { Section } from '../report/model.ts';
import { digits } from '../../../src/index.ts';

const run = (net: Run['net'], seed: number, valAccuracy: number[]): Run => {
  const column = valAccuracy.map(() => 0.5);
  return {
    net,
    seed,
    history: { loss: column, accuracy: column, valLoss: column, valAccuracy, seconds: column },
  };
};

/** The report of these runs, without any measurements but their histories. */
function report(runs: Run[], comparable: boolean): { readonly sections: readonly Section[] } {
  const results: Results = {
    experiment: 'mnist-batchnorm',
    data: 'MNIST',
    from: 'cache',
    trainingImages: 55_000,
    epochs: 3,
    machine: { cpu: 'a CPU', node: 'v20', device: 'wasm' },
    runs,
  };
  const validation = digits({ count: 10, seed: 1 });
  const insides = new Map<string, never>();
  const details = { insides, validation, comparable, batchSize: 32, learningRate: 0.001 };
  return experimentReport(findingsOf(results, details));
}

function accuracy(runs: Run[], comparable: boolean) {
  const [block] = report(runs, comparable).sections[0].blocks;
  if (block.kind !== 'figures' || block.figures[0].chart.kind !== 'lines') throw new Error('no figure');
  return { ...block.figures[0], chart: block.figures[0].chart };
}

describe('the report of an experiment', () => {
  it('shows means over seeds with their range, also if one run was interrupted', () => {
    const { chart, caption } = accuracy(
      [run('plain', 1, [0.5, 0.75]), run('plain', 2, [0.25, 0.5]), run('bn', 1, [0.75, 1])],
      false,
    );
    expect(chart.series).toEqual([
      {
        name: 'plain',
        colour: 'plain',
        points: [
          [1, 0.375],
          [2, 0.625],
        ],
        band: [
          [1, 0.25, 0.5],
          [2, 0.5, 0.75],
        ],
      },
      {
        name: 'bn',
        colour: 'bn',
        points: [
          [1, 0.75],
          [2, 1],
        ],
      },
    ]);
    expect(caption).toBe('After epoch 2: plain 0.6250, bn 1.0000.');
  });

  it("shows Keras' results if they are comparable, for the epochs that were trained", () => {
    const runs = [run('plain', 1, [0.5, 0.75]), run('bn-pre', 1, [0.5, 0.75])];
    expect(accuracy(runs, true).chart.series.slice(2)).toEqual([
      { name: 'plain, Keras', colour: 'plain', style: 'points', points: [[1, 0.789]] },
    ]);
    expect(JSON.stringify(report(runs, false))).not.toContain('Keras');
  });

  it('omits sections without measurements', () => {
    expect(report([run('bn', 1, [0.5])], false).sections.map(({ heading }) => heading)).toEqual([
      'Loss and accuracy',
    ]);
  });
});
