import { expect, it } from 'vitest';
import { nextSeed, setSeedSource } from '../../src/data/seed-source.ts';

it('counts until another source is set, which is then asked for every seed', () => {
  expect([nextSeed(), nextSeed(), nextSeed()]).toEqual([0, 1, 2]);
  const stream = [7, 3];
  setSeedSource(() => stream.shift() ?? -1);
  expect([nextSeed(), nextSeed()]).toEqual([7, 3]);
});
