import { describe, expect, it } from 'vitest';
import { runExample } from './run-example.ts';

describe('examples/first-gradient.ts', () => {
  it('finds the line', () => {
    const { stdout, status } = runExample('first-gradient.ts');
    expect(status).toBe(0);
    expect(stdout).toContain('d loss / d slope = -8.66666'); // −2·mean(x·target) = −2·(0 + 3 + 10)/3
    expect(stdout).toContain('y = 2.000·x + 1.000');
  });
});

describe('examples/batchnorm-by-hand.ts', () => {
  const { stdout, status } = runExample('batchnorm-by-hand.ts');

  it('computes what BatchNorm1d computes', () => {
    expect(status).toBe(0);
    const differences = [...stdout.matchAll(/largest difference: (\S+)/g)].map(([, value]) => Number(value));
    expect(differences).toHaveLength(4);
    for (const difference of differences) expect(difference).toBeLessThan(1e-12);
  });

  it('prints every equation with its numbers', () => {
    for (const name of ['mean', 'variance', 'rstd', 'xhat', 'y', 'dbeta', 'dgamma', 'dx']) {
      expect(stdout).toMatch(new RegExp(`^${name} = .*\\n +-?\\d`, 'm'));
    }
    expect(stdout).not.toContain('NaN');
  });
});
