import { describe, expect, it } from 'vitest';
import type { Claim, LabData, Setting } from '../../lab/claim.ts';
import { claims } from '../../lab/claims.ts';
import { digits } from '../../../../src/index.ts';

const data: LabData = {
  training: digits({ count: 600, seed: 1 }),
  test: digits({ count: 100, seed: 2 }),
};

/** The same with next to nothing to do. */
function shortened(setting: Setting): Setting {
  const short = { steps: 5, epochs: 1, images: 64, examples: 64, batchSize: 16 };
  return { ...setting, ...Object.fromEntries(Object.entries(short).filter(([key]) => key in setting)) };
}

/** One for each network, and the last. */
function someSettings(claim: Claim): Setting[] {
  const settings = claim.settings('full');
  const nets = new Map(
    settings.map((setting) => [JSON.stringify([setting.norm, setting.variant, setting.measure]), setting]),
  );
  return [...nets.values()].map(shortened);
}

const times = new Set(['stepMilliseconds', 'value']);
const withoutTimes = (outcome: object) =>
  Object.fromEntries(Object.entries(outcome).filter(([key]) => !times.has(key)));

describe.each(claims.map((claim) => [claim.name, claim] as const))('the claim %s', (_, claim) => {
  it('says what it is', () => {
    expect(claim.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(claim.statement).toMatch(/^[A-Z].*\.$/);
    expect(claim.method).toMatch(/\.$/);
  });

  it.each(['quick', 'full'] as const)('has different runs, with several seeds each: %s', (effort) => {
    const settings = claim.settings(effort);
    expect(new Set(settings.map((setting) => JSON.stringify(setting))).size).toBe(settings.length);
    const seeds = new Set(settings.map(({ seed }) => seed)).size;
    expect(seeds).toBe(effort === 'quick' ? 5 : 10);
    expect(settings.length % seeds).toBe(0);
  });

  it('makes runs with outcomes that can be written down, the same each time', async () => {
    for (const setting of someSettings(claim)) {
      const outcome = await claim.run(setting, data);
      expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome); // nothing that is not finite
      expect(withoutTimes(await claim.run(setting, data))).toEqual(withoutTimes(outcome));
    }
  });
});

it('claims have names of their own', () => {
  expect(new Set(claims.map(({ name }) => name)).size).toBe(claims.length);
});
