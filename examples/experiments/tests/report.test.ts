import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectFolder } from '../cli/report.ts';
import { tableOf } from '../report/chart-table.ts';
import { dark, light, type Paint } from '../report/colours.ts';
import { colours, type Chart, type LineChart, type Report } from '../report/model.ts';
import { formatNumber } from '../report/numbers.ts';
import { renderPage, writeReport } from '../report/page.tsx';
import { chartSvg, pictureSvg } from '../report/svg.ts';
import { terminalChart } from '../report/terminal.ts';
import { linearScale, logScale } from '../report/ticks.ts';
import { charts, fullReport, lines, manyPoints, onePoint, upright } from './full-report.ts';

const page = renderPage(fullReport);
const figure = (chart: Chart) => ({ title: 'A title', caption: 'A caption.', chart });

describe('the page of a report', () => {
  it('is one document, and reproducible', () => {
    expect(page).toMatch(/^<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/);
    expect(page).toMatch(/<\/body><\/html>\n$/);
    expect(renderPage(fullReport)).toBe(page);
  });

  it('escapes text', () => {
    expect(page).toContain('<h1>A report with everything in it &amp; &lt;script>alert(1)&lt;/script></h1>');
    expect(page).not.toMatch(/<script|<b>/);
    expect(page).toContain('bn &amp; &lt;b&gt;'); // in an SVG
  });

  it('needs no external resource', () => {
    const addresses = [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(5);
    for (const address of addresses) expect(address).toMatch(/^(?:data:|#)/);
    expect(page).not.toMatch(/url\((?!#)|@import/);
  });

  it('has unique ids, and refers to existing ids only', () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [...page.matchAll(/ (?:aria-labelledby|href)="#?([^":]*)"/g)].flatMap(([, names]) =>
      names.split(' '),
    );
    const clipped = [...page.matchAll(/url\(#([^)]*)\)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(clipped.length).toBeGreaterThan(5);
    for (const name of [...named, ...clipped]) expect(ids).toContain(name);
  });

  it('has headings in order, and a table for each chart', () => {
    const levels = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(levels[0]).toBe(1);
    levels.slice(1).forEach((level, i) => expect(level - levels[i]).toBeLessThanOrEqual(1));
    const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;
    expect(count(/<svg role="img"/g)).toBe(Object.keys(charts).length);
    expect(count(/<details>/g)).toBe(Object.keys(charts).length);
    expect(count(/<table/g)).toBe(count(/role="region" aria-label="[^"]+" tabindex="0"/g));
  });

  it('says in words what is right and wrong', () => {
    expect(page).toMatch(/plain <span class="wrong">1<\/span> <span role="img" aria-label="wrong">✗/);
    expect(page).toMatch(/bn 7 <span role="img" aria-label="right">✓/);
    expect(page).toMatch(/alt="An image of class 7"/);
    for (const verdict of ['supported', 'mixed', 'not supported'])
      expect(page).toContain(`</span>${verdict}</span>`);
  });
});

describe('the table of a chart', () => {
  it('has a row for each x, with gaps and bands', () => {
    const { table, note } = tableOf(figure(lines));
    expect(note).toBeNull();
    expect(table.head).toEqual([
      'epoch',
      'plain',
      'bn & <b>',
      'with it before each activation',
      'a fourth network',
      'published',
    ]);
    expect(table.rows.map((row) => row.slice(0, 3))).toEqual([
      ['1', '0.7 (0.65 … 0.75)', '0.8'],
      ['2', '0.8 (0.75 … 0.85)', ''],
      ['3', '–', ''],
      ['10', '0.9 (0.85 … 0.95)', '0.97'],
    ]);
  });

  it('has a row for each category', () => {
    expect(tableOf(figure(upright)).table.rows).toEqual([
      ['batches of 2', '0.5 (0.4 … 0.6)', '0.3 (0.1 … 0.5)'],
      ['batches of 16', '0.7 (0.69 … 0.71)', '0.8 (0.78 … 0.82)'],
      ['128', '–', '0.9 (0.89 … 0.91)'],
    ]);
  });

  it('omits rows if there are too many, and says so', () => {
    const { table, note } = tableOf(figure(manyPoints));
    expect(table.rows.length).toBeLessThanOrEqual(61);
    expect([table.rows[0][0], table.rows.at(-1)?.[0]]).toEqual(['1', '500']);
    expect(note).toBe('Every 9th of 500 rows, and the last one.');
  });
});

describe('a chart', () => {
  it.each(Object.entries(charts))('%s is reproducible, with its own prefix for names', (_, chart: Chart) => {
    const svg = chartSvg(chart, 'one', 'label');
    expect(svg).toMatch(/^<svg role="img" aria-labelledby="label" width="380"/);
    expect(chartSvg(chart, 'one', 'label')).toBe(svg);
    expect(chartSvg(chart, 'two', 'label')).toBe(svg.replaceAll('one-c', 'two-c'));
    expect(svg).not.toMatch(/NaN|undefined|Infinity|#[0-9a-f]{6}|class=|<style/);
    expect(svg).toContain('var(--soft)');
  });

  it('in a separate file is on white, with its title', () => {
    const svg = pictureSvg(figure(lines));
    expect(pictureSvg(figure(lines))).toBe(svg);
    expect(svg).toContain('fill="#ffffff"');
    expect(svg).toContain('>A title</text>');
    expect(svg).not.toContain('var(');
    expect(svg.endsWith('</svg>\n')).toBe(true);
  });
});

describe('the ticks of an axis', () => {
  it.each([
    [[0.31, 0.78], { count: 5, round: true }, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]],
    [[1, 10], { count: 6, round: false }, [2, 4, 6, 8, 10]],
    [[1, 3], { count: 6, round: false }, [1, 2, 3]],
    [[1, 1], { count: 6, round: false }, [0, 1, 2]],
    [[-1200, 35_000, 0], { count: 5, round: true }, [-10_000, 0, 10_000, 20_000, 30_000, 40_000]],
    [[0.2, 0.9], { count: 5, round: true, min: 0, max: 1 }, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ])('of %j are round numbers', (values, wanted, ticks) => {
    expect(linearScale(values, wanted).ticks).toEqual(ticks);
  });

  it('are powers of ten if it is logarithmic, or finer if its range is short', () => {
    expect(logScale([2e-4, 50], { count: 9, round: true }).ticks).toEqual([
      1e-4, 1e-3, 0.01, 0.1, 1, 10, 100,
    ]);
    expect(logScale([3, 40], { count: 9, round: true }).ticks).toEqual([2, 5, 10, 20, 50]);
    expect(logScale([], { count: 9, round: true }).ticks.length).toBeGreaterThan(1);
  });

  it.each([
    [0.94811, '0.9481'],
    [17_190, '17,190'],
    [-2.5e-7, '−2.5·10⁻⁷'],
    [1e-4, '10⁻⁴'],
    [0, '0'],
    [1.5e9, '1.5·10⁹'],
    [NaN, '–'],
  ])('%d is formatted as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});

describe('the colours', () => {
  it.each([
    ['light', light, '#f6f7f9'],
    ['dark', dark, '#121519'],
  ])('of the %s theme have enough contrast', (_, paint: Paint, behind) => {
    for (const colour of colours) expect(contrast(paint[colour], paint.paper)).toBeGreaterThanOrEqual(3);
    for (const text of [paint.ink, paint.soft]) {
      expect(contrast(text, paint.paper)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(text, behind)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe('the chart in the terminal', () => {
  const chart: LineChart = {
    kind: 'lines',
    x: { name: 'epoch' },
    y: { name: 'accuracy' },
    series: [
      {
        name: 'plain',
        colour: 'plain',
        points: [
          [1, 0.3],
          [2, 0.5],
          [3, 0.6],
        ],
      },
      {
        name: 'bn',
        colour: 'bn',
        points: [
          [1, 0.6],
          [2, 0.7],
          [3, 0.8],
        ],
      },
    ],
  };

  it('fits into 80 columns, and distinguishes the lines', () => {
    const text = terminalChart('accuracy by epoch', chart, false).split('\n');
    expect(text[0]).toBe('accuracy by epoch:  o plain   ● bn');
    expect(Math.max(...text.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text.slice(1).join('').match(/o/g)).toHaveLength(3);
    expect(text.slice(1).join('').match(/●/g)).toHaveLength(3);
    expect(text.findIndex((line) => line.endsWith('●'))).toBeLessThan(
      text.findIndex((line) => line.endsWith('o')),
    );
    expect(text.join('')).not.toContain('\u001b');
  });

  it('is colored on a terminal, and empty for a single point', () => {
    expect(terminalChart('accuracy', chart, true)).toContain('\u001b[34mo\u001b[0m');
    expect(terminalChart('accuracy', onePoint, false)).toBe('');
  });
});

describe('writing a report', () => {
  const small: Report = { title: 'A report', lead: [], facts: [], sections: [] };
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gammabeta-report-'));
    writeFileSync(join(folder, 'file'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('creates the folder, replaces the file, and leaves no other file', async () => {
    const file = join(folder, 'a', 'b', 'report.html');
    await writeReport(file, fullReport);
    await writeReport(file, small);
    expect(readFileSync(file, 'utf8')).toBe(renderPage(small));
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['report.html']);
  });

  it('leaves no file after an error', async () => {
    mkdirSync(join(folder, 'taken', 'report.html'), { recursive: true });
    await expect(writeReport(join(folder, 'taken', 'report.html'), small)).rejects.toThrow(
      /EISDIR|EEXIST|ENOTEMPTY/,
    );
    expect(readdirSync(join(folder, 'taken'))).toEqual(['report.html']);
  });

  it('fails before training if the folder cannot be created', async () => {
    await expect(expectFolder('mnist', { out: join(folder, 'new') })).resolves.toBeUndefined();
    await expect(expectFolder('mnist', { out: join(folder, 'file', 'x') })).rejects.toThrow(
      /^mnist: the report cannot be written into the folder .*file\/x: ENOTDIR\. Hint: name another one with --out$/,
    );
  });
});

/** The contrast ratio of WCAG, 1 to 21. */
function contrast(a: string, b: string): number {
  const [dim, bright] = [a, b].map(luminance).sort((x, y) => x - y);
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
