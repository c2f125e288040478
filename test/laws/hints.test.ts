/** Hints are true: what they name exists, and what they advise works on the input that failed. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as library from '../../src/index.ts';
import * as node from '../../src/node.ts';
import * as onnx from '../../src/onnx.ts';
import { hintsInSource } from '../structure/hints.ts';
import { publicApi } from './arguments/public-api.ts';
import { elsewhere, type Trial, trials } from './hints/trials.ts';

const hints = [...new Map(hintsInSource().map((hint) => [hint.text, hint])).values()];
/** Hints that advise a call, or an option: `tensor(values)`, `{ shape: [4] }`, `dropLast: true`. */
const advice = hints.filter(({ text }) => /[\w…]\(|\{ \w+[:,} ]|\w+: (?:true|false|')/.test(text));
/** The hints of the errors that the trials ended in. */
const seen = new Set<string>();

beforeAll(() => vi.spyOn(console, 'warn').mockReturnValue(undefined));
afterAll(() => vi.restoreAllMocks());
beforeEach(() => library.useDevice('cpu'));

async function hintOf({ fails }: Trial): Promise<string> {
  try {
    await fails();
  } catch (error) {
    if (error instanceof library.GammaBetaError) return error.hint;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the advice of an error works on the input that failed:', () => {
  it.each(trials)('$name', async (trial) => {
    seen.add(await hintOf(trial));
    await trial.advised();
  });

  it('all advice in the source was tried, except what needs a GPU, a network or files', () => {
    const isSeen = (text: string): boolean => {
      const pattern = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      return [...seen].some((hint) => new RegExp(pattern.join('.*')).test(hint));
    };
    const reasons = Object.keys(elsewhere);
    const untried = advice.filter(
      ({ text }) => !isSeen(text) && !reasons.some((part) => text.includes(part)),
    );
    expect(advice.length).toBeGreaterThan(50);
    expect(untried.map(({ file, text }) => `${file}: ${text}`)).toEqual([]);
    expect(reasons.filter((part) => !advice.some(({ text }) => text.includes(part)))).toEqual([]);
  });
});

describe('what a hint names exists:', () => {
  const members = publicApi().map(({ name }) => name.replace(/ =$/, '').replace(/^.*\./, ''));
  const known = new Set([...Object.keys(library), ...Object.keys(node), ...Object.keys(onnx), ...members]);
  const options = new Set(
    publicApi().flatMap(({ slots }) => slots.map(({ name }) => name.replace(/^.*\./, ''))),
  );
  /** Methods for subclasses, which the table of public functions leaves out. */
  const inherited = ['addLayer', 'addParameter', 'addBuffer', 'addConstant', 'update'];

  it('functions', () => {
    const calls = hints.flatMap(({ text }) =>
      [...text.matchAll(/(?<![\w…])((?:[A-Za-z]\w*\.)*[A-Za-z]\w*)\(/g)].map(([, name]) => name),
    );
    const isKnown = (name: string): boolean => {
      const last = name.split('.').at(-1) ?? '';
      const owner = name.split('.').slice(0, -1);
      const inLanguage = [...owner, last].reduce<unknown>(
        (of, key) => Reflect.get(Object(of) as object, key),
        globalThis,
      );
      return known.has(last) || inherited.includes(last) || inLanguage !== undefined;
    };
    expect(calls.length).toBeGreaterThan(40);
    expect([...new Set(calls)].filter((name) => !isKnown(name))).toEqual([]);
  });

  it('options', () => {
    const named = hints.flatMap(({ text }) =>
      [...text.matchAll(/[{,] (\w+)(?=[:, ][^{}]*\})/g)].map(([, name]) => name),
    );
    const properties = ['labels', 'data', 'accuracy'];
    expect(named.length).toBeGreaterThan(15);
    expect([...new Set(named)].filter((name) => !options.has(name) && !properties.includes(name))).toEqual(
      [],
    );
  });
});
