import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { chromiumPath } from '../chromium.ts';
import { openChromium, type PageScript, pageScripts } from '../peers/chromium.ts';
import { comparePeers } from '../peers/compare.ts';
import type { PeersReport, Timing } from '../peers/peers-report.ts';
import { type Workload, workloads } from '../peers/workloads.ts';

const installed = existsSync(join(import.meta.dirname, '../peers/node_modules/@jax-js/jax'));
const shortest = { rounds: 1, blockSeconds: 0.01, warmupSeconds: 0 };
const [ours] = pageScripts;

function named(name: string): Workload {
  const workload = workloads.find((each) => each.name === name);
  if (workload === undefined) throw new Error(name);
  return workload;
}

/** Times one workload on two threads. */
async function timed(scripts: readonly PageScript[], workload: string) {
  const problems: string[] = [];
  const { contenders, measure, close } = await openChromium(scripts, 2, (line) => problems.push(line));
  onTestFinished(close);
  const timings: readonly Timing[] = await measure(named(workload), shortest);
  return { problems, threads: contenders.map((each) => each.threads), timings };
}

describe.skipIf(chromiumPath === undefined)('peers in Chromium', { timeout: 60_000 }, () => {
  it('time gammabeta on two threads, and write the browser and the result to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gammabeta-peers-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    onTestFinished(() => log.mockRestore());
    const json = join(folder, 'peers.json');
    const only = ['gammabeta'] as const;
    await comparePeers({
      chromium: true,
      quick: true,
      rounds: 1,
      threads: 2,
      only,
      filter: 'batchnorm',
      json,
    });
    const report = JSON.parse(await readFile(json, 'utf8')) as PeersReport;
    expect(report.browser).toMatch(/^Chromium \d.*, cross-origin isolated$/);
    expect(report.contenders).toMatchObject([{ name: 'gammabeta', threads: 2 }]);
    expect(report.timings).toMatchObject([{ workload: 'batchnorm 64x512', contender: 'gammabeta' }]);
    expect(report.timings[0].time.median).toBeGreaterThan(0);
    expect(report.problems).toEqual([]);
    const printed = log.mock.calls.flat().join('\n');
    expect(printed).toContain(`browser    ${String(report.browser)}`);
    expect(printed).toMatch(/gammabeta .* wasm .*, 2 threads/);
  });

  it('leave out a contender with other losses and one that is not installed', async () => {
    const path = join(import.meta.dirname, 'wrong-contender.ts');
    const wrong: PageScript = { name: 'jax-js', path, packages: [] };
    const missing: PageScript = { name: 'tfjs-wasm', path, packages: ['no-such-package'] };
    const { problems, threads, timings } = await timed([ours, wrong, missing], 'step plain 32 digits');
    expect(problems).toEqual([
      'tfjs-wasm: not installed: no-such-package. Hint: npm ci --prefix bench/peers',
      expect.stringMatching(/^step plain 32 digits: jax-js: differs from gammabeta: the loss of step 1 is /),
    ]);
    expect(threads).toEqual([2, 2]);
    expect(timings.map(({ contender }) => contender)).toEqual(['gammabeta']);
  });

  it.skipIf(!installed)('time jax-js and TensorFlow.js on two threads', async () => {
    const { problems, threads, timings } = await timed(pageScripts, 'batchnorm 64x512');
    expect(problems).toEqual([]);
    expect(threads).toEqual([2, 2, 2]);
    expect(timings).toMatchObject([
      { contender: 'gammabeta', checkedAgainst: 'gammabeta' },
      { contender: 'jax-js', checkedAgainst: 'gammabeta' },
      { contender: 'tfjs-wasm', checkedAgainst: 'gammabeta' },
    ]);
  });
});

describe('peers --chromium', () => {
  it('rejects contenders and options that do not work in a page', async () => {
    const inChromium = (options: object) => comparePeers({ chromium: true, ...options });
    await expect(inChromium({ only: ['pytorch'] })).rejects.toThrow(
      /^--only: pytorch does not run in a page/,
    );
    await expect(inChromium({ device: 'cpu' })).rejects.toThrow(/^--chromium: does not go with --device/);
    await expect(inChromium({ experiment: { epochs: 1 } })).rejects.toThrow(/--experiment/);
    await expect(inChromium({ filter: 'noise' })).rejects.toThrow(/^--filter: no workload in Chromium has/);
  });
});
