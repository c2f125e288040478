import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { root } from '../../tests/run-example.ts';
import { contactSheet } from '../digits/contact-sheet.ts';

it('the picture of the built-in digits is up to date', () => {
  const committed = readFileSync(join(root, 'examples/experiments/results/digits.png'));
  expect(
    committed.equals(contactSheet(1)),
    'hint: npm run digits -- --png examples/experiments/results/digits.png',
  ).toBe(true);
  expect(decode(committed)).toMatchObject({ width: 1204, height: 604, channels: 1 });
});
