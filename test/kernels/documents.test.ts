import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { quoted, quotes } from '../../kernels/quote.ts';

const folder = new URL('../../kernels/', import.meta.url);

describe.each([...new Set(quotes.map(({ document }) => document))])('%s', (document) => {
  const text = readFileSync(new URL(document, folder), 'utf8');

  it('quotes the code as it is in the sources (if not: npm run docs)', () => {
    expect(text).toBe(quoted(document));
    expect(text).toMatch(/^(?:export function|[-+ ] +for \()/m);
  });

  it('links files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !existsSync(new URL(link, folder)))).toEqual([]);
  });
});
