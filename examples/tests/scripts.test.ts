/** The six short scripts that a learner reads first: each is run, and its output checked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, runExample } from './run-example.ts';

const scripts = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'));

/** Runs a script that must succeed without a warning. */
function outputOf(script: string): string {
  const { stdout, stderr, status } = runExample(script);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

describe('the scripts of examples/', () => {
  it('are these six', () => {
    expect(scripts.sort()).toEqual([
      'batchnorm-by-hand.ts',
      'first-gradient.ts',
      'mnist.ts',
      'save-and-load.ts',
      'xor.ts',
      'your-own-op.ts',
    ]);
  });

  it.each(scripts)('%s has at most 80 lines and imports the public API only', (script) => {
    const text = readFileSync(join(root, 'examples', script), 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(80);
    const imported = [...text.matchAll(/ from '([^']+)'/g)].map(([, path]) => path);
    expect(imported.length).toBeGreaterThan(0);
    for (const path of imported) expect(path).toMatch(/^(?:node:.*|\.\.\/src\/(?:index|node|networks)\.ts)$/);
  });
});

describe('examples/first-gradient.ts', () => {
  it('finds the line', () => {
    const stdout = outputOf('first-gradient.ts');
    expect(stdout).toContain('d loss / d slope = -8.66666'); // −2·mean(x·target) = −2·(0 + 3 + 10)/3
    expect(stdout).toContain('y = 2.000·x + 1.000');
  });
});

describe('examples/batchnorm-by-hand.ts', () => {
  it('prints each equation with its numbers, which agree with BatchNorm1d', () => {
    const stdout = outputOf('batchnorm-by-hand.ts');
    for (const name of ['mean', 'variance', 'rstd', 'xhat', 'y', 'dbeta', 'dgamma', 'dx'])
      expect(stdout).toMatch(new RegExp(`^${name} = .*\\n +-?\\d`, 'm'));
    expect(stdout).not.toContain('NaN');
    const differences = [...stdout.matchAll(/largest difference: (\S+)/g)].map(([, value]) => Number(value));
    expect(differences).toHaveLength(4);
    for (const difference of differences) expect(difference).toBeLessThan(1e-12);
  });
});

describe('examples/xor.ts', () => {
  it('learns XOR, and predicts one example and all four', () => {
    const stdout = outputOf('xor.ts');
    expect(stdout).toMatch(/^training accuracy: 1$/m);
    expect(stdout).toMatch(/^1 xor 0 = 1 with probabilities \[ \[ 0\.0\d+, 0\.9\d+ \] \]$/m);
    expect(stdout).toMatch(/^all four: \[ 0, 1, 1, 0 \]$/m);
  });
});

describe('examples/mnist.ts', () => {
  it('trains on the built-in digits if there is no MNIST, says so, and predicts one', () => {
    const stdout = outputOf('mnist.ts');
    expect(stdout).toMatch(/^Data: the built-in digits, not MNIST\. Hint: /);
    const accuracy = /^test accuracy: (\S+)$/m.exec(stdout)?.[1];
    expect(Number(accuracy)).toBeGreaterThan(0.95);
    expect(stdout).toMatch(/^[ .:+#]{28}$/m);
    expect(stdout).toMatch(/^predicted: (\d) \(probability \d+\.\d %\), label: \1$/m);
  }, 60_000);
});

describe('examples/your-own-op.ts', () => {
  it('passes all checks, and each term that is left out fails gradcheck and one law', () => {
    const cells = (row: string) => [...row.matchAll(/passes|holds|FAILS/g)].map(([word]) => word);
    const [heading, whole, withoutMean, withoutXhat, two] = outputOf('your-own-op.ts').split('\n');
    expect(heading).toMatch(/gradcheck +Σ dx = 0 +Σ dx·xhat ≈ 0$/);
    expect(cells(whole)).toEqual(['passes', 'holds', 'holds']);
    expect(cells(withoutMean)).toEqual(['FAILS', 'FAILS', 'holds']);
    expect(cells(withoutXhat)).toEqual(['FAILS', 'holds', 'FAILS']);
    expect(two).toMatch(/^a batch of two: dx = /);
  });
});

describe('examples/save-and-load.ts', () => {
  it('resumes with the same numbers', () => {
    const stdout = outputOf('save-and-load.ts');
    const [before, after] = [...stdout.matchAll(/^epochs 3, 4: (.*)$/gm)].map(([, losses]) => losses);
    expect(before).toMatch(/^\[ 0\.\d+, 0\.\d+ \]$/);
    expect(after).toBe(before);
    expect(stdout).toMatch(/^the same numbers: true$/m);
  });
});
