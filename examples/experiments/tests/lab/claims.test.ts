import { describe, expect, it } from 'vitest';
import type { Claim, LabData, Setting } from '../../lab/claim.ts';
import { claims } from '../../lab/claims.ts';
import { digits } from '../../../../src/index.ts';

const data: LabData = {
  training: digits({ count: 600, seed: 1 }),
  test: digits({ count: 100, seed: 2 }),
};

/** The setting with very few steps. */
function shortened(setting: Setting): Setting {
  const short = { steps: 5, epochs: 1, images: 64, examples: 64, batchSize: 16, trials: 2 };
  return { ...setting, ...Object.fromEntries(Object.entries(short).filter(([key]) => key in setting)) };
}

/** One setting for each network. */
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
  it('has a name, a statement, a method, and two sentences of explanation', () => {
    expect(claim.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(claim.statement).toMatch(/^[A-Z].*\.$/);
    expect(claim.method).toMatch(/\.$/);
    expect(claim.why.text.split(/(?<=\.) /)).toHaveLength(2);
    expect(claim.why.text).toMatch(/^[A-Za-zβ].*\.$/);
  });

  it.each(['quick', 'full'] as const)('has distinct settings, each with several seeds: %s', (effort) => {
    const settings = claim.settings(effort);
    expect(new Set(settings.map((setting) => JSON.stringify(setting))).size).toBe(settings.length);
    const seeds = new Set(settings.map(({ seed }) => seed)).size;
    expect(seeds).toBe(effort === 'quick' ? 5 : 10);
    expect(settings.length % seeds).toBe(0);
  });

  it('has reproducible outcomes that JSON can represent', async () => {
    for (const setting of someSettings(claim)) {
      const outcome = await claim.run(setting, data);
      expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome); // NaN and infinity would be null
      expect(withoutTimes(await claim.run(setting, data))).toEqual(withoutTimes(outcome));
    }
  });
});

it('claims have different names', () => {
  expect(new Set(claims.map(({ name }) => name)).size).toBe(claims.length);
});
