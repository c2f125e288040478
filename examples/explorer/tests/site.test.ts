/** The folder for static hosts. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSite } from '../write-site.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-site-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the site', () => {
  it('has a start page whose links lead to the explorer, the lab, the reports and the reference', async () => {
    const reports = join(folder, 'reports');
    mkdirSync(reports);
    writeFileSync(join(reports, 'my digits.html'), 'a report');
    const site = join(folder, 'new/site');
    // TypeDoc would take longer than all else together.
    const reference = (api: string) => {
      mkdirSync(api);
      writeFileSync(join(api, 'index.html'), '');
      return Promise.resolve();
    };
    await writeSite(site, { reports, reference });
    const start = readFileSync(join(site, 'index.html'), 'utf8');
    const links = [...start.matchAll(/href="([^":]+)"/g)].map(([, address]) => decodeURI(address));
    expect(links).toEqual(['explorer.html', 'lab.html', 'api/index.html', 'reports/my digits.html']);
    for (const link of links) expect(existsSync(join(site, link)), link).toBe(true);
    expect(readFileSync(join(site, 'lab.html'), 'utf8')).toContain('Claims about batch normalization');
    expect(readdirSync(dirname(site))).toEqual(['site']); // no temporary folder is left
  }, 60_000);

  it('keeps an earlier site if it fails, and leaves nothing behind', async () => {
    const site = join(folder, 'new/site');
    const reference = () => Promise.reject(new Error('no reference'));
    await expect(writeSite(site, { reference })).rejects.toThrow('no reference');
    expect(existsSync(join(site, 'api/index.html'))).toBe(true);
    expect(readdirSync(dirname(site))).toEqual(['site']);
  }, 60_000);

  it('leaves a folder with other files as it is', async () => {
    const mine = join(folder, 'mine');
    mkdirSync(mine);
    writeFileSync(join(mine, 'thesis.txt'), 'years of work');
    await expect(writeSite(mine)).rejects.toThrow(
      /^site: the folder .*mine has other files: thesis\.txt\. Hint: name a new folder/,
    );
    await expect(writeSite(join(mine, 'thesis.txt'))).rejects.toThrow(
      /^site: .* is not a folder: ENOTDIR\. Hint: /,
    );
    expect(readFileSync(join(mine, 'thesis.txt'), 'utf8')).toBe('years of work');
    expect(readdirSync(mine)).toEqual(['thesis.txt']);
  });
});
