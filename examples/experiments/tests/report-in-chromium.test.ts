/** Reports as users see them: on a phone and a desktop, in the light and the dark theme. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labReport } from '../lab/report.ts';
import type { LabResults } from '../lab/results.ts';
import type { Report } from '../report/model.ts';
import { writeReport } from '../report/page.tsx';
import { pictureSvg } from '../report/svg.ts';
import { root } from '../../tests/run-example.ts';
import { chromiumPath, launchChromium } from '../../explorer/chromium.ts';
import { cifar10Report, mnistReport } from './experiment-reports.ts';
import { charts, fullReport } from './full-report.ts';
import { brokenWords, clippedText, faintText, overlappingText, textOutside } from './what-is-seen.ts';

const labResults = JSON.parse(
  readFileSync(join(root, 'examples/experiments/results/lab.json'), 'utf8'),
) as LabResults;

if (chromiumPath === undefined) console.warn('reports in Chromium SKIPPED: no Chromium was found');

const screens = [
  { width: 360, height: 800 },
  { width: 1280, height: 900 },
].flatMap((viewport) => (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme })));

/** A report with every kind of content, and those of the experiments. */
const reports: Readonly<Record<string, Report>> = {
  everything: fullReport,
  lab: labReport(labResults, tmpdir()),
  mnist: await mnistReport(),
  cifar10: await cifar10Report(),
};
const views = ['everything', 'lab'].flatMap((name) => screens.map((screen) => [name, screen] as const));
const widths = [320, 360, 390, 480, 600, 768, 900, 1024, 1280, 1440, 1680, 1920];

describe.skipIf(chromiumPath === undefined)('a report in Chromium', () => {
  let folder = '';
  let browser: Browser;
  const fileOf = (name: string) => join(folder, `${name}.html`);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-report-'));
    for (const [name, report] of Object.entries(reports)) await writeReport(fileOf(name), report);
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(views)('of %s, %j', (name, view) => {
    const address = () => `file://${fileOf(name)}`;
    const problems: string[] = [];
    const requests: string[] = [];
    let page: Page;
    beforeAll(async () => {
      page = await browser.newPage(view);
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(address());
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
    });
    afterAll(() => page.close());

    it('makes no request and logs no message', async () => {
      await page.waitForTimeout(100);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([address()]);
      expect(problems).toEqual([]);
    });

    it('is no wider than the screen', async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(view.viewport.width);
    });

    it('has no text that overlaps, lies outside its picture, is clipped, or is too small', async () => {
      expect(await page.evaluate(overlappingText)).toEqual([]);
      expect(await page.evaluate(textOutside)).toEqual([]);
      expect(await page.evaluate(clippedText)).toEqual([]);
    });

    it('has text with enough contrast', async () => {
      expect(await page.evaluate(faintText)).toEqual([]);
    });
  });

  it.each(Object.keys(reports))('of %s breaks no word, and nothing overlaps, at any width', async (name) => {
    const page = await browser.newPage();
    try {
      await page.goto(`file://${fileOf(name)}`);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate(brokenWords), `${width}`).toEqual([]);
        expect(await page.evaluate(overlappingText), `${width}`).toEqual([]);
        expect(await page.evaluate(clippedText), `${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      }
    } finally {
      await page.close();
    }
  });

  it('can be navigated by keyboard from the skip link to the results and tables', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
    try {
      await page.goto(`file://${fileOf('everything')}`);
      const focused = () => page.evaluate(() => document.activeElement?.textContent.trim() ?? '');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Skip to the results');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('region');
    } finally {
      await page.close();
    }
  });

  it('has readable text in pictures that are separate files', async () => {
    const page = await browser.newPage();
    try {
      const pictures = Object.entries(charts).map(([title, chart]) =>
        pictureSvg({ title, caption: '', chart }),
      );
      await page.setContent(pictures.map((svg) => `<div>${svg}</div>`).join(''));
      expect(await page.evaluate(overlappingText)).toEqual([]);
      expect(await page.evaluate(textOutside)).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('fails these checks with overlapping, outside, clipped and faint text', async () => {
    const page = await browser.newPage();
    try {
      await page.setContent(
        `<svg width="100" height="50"><text x="10" y="20">one</text><text x="14" y="22">two</text><text x="90" y="40">three</text></svg>
         <p style="width: 50px; overflow: hidden; white-space: nowrap">A long sentence.</p><p style="color: #aaa">Faint.</p>
         <p style="width: 60px; overflow-wrap: anywhere">supported by well-known words</p>`,
      );
      expect(await page.evaluate(overlappingText)).toEqual(['one / two']);
      expect(await page.evaluate(textOutside)).toEqual(['three']);
      expect(await page.evaluate(clippedText)).toEqual(['A long sentence.']);
      expect(await page.evaluate(brokenWords)).toEqual(['supported']);
      expect(await page.evaluate(faintText)).toEqual([expect.stringMatching(/^Faint\. 2\.\d/)]);
    } finally {
      await page.close();
    }
  });
});
