/**
 * Every public function, constructor, method and settable property, called with each of its arguments replaced by each
 * value that its type does not allow, and by each number out of the documented range. Each call must throw a
 * `GammaBetaError` with a hint, and change nothing.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { useDevice } from '../../src/index.ts';
import { type Attempt, attemptAll, targetOf } from './arguments/attempts.ts';
import { publicApi } from './arguments/public-api.ts';
import { cleanUp } from './arguments/valid.ts';

const callables = publicApi();
const attempts: Attempt[] = [];

beforeAll(async () => {
  await useDevice('cpu');
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});
afterAll(() => {
  cleanUp();
  vi.restoreAllMocks();
  const count = (outcome: Attempt['outcome']) => attempts.filter((each) => each.outcome === outcome).length;
  console.log(
    `${callables.length} public functions, ${attempts.length} wrong arguments: ${count('refused')} refused, ` +
      `${count('bare error')} bare errors, ${count('silent')} silent`,
  );
});

describe('valid arguments are accepted by', () => {
  it.each(callables)('$name', async (callable) => {
    const { cases, self, call } = targetOf(callable);
    for (const make of cases) await call(self(), make());
  });
});

describe('each wrong argument is refused, with a hint, by', () => {
  it.each(callables)('$name', async (callable) => {
    const all = [...(await attemptAll(callable))];
    attempts.push(...all);
    const failed = all.filter(({ outcome }) => outcome !== 'refused');
    expect(failed.map(({ name, outcome, result }) => `${name} → ${outcome}: ${String(result)}`)).toEqual([]);
  });
});
