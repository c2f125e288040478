import { describe, expect, it } from 'vitest';
import { runExample } from '../../tests/run-example.ts';

describe('examples/experiments/statistics-as-constants.ts', () => {
  const { stdout, status } = runExample('experiments/statistics-as-constants.ts');
  const [, constants = '', whole = ''] = stdout.split(/^(?=Mean and|With the)/m);
  const rows = (table: string) =>
    [...table.matchAll(/^ +(\d+) +(-?[\d.]+) +([\d.]+)$/gm)].map(([, ...numbers]) => numbers.map(Number));

  it('ends without an error', () => {
    expect(status).toBe(0);
  });

  it('with constant statistics the bias grows without end, and the loss stays', () => {
    expect(rows(constants)).toEqual([
      [0, 0, 1.7375],
      [10, 2.24, 1.7375],
      [100, 22.36, 1.7375],
      [1000, 223.61, 1.7375],
    ]);
  });

  it('with the whole gradient the bias stays at 0', () => {
    expect(rows(whole)).toEqual([0, 10, 100, 1000].map((step) => [step, 0, 1.7375]));
  });
});
