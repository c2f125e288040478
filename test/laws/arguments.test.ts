/**
 * Every public function, constructor, method and settable property, called with each of its arguments replaced by each
 * value that its type does not allow, and by each number out of its documented range. Each call must throw a
 * `GammaBetaError` with a hint, and leave everything as it was.
 *
 * `arguments/public-api.ts` reads the functions and the types of their arguments with the TypeScript compiler, so a new
 * function or option is tried without a test of its own. It needs a line in `arguments/valid.ts`, with valid arguments.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { useDevice } from '../../src/index.ts';
import { type Attempt, attemptAll, attemptMore, targetOf } from './arguments/attempts.ts';
import { publicApi } from './arguments/public-api.ts';
import { ranges, usedRanges } from './arguments/ranges.ts';
import { refusesMore, taken } from './arguments/taken.ts';
import { cleanUp } from './arguments/valid.ts';

const callables = publicApi();
const attempts: Attempt[] = [];

beforeAll(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
beforeEach(() => useDevice('cpu'));
afterAll(() => {
  cleanUp();
  vi.restoreAllMocks();
  const count = (outcome: Attempt['outcome']) => attempts.filter((each) => each.outcome === outcome).length;
  console.log(
    `${callables.length} public functions, ${attempts.length} wrong arguments: ${count('refused')} refused, ` +
      `${count('taken')} taken, ${count('bare error')} bare errors, ${count('silent')} silent`,
  );
});

/** One line for each argument and outcome: `Dense(options.bias): null, 'text' → silent`. */
function summaryOf(failed: readonly Attempt[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { slot, value, outcome, result } of failed) {
    const detail = outcome === 'bare error' ? `bare error, such as ${String(result)}` : outcome;
    const key = `${slot} → ${detail}`;
    lines.set(key, [...(lines.get(key) ?? []), value]);
  }
  return [...lines].map(([key, values]) => `${key}: ${values.join('; ')}`);
}

describe('valid arguments are accepted by', () => {
  it.each(callables)('$name', async (callable) => {
    const { cases, self, call } = targetOf(callable);
    for (const make of cases) await call(await self(), make());
  });
});

describe('each wrong argument is refused, with a hint, by', () => {
  it.each(callables)('$name', async (callable) => {
    const all = await attemptAll(callable);
    attempts.push(...all);
    const failed = all.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'taken');
    expect(summaryOf(failed)).toEqual([]);
  });
});

describe('one more argument', () => {
  const fixed = callables.filter(({ count, kind }) => count < Infinity && kind !== 'setter');

  it('is refused where another library gives it a meaning, and ignored elsewhere, as JavaScript does', async () => {
    const refusing: string[] = [];
    for (const callable of fixed) {
      const { outcome } = await attemptMore(callable);
      if (outcome === 'refused') refusing.push(callable.name);
      else expect(outcome, callable.name).toBe('silent');
    }
    expect(refusing.sort()).toEqual(Object.keys(refusesMore).sort());
  });
});

describe('the tables of this test', () => {
  it('hold no range and no exception without a use', () => {
    expect(Object.keys(ranges).filter((name) => !usedRanges.has(name))).toEqual([]);
    const used = attempts.filter(({ outcome }) => outcome === 'taken').map(({ slot }) => slot);
    expect(taken.filter(({ slot }) => !used.some((name) => name.startsWith(slot)))).toEqual([]);
  });
});
