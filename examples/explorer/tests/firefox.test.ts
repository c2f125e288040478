/** The page in Firefox: numbers of parts 1 and 4, and 50 steps of training, reported to a loopback server. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useDevice } from '../../../src/index.ts';
import { firefoxPath, reportOfFirefox } from '../../../test/firefox.ts';
import { column } from '../column/column.ts';
import { bundle } from '../bundle.ts';
import { show } from '../page/format.ts';

interface Findings {
  /** The equations of part 1, as text. */
  readonly equations: readonly string[];
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
  frame.contentWindow?.addEventListener('unhandledrejection', ({ reason }) => problems.push(String(reason)));
  const until = async (done: () => boolean): Promise<void> => {
    const end = performance.now() + 60_000;
    while (!done() && performance.now() < end) await sleep(50);
    if (!done()) problems.push(`not within a minute: ${String(done)}`);
  };
  await until(() => rows('Numbers').length === 8);
  const numbers = Object.fromEntries(rows('Numbers').map(([name, ...cells]) => [name, cells]));
  const equations = [...(frame.contentDocument?.querySelectorAll('#batch .equation') ?? [])].map(
    (each) => each.textContent,
  );
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
    body: JSON.stringify({ equations, numbers, results: rows('Results'), problems }),
  });
}

describe.skipIf(firefoxPath === undefined)('the explorer in Firefox', () => {
  it('shows the numbers of the library, and trains 50 steps without an error', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gammabeta-firefox-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const page = readFileSync((await bundle(folder)).file, 'utf8');
    const visitor = `<!doctype html><title>visit</title><link rel="icon" href="data:,"><body><script>void (${visit.toString()})()</script>`;
    const report = await reportOfFirefox({
      '/': { type: 'text/html', text: visitor },
      '/explorer.html': { type: 'text/html', text: page },
    });
    const { equations, numbers, results, problems } = report as Findings;
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
    const ends = [mean, variance, xhat[0], y[0]].map((value) => `=${show(value)}`);
    expect(equations.length).toBe(ends.length);
    ends.forEach((end, k) =>
      expect(equations[k].endsWith(end), `${equations[k]} ends with ${end}`).toBe(true),
    );
    for (const [, step, loss, accuracy] of results.slice(1)) {
      expect(Number(step)).toBeGreaterThanOrEqual(50);
      expect(Number(loss)).toBeLessThan(2.3);
      expect(Number(accuracy)).toBeGreaterThan(0.2);
    }
  }, 180_000);
});
