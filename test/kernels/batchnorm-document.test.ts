import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { quoteColumn } from '../../kernels/quote.ts';

const folder = new URL('../../kernels/', import.meta.url);
const text = readFileSync(new URL('batchnorm.md', folder), 'utf8');

it('batchnorm.md quotes the column form as it is in batchnorm.ts (if not: npm run docs)', () => {
  expect(text).toBe(quoteColumn());
  expect(text).toContain('export function batchnormColumnBackward(');
});

it('batchnorm.md links files that exist', () => {
  const links = [...text.matchAll(/\]\((\.\.?\/[^)#]+)\)/g)].map(([, link]) => link);
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !existsSync(new URL(link, folder)))).toEqual([]);
});
