/** The bundle of the package for pages without a bundler, in Firefox under a strict content security policy. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firefoxPath, reportOfFirefox } from '../firefox.ts';
import { bundlers, installPacked } from './bundles.ts';
import { type Trained, training } from './training-program.ts';

let folder = '';
let app = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-firefox-app-'));
  app = installPacked(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/** Trains on the default device, then on the reference device. */
const program = `${training}
  const report = (found) => fetch('report', { method: 'POST', body: JSON.stringify(found) });
  addEventListener('error', ({ message }) => report({ error: message }));
  addEventListener('unhandledrejection', ({ reason }) => report({ error: String(reason) }));
  report({ byDefault: await train(), onCpu: await train('cpu') });`;

describe.skipIf(firefoxPath === undefined)('gammabeta.min.js in Firefox', () => {
  it('trains on wasm by default and on cpu, to the losses of Node', async () => {
    const built = join(folder, 'built');
    await bundlers['no bundler'](app, program, built);
    const script = (name: string) =>
      ({ type: 'text/javascript', text: readFileSync(join(built, name), 'utf8') }) as const;
    const found = await reportOfFirefox(
      {
        '/': { type: 'text/html', text: '<!doctype html><script type="module" src="program.js"></script>' },
        '/program.js': script('program.js'),
        '/gammabeta.min.js': script('gammabeta.min.js'),
      },
      policy,
    );
    writeFileSync(
      join(app, 'train.mjs'),
      `${training} console.log(JSON.stringify({ byDefault: await train(), onCpu: await train('cpu') }));`,
    );
    const inNode = execFileSync(process.execPath, ['train.mjs'], { cwd: app, encoding: 'utf8' });
    const expected = JSON.parse(inNode) as Record<'byDefault' | 'onCpu', Trained>;
    expect(found).toMatchObject({ byDefault: { device: 'wasm' }, onCpu: { device: 'cpu' } });
    for (const [name, { losses }] of Object.entries(found as typeof expected)) {
      expect(losses.length).toBe(30);
      expect(losses[29]).toBeLessThan(losses[0] / 4);
      losses.forEach((loss, step) =>
        // The exponential of another JavaScript engine can change the last digits.
        expect(Math.abs(loss - expected[name as keyof typeof expected].losses[step])).toBeLessThan(1e-5),
      );
    }
  }, 120_000);
});
