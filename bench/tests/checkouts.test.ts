import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compareCheckouts, type CheckoutReport } from '../checkouts.ts';

const root = join(import.meta.dirname, '../..');

/** A temporary folder that holds the given `src/index.ts`. */
async function checkoutWith(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gammabeta-checkout-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src/index.ts'), source);
  return folder;
}

async function reportAgainst(folder: string): Promise<CheckoutReport> {
  const json = join(await checkoutWith(''), 'report.json');
  const options = { against: folder, filter: 'step bn 32 digits', quick: true, device: 'wasm', json };
  await compareCheckouts(options, new AbortController().signal);
  return JSON.parse(await readFile(json, 'utf8')) as CheckoutReport;
}

describe('steps --against', () => {
  const library = JSON.stringify(join(root, 'src/index.ts'));

  it('times both checkouts in turns and finds equal numbers', { timeout: 60_000 }, async () => {
    const { steps, backends } = await reportAgainst(await checkoutWith(`export * from ${library};`));
    expect(backends.other).toBe(backends.this);
    expect(steps).toHaveLength(1);
    const [{ workload, difference, ratios, ratio }] = steps;
    expect({ workload, difference }).toEqual({ workload: 'step bn 32 digits', difference: null });
    expect(ratios).toHaveLength(3);
    expect(ratio.median).toBeGreaterThan(0);
  });

  it('names the first loss that differs', { timeout: 60_000 }, async () => {
    const wrong = `
      import { SGD as Right } from ${library};
      export * from ${library};
      export class SGD extends Right {
        constructor(parameters, { lr }) {
          super(parameters, { lr: 1.001 * lr });
        }
      }`;
    const { steps } = await reportAgainst(await checkoutWith(wrong));
    expect(steps[0].difference).toBe('loss 2');
  });

  it('rejects a folder that is not a checkout', async () => {
    await expect(reportAgainst(tmpdir())).rejects.toThrow(/^--against: .* has no src\/index\.ts\. Hint: /);
  });
});
