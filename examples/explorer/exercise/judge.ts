/** Says whether gradients are right; if not, which of the three is wrong and, as far as can be told, why. */
import type { Case, Gradients, Task } from './cases.ts';

export interface Verdict {
  readonly right: boolean;
  /** Begins with Right or Wrong. */
  readonly sentence: string;
  /** One sentence for each gradient that is wrong. */
  readonly reasons: readonly string[];
}

const TOLERANCE = 1e-4;

/** @param answers What the reader's function returned for each case. */
export function judge(cases: readonly Case[], answers: readonly unknown[]): Verdict {
  const malformed = cases
    .map(({ task }, k) => shapeProblem(answers[k], task.x.length))
    .find((each) => each !== null);
  if (malformed !== undefined) return wrong([malformed]);
  const given = answers as readonly Gradients[];
  const reasons: string[] = [];
  const number = (name: 'dgamma' | 'dbeta', mistakes: readonly Mistake<number>[]) => {
    const values = given.map((answer) => answer[name]);
    const matches = (compute: (task: Task) => number) =>
      cases.every(({ task }, k) => close(values[k], compute(task), sizeOf(task)));
    if (cases.every(({ expected, task }, k) => close(values[k], expected[name], sizeOf(task)))) return;
    const found = mistakes.find(({ compute }) => matches(compute));
    reasons.push(found?.reason ?? `${name} is wrong: ${firstDifference(cases, values, name)}.`);
  };
  const dxIsRight = cases.every(({ expected, scale }, k) =>
    expected.dx.every((value, i) => close(given[k].dx[i], value, scale)),
  );
  if (!dxIsRight) reasons.push(reasonForDx(cases, given));
  number('dgamma', dgammaMistakes);
  number('dbeta', dbetaMistakes);
  if (reasons.length > 0) return wrong(reasons);
  const sizes = new Set(cases.map(({ task }) => task.x.length)).size;
  return {
    right: true,
    sentence: `Right. dx, dgamma and dbeta equal the numerical gradients in all ${cases.length} batches, of ${sizes} sizes.`,
    reasons: [],
  };
}

export function wrong(reasons: readonly string[]): Verdict {
  return { right: false, sentence: 'Wrong.', reasons };
}

function shapeProblem(answer: unknown, m: number): string | null {
  if (typeof answer !== 'object' || answer === null) {
    return 'The function returns no object: end it with return { dx, dgamma, dbeta }.';
  }
  const { dx, dgamma, dbeta } = answer as Partial<Record<keyof Gradients, unknown>>;
  if (!Array.isArray(dx)) return 'dx is not an array: make it with new Array(m).';
  if (dx.length !== m) return `dx has length ${dx.length}, and the batch has ${m} values.`;
  for (const [name, value] of [
    ['dgamma', dgamma],
    ['dbeta', dbeta],
    ...dx.map((each: unknown, i) => [`dx[${i}]`, each] as const),
  ] as const) {
    if (typeof value !== 'number') return `${name} is not a number.`;
    if (!Number.isFinite(value)) return `${name} is ${value}.`;
  }
  return null;
}

const close = (value: number, expected: number, scale: number): boolean =>
  Math.abs(value - expected) <= TOLERANCE * scale;

const sizeOf = ({ g }: Task): number => 1 + g.reduce((sum, value) => sum + Math.abs(value), 0);

