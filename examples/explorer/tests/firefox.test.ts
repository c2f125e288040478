/** The page in Firefox: numbers of parts 1 and 4, and 50 steps of training, reported to a loopback server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useDevice } from '../../../src/index.ts';
import { column } from '../column/column.ts';
import { bundle } from '../bundle.ts';

const firefox = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
  (path) => path !== undefined && existsSync(path),
);
if (firefox === undefined) {
  const missing = 'no Firefox was found. Hint: apt-get install firefox-esr, or set FIREFOX to its path.';
  if (process.env.CI) throw new Error(`the explorer in Firefox: ${missing}`);
  console.warn(`the explorer in Firefox SKIPPED: ${missing}`);
}

interface Findings {
  readonly numbers: Record<string, string[]>;
  readonly results: string[][];
  readonly problems: string[];
}

/** A page that opens the explorer in a frame, reads it, trains, and reports. It runs in Firefox. */
async function visit(): Promise<void> {
  const problems: string[] = [];
  const frame = document.createElement('iframe');
  frame.style.cssText = 'width: 1280px; height: 800px';
  frame.src = '/explorer.html#x=1,2,4,9&g=1,0,-2,0.5&gamma=2&beta=0.5&eps=0.001';
  const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const rows = (name: string): string[][] =>
    [...(frame.contentDocument?.querySelectorAll('table') ?? [])]
      .filter((table) => table.caption?.textContent === name)
      .flatMap((table) =>
        [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim())),
      );
  const click = (name: string): void =>
    [...(frame.contentDocument?.querySelectorAll('button') ?? [])]
      .find((button) => button.textContent === name)
      ?.click();
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener('load', resolve));
  frame.contentWindow?.addEventListener('error', ({ message }) => problems.push(message));
  const until = async (done: () => boolean): Promise<void> => {
    const end = performance.now() + 60_000;
    while (!done() && performance.now() < end) await sleep(50);
    if (!done()) problems.push(`not within a minute: ${String(done)}`);
  };
  await until(() => rows('Numbers').length === 8);
  const numbers = Object.fromEntries(rows('Numbers').map(([name, ...cells]) => [name, cells]));
  click('Train');
  await until(() => Number(rows('Results').at(2)?.at(1)) >= 50);
  click('Pause');
  problems.push(
    ...[...(frame.contentDocument?.querySelectorAll('.problem:not([hidden])') ?? [])].map(
      (each) => each.textContent,
    ),
  );
  await fetch('/report', {
    method: 'POST',
    body: JSON.stringify({ numbers, results: rows('Results'), problems }),
  });
}

describe.skipIf(firefox === undefined)('the explorer in Firefox', () => {
  it('shows the numbers of the library, and trains 50 steps without an error', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-firefox-'));
    const page = readFileSync((await bundle(folder)).file);
    const started: ChildProcess[] = [];
    let report: (findings: Findings) => void = () => undefined;
    const reported = new Promise<Findings>((resolve) => (report = resolve));
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          response.end();
          report(JSON.parse(body) as Findings);
        });
        return;
      }
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(
        request.url === '/explorer.html'
          ? page
          : `<!doctype html><title>visit</title><link rel="icon" href="data:,"><body><script>void (${visit.toString()})()</script>`,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const child of started) child.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    // Nothing but the page: no updates, no checks of the connection.
    const quiet = {
      'app.update.enabled': false,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'services.settings.server': '',
      'browser.shell.checkDefaultBrowser': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'toolkit.telemetry.enabled': false,
      'browser.safebrowsing.downloads.remote.enabled': false,
      'extensions.update.enabled': false,
    };
    writeFileSync(
      join(folder, 'user.js'),
      Object.entries(quiet)
        .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
        .join('\n'),
    );
    const { port } = server.address() as AddressInfo;
    const child = spawn(
      firefox ?? '',
      ['--headless', '--no-remote', '--profile', folder, `http://127.0.0.1:${port}/`],
      {
        stdio: 'ignore',
        env: { ...process.env, HOME: folder },
      },
    );
    started.push(child);
    const { numbers, results, problems } = await reported;
    expect(problems).toEqual([]);
    await useDevice('cpu');
    const { mean, variance, rstd, xhat, y, dbeta, dgamma, dx } = column({
      x: [1, 2, 4, 9],
      g: [1, 0, -2, 0.5],
      gamma: 2,
      beta: 0.5,
      eps: 0.001,
    });
    const expected = {
      mean: [mean],
      variance: [variance],
      rstd: [rstd],
      xhat,
      y,
      dbeta: [dbeta],
      dgamma: [dgamma],
      dx,
    };
    expect(numbers).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([name, values]) => [name, values.map((value) => value.toPrecision(7))]),
      ),
    );
    for (const [, step, loss, accuracy] of results.slice(1)) {
      expect(Number(step)).toBeGreaterThanOrEqual(50);
      expect(Number(loss)).toBeLessThan(2.3);
      expect(Number(accuracy)).toBeGreaterThan(0.2);
    }
  }, 180_000);
});
