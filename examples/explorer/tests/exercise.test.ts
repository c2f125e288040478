/** The exercise: the solution is right, and planted mistakes are told apart. */
import { beforeAll, describe, expect, it } from 'vitest';
import { useDevice } from '../../../src/index.ts';
import { type Case, makeCases, type Task } from '../exercise/cases.ts';
import { judge } from '../exercise/judge.ts';
import { solution, start } from '../exercise/texts.ts';

let cases: readonly Case[] = [];
beforeAll(async () => {
  await useDevice('cpu');
  cases = makeCases();
});

type Backward = (g: number[], x: number[], gamma: number, mean: number, rstd: number) => unknown;

/** What a program of the reader returns for all cases. */
function answersOf(code: string): unknown[] {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the exercise
  const backward = new Function(`'use strict'; ${code}; return backward;`)() as Backward;
  return cases.map(({ task: { g, x, gamma, mean, rstd } }: { task: Task }) =>
    backward([...g], [...x], gamma, mean, rstd),
  );
}

const verdictOf = (code: string) => judge(cases, answersOf(code));
const changed = (from: string, to: string): string => {
  expect(solution).toContain(from);
  return solution.replace(from, to);
};

const DX = 'gamma * rstd * (g[i] - dbeta / m - (xhat[i] * dgamma) / m)';

/** Mistakes, and what the answer says. */
const mistakes: readonly (readonly [name: string, from: string, to: string, says: RegExp])[] = [
  [
    'without the term of the mean',
    DX,
    'gamma * rstd * (g[i] - (xhat[i] * dgamma) / m)',
    /^dx .*mean, dbeta\/m, is missing\.$/,
  ],
  [
    'without the term of the variance',
    DX,
    'gamma * rstd * (g[i] - dbeta / m)',
    /^dx .*variance, xhat·dgamma\/m, is missing\.$/,
  ],
  [
    'the wrong sign of the mean',
    DX,
    'gamma * rstd * (g[i] + dbeta / m - (xhat[i] * dgamma) / m)',
    /^dx .*mean, dbeta\/m, has the wrong sign\.$/,
  ],
  [
    'the wrong sign of the variance',
    DX,
    'gamma * rstd * (g[i] - dbeta / m + (xhat[i] * dgamma) / m)',
    /^dx .*variance, .* has the wrong sign\.$/,
  ],
  [
    'the mean not divided by m',
    DX,
    'gamma * rstd * (g[i] - dbeta - (xhat[i] * dgamma) / m)',
    /^dx .*mean, .* is not divided by m\.$/,
  ],
  [
    'the variance not divided by m',
    DX,
    'gamma * rstd * (g[i] - dbeta / m - xhat[i] * dgamma)',
    /^dx .*variance, .* is not divided by m\.$/,
  ],
  [
    'without gamma',
    DX,
    'rstd * (g[i] - dbeta / m - (xhat[i] * dgamma) / m)',
    /^dx .*factor gamma is missing\.$/,
  ],
  [
    'without rstd',
    DX,
    'gamma * (g[i] - dbeta / m - (xhat[i] * dgamma) / m)',
    /^dx .*factor rstd is missing\.$/,
  ],
  [
    'the statistics as constants',
    DX,
    'gamma * rstd * g[i]',
    /^dx .*mean, dbeta\/m, is missing; .*variance, .* is missing\.$/,
  ],
  [
    'without the direct term',
    DX,
    'gamma * rstd * (-dbeta / m - (xhat[i] * dgamma) / m)',
    /^dx .*direct term, g, is missing\.$/,
  ],
  [
    'dgamma with x instead of xhat',
    'dgamma += g[i] * xhat[i]',
    'dgamma += g[i] * x[i]',
    /dgamma uses x where it needs xhat/,
  ],
  ['dgamma without xhat', 'dgamma += g[i] * xhat[i]', 'dgamma += g[i]', /dgamma lacks xhat/],
  [
    'dgamma of the wrong sign',
    'dgamma += g[i] * xhat[i]',
    'dgamma -= g[i] * xhat[i]',
    /dgamma has the wrong sign/,
  ],
  ['dbeta with gamma', 'dbeta += g[i]', 'dbeta += gamma * g[i]', /dbeta has a factor gamma too many/],
  ['dbeta as a mean', 'dbeta += g[i]', 'dbeta += g[i] / m', /dbeta is divided by m/],
  ['only the last g in dbeta', 'dbeta += g[i]', 'dbeta = g[i]', /dbeta is only the last g/],
];

describe('the exercise', () => {
  it('accepts the solution', () => {
    const { right, sentence } = verdictOf(solution);
    expect(sentence).toMatch(/^Right\./);
    expect(right).toBe(true);
  });

  it('accepts dx by the four equations of the paper', () => {
    const byPaper = `function backward(g, x, gamma, mean, rstd) {
      const m = g.length; let [dv, dmean, dgamma, dbeta] = [0, 0, 0, 0]; const dx = [];
      for (let i = 0; i < m; i++) dv += g[i] * gamma * (x[i] - mean) * -0.5 * rstd ** 3;
      for (let i = 0; i < m; i++) dmean += -g[i] * gamma * rstd - 2 * dv * (x[i] - mean) / m;
      for (let i = 0; i < m; i++) dx.push(g[i] * gamma * rstd + 2 * dv * (x[i] - mean) / m + dmean / m);
      for (let i = 0; i < m; i++) { dgamma += g[i] * (x[i] - mean) * rstd; dbeta += g[i]; }
      return { dx, dgamma, dbeta };
    }`;
    expect(verdictOf(byPaper).sentence).toMatch(/^Right\./);
  });

  it('says that nothing is computed yet', () => {
    const { sentence, reasons } = verdictOf(start);
    expect(sentence).toMatch(/^Wrong/);
    expect(reasons).toEqual([
      'dx is 0: it is not computed yet.',
      'dgamma is 0: it is not computed yet.',
      'dbeta is 0: it is not computed yet.',
    ]);
  });

  it.each(mistakes)('tells %s', (_, from, to, says) => {
    const { right, reasons } = verdictOf(changed(from, to));
    expect(right).toBe(false);
    expect(
      reasons.find((reason) => says.test(reason)),
      reasons.join(' '),
    ).toBeDefined();
  });

  it('says different things about different mistakes', () => {
    const said = mistakes.map(([, from, to]) => verdictOf(changed(from, to)).reasons.join(' '));
    expect(new Set(said).size).toBe(mistakes.length);
  });

  it.each([
    ['return 5;', 'The function returns no object: end it with return { dx, dgamma, dbeta }.'],
    ['return { dx: 1, dgamma: 1, dbeta: 1 };', 'dx is not an array: make it with new Array(m).'],
    [
      'return { dx: [1], dgamma: 1, dbeta: 1 };',
      expect.stringMatching(/^dx has length 1, and the batch has \d+ values\.$/),
    ],
    ['return { dx: g, dgamma: "a", dbeta: 1 };', 'dgamma is not a number.'],
    ['return { dx: g, dgamma: 1, dbeta: NaN };', 'dbeta is NaN.'],
    ['return { dx: g };', 'dgamma is not a number.'],
  ])('says what is wrong with %s', (body, reason) => {
    expect(verdictOf(`function backward(g) { ${body} }`).reasons).toEqual([reason]);
  });
});