/** A wrong formula that readers write, and the sentence that it gets. */
interface Mistake<T> {
  readonly compute: (task: Task) => T;
  readonly reason: string;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const normalized = ({ x, mean, rstd }: Task): number[] => x.map((value) => (value - mean) * rstd);
const sumG = ({ g }: Task): number => total(g);
const sumGXhat = (task: Task): number => total(normalized(task).map((value, i) => value * task.g[i]));

const dbetaMistakes: readonly Mistake<number>[] = [
  { reason: 'dbeta is 0: it is not computed yet.', compute: () => 0 },
  { reason: 'dbeta has the wrong sign.', compute: (task) => -sumG(task) },
  {
    reason: 'dbeta is divided by m: the loss is no mean here, so it is a sum.',
    compute: (task) => sumG(task) / task.g.length,
  },
  {
    reason: 'dbeta has a factor gamma too many: beta is added after gamma has multiplied.',
    compute: (task) => task.gamma * sumG(task),
  },
  { reason: 'dbeta is that of gamma: leave out xhat.', compute: sumGXhat },
  { reason: 'dbeta is only the last g: add them up.', compute: ({ g }) => g[g.length - 1] },
];

const dgammaMistakes: readonly Mistake<number>[] = [
  { reason: 'dgamma is 0: it is not computed yet.', compute: () => 0 },
  { reason: 'dgamma has the wrong sign.', compute: (task) => -sumGXhat(task) },
  {
    reason: 'dgamma is divided by m: the loss is no mean here, so it is a sum.',
    compute: (task) => sumGXhat(task) / task.g.length,
  },
  {
    reason: 'dgamma uses x where it needs xhat = (x − mean)·rstd.',
    compute: ({ g, x }) => total(x.map((value, i) => value * g[i])),
  },
  {
    reason: 'dgamma uses x − mean where it needs xhat: a factor rstd is missing.',
    compute: (task) => sumGXhat(task) / task.rstd,
  },
  {
    reason: 'dgamma uses y, or has a factor gamma too many: gamma multiplies xhat.',
    compute: (task) => task.gamma * sumGXhat(task),
  },
  { reason: 'dgamma lacks xhat: it is the gradient of beta.', compute: sumG },
];

/** A factor of a term of dx: 1 where it is right. */
interface Variant {
  readonly factor: (task: Task) => number;
  /** What is wrong with it; empty where nothing is. */
  readonly text: string;
}

const right: Variant = { factor: () => 1, text: '' };
const termVariants: readonly Variant[] = [
  right,
  { factor: () => 0, text: 'is missing' },
  { factor: () => -1, text: 'has the wrong sign' },
  { factor: ({ g }) => g.length, text: 'is not divided by m' },
  { factor: ({ g }) => -g.length, text: 'has the wrong sign, and is not divided by m' },
  { factor: ({ g }) => g.length / (g.length - 1), text: 'is divided by m − 1 instead of m' },
  { factor: ({ g }) => 1 / g.length, text: 'is divided by m twice' },
];
const alongVariants: readonly Variant[] = [
  ...termVariants,
  { factor: ({ rstd }) => 1 / rstd, text: 'lacks a factor rstd: xhat is (x − mean)·rstd' },
  { factor: ({ rstd }) => 1 / rstd ** 2, text: 'uses x − mean instead of xhat, twice' },
  { factor: ({ rstd }) => rstd, text: 'has a factor rstd too many' },
  { factor: () => 2, text: 'is counted twice' },
  { factor: () => 0.5, text: 'has half its size' },
];
const factorVariants: readonly Variant[] = [
  right,
  { factor: ({ gamma }) => 1 / gamma, text: 'the factor gamma is missing' },
  { factor: ({ rstd }) => 1 / rstd, text: 'the factor rstd is missing' },
  { factor: ({ gamma, rstd }) => 1 / (gamma * rstd), text: 'the factor gamma·rstd is missing' },
  { factor: () => -1, text: 'the sign of all of it is wrong' },
  { factor: ({ rstd }) => rstd, text: 'there is a factor rstd too many' },
  { factor: ({ gamma }) => gamma, text: 'there is a factor gamma too many' },
  { factor: ({ g }) => 1 / g.length, text: 'all of it is divided by m' },
  { factor: ({ g }) => g.length, text: 'all of it is multiplied by m' },
  { factor: ({ rstd }) => 1 / rstd ** 2, text: 'it is divided by rstd instead of multiplied' },
];

/** Compares dx with all combinations of a few mistakes in its factor and its three terms. */
function reasonForDx(cases: readonly Case[], given: readonly Gradients[]): string {
  if (given.every(({ dx }) => dx.every((value) => value === 0))) return 'dx is 0: it is not computed yet.';
  const terms = cases.map(({ task }) => {
    const m = task.g.length;
    const [mean, part] = [sumG(task) / m, sumGXhat(task) / m];
    return { direct: task.g, mean, along: normalized(task).map((value) => value * part) };
  });
  const candidates = factorVariants.flatMap((factor) =>
    [right, termVariants[1], termVariants[2]].flatMap((direct) =>
      termVariants.flatMap((mean) => alongVariants.map((along) => ({ factor, direct, mean, along }))),
    ),
  );
  const mistakes = (candidate: (typeof candidates)[number]): number =>
    Object.values(candidate).filter(({ text }) => text !== '').length;
  candidates.sort((a, b) => mistakes(a) - mistakes(b));
  const found = candidates.find(({ factor, direct, mean, along }) =>
    cases.every(({ task, scale }, k) => {
      const by = task.gamma * task.rstd * factor.factor(task);
      const [a, b, c] = [direct, mean, along].map((variant) => variant.factor(task));
      const size = scale * Math.max(1, Math.abs(factor.factor(task)));
      return given[k].dx.every((value, i) =>
        close(value, by * (a * terms[k].direct[i] - b * terms[k].mean - c * terms[k].along[i]), size),
      );
    }),
  );
  if (found === undefined) return `dx is wrong: ${firstDx(cases, given)}.`;
  const parts = [
    found.direct.text && `the direct term, g, ${found.direct.text}`,
    found.mean.text && `the term of the mean, dbeta/m, ${found.mean.text}`,
    found.along.text && `the term of the variance, xhat·dgamma/m, ${found.along.text}`,
    found.factor.text,
  ].filter((part) => part !== '');
  return `dx is wrong: ${parts.join('; ')}.`;
}

function firstDx(cases: readonly Case[], given: readonly Gradients[]): string {
  for (const [k, { expected, scale, task }] of cases.entries()) {
    const i = expected.dx.findIndex((value, at) => !close(given[k].dx[at], value, scale));
    if (i >= 0) {
      return `in batch ${k + 1} of ${task.x.length} values, dx[${i}] is ${short(given[k].dx[i])}, and the numerical gradient ${short(expected.dx[i])}`;
    }
  }
  return 'it differs from the numerical gradient';
}

function firstDifference(
  cases: readonly Case[],
  values: readonly number[],
  name: 'dgamma' | 'dbeta',
): string {
  const k = cases.findIndex(({ expected, task }, at) => !close(values[at], expected[name], sizeOf(task)));
  return `in batch ${k + 1} it is ${short(values[k])}, and the numerical gradient ${short(cases[k].expected[name])}`;
}

const short = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');
