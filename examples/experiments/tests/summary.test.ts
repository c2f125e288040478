import { describe, expect, it } from 'vitest';
import type { NetName } from '../../../src/networks.ts';
import { finalAccuracies, trainingTimes } from '../cli/summary.ts';
import type { Run } from '../mnist/results.ts';
import { historyTable, meaning } from '../mnist/summary.ts';

/** A run with these validation accuracies, and other columns of the same length. */
function run(net: NetName, valAccuracy: number[], secondsPerEpoch: number, seed = 1): Run {
  const column = (value: number) => valAccuracy.map(() => value);
  const history = { loss: column(1), accuracy: column(0.5), valLoss: column(0.25), valAccuracy };
  return { net, seed, history: { ...history, seconds: column(secondsPerEpoch) } };
}

describe('the summary of the experiment', () => {
  const plain = run('plain', [0.7, 0.8, 0.85, 0.9], 10);

  it('counts the epochs to the final accuracy of plain, and their time', () => {
    expect(meaning([plain, run('bn', [0.8, 0.9, 0.93, 0.95], 15)])).toBe(
      'After the first epoch, bn classifies 80.0 % of the validation images correctly, and plain 70.0 %; ' +
        'after epoch 4, 95.0 % and 90.0 %. bn reaches the final accuracy of plain in 2 of 4 epochs. Its epochs ' +
        'take 1.50 times as long, so it needs 0.75 of the time of plain.',
    );
  });

  it('says if the other network does not reach it', () => {
    expect(meaning([plain, run('bn-pre', [0.1, 0.2, 0.3, 0.4], 20)])).toMatch(
      /In 4 epochs, bn-pre does not reach the final 90\.0 % of plain, and its epochs take 2\.00 times as long\.$/,
    );
  });

  it('asks for a network to compare with', () => {
    expect(meaning([plain])).toMatch(/train plain and one of bn, bn-pre/);
  });

  it('ends with the time of each network, and its ratio to that of plain', () => {
    const runs = [plain, run('plain', [0.7, 0.8, 0.85, 0.9], 20, 2), run('bn', [0.8, 0.9, 0.93, 0.95], 18)];
    expect(trainingTimes(runs)).toBe(
      'Time to train without batch normalization (plain): 60.0 s\n' +
        'Time to train with batch normalization (bn):       72.0 s, 1.20 times as long',
    );
    expect(trainingTimes(runs.slice(2))).toBe('Time to train with batch normalization (bn): 72.0 s');
  });

  it('of CIFAR-10 ends with the test accuracies', () => {
    const runs = [plain, run('plain', [0.7, 0.8, 0.85, 0.8], 10, 2), run('bn', [0.8, 0.9, 0.93, 0.954], 10)];
    expect(finalAccuracies(runs)).toBe(
      'Test accuracy without batch normalization (plain): 85.0 %\n' +
        'Test accuracy with batch normalization (bn):       95.4 %',
    );
  });

  it('shows means over seeds, and published results only if they are comparable', () => {
    const runs = [plain, run('plain', [0.8, 0.8, 0.85, 0.9], 10, 2)];
    const row = (table: string) => table.split('\n').find((line) => line.startsWith('│ 1 '));
    expect(row(historyTable(runs, true))).toMatch(/1\.0000 │ 0\.5000 │ 0\.2500 +│ 0\.7500 +│ 0\.789 +│$/);
    expect(historyTable(runs, false)).not.toContain('Keras');
  });
});
