import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { contactSheet } from '../digits/contact-sheet.ts';

it('the picture of the built-in digits in the docs is up to date', () => {
  const committed = readFileSync(join(import.meta.dirname, '../results/digits.png'));
  const hint = 'hint: npm run digits -- --png examples/experiments/results/digits.png';
  expect(committed.equals(contactSheet(1)), hint).toBe(true);
  expect(decode(committed)).toMatchObject({ width: 1204, height: 604, channels: 1 });
});
