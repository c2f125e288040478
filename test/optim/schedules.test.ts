import { describe, expect, it } from 'vitest';
import { cosineDecay, type Schedule, SGD, stepDecay, ValueError, warmup } from '../../src/index.ts';
import { golden, type ScheduleCase } from '../golden-files.ts';
import { refusal } from '../layers/helpers.ts';

const untyped = (value: unknown): never => value as never;

/** Our schedule for PyTorch's, and the last step at which they agree. */
function ours(example: ScheduleCase): { schedule: Schedule; until: number } {
  const { lr } = example;
  switch (example.schedule) {
    case 'StepLR': {
      const { stepSize, gamma } = example.options;
      return { schedule: stepDecay(lr, { every: stepSize, factor: gamma }), until: Infinity };
    }
    case 'CosineAnnealingLR': {
      const { tMax, etaMin } = example.options;
      return { schedule: cosineDecay(lr, { steps: tMax, minimum: etaMin }), until: tMax };
    }
    case 'LinearLR': {
      const { startFactor, totalIters } = example.options;
      return { schedule: warmup(lr, { steps: totalIters, start: startFactor }), until: Infinity };
    }
  }
}

describe('a schedule agrees with PyTorch', () => {
  it.each(golden('schedules').cases)('$schedule $options', (example) => {
    const { schedule, until } = ours(example);
    const compared = example.lrs.filter((_, step) => step <= until);
    expect(compared.length).toBeGreaterThan(8);
    compared.forEach((lr, step) => {
      expect(Math.abs(schedule(step) - lr)).toBeLessThan(1e-15);
    });
  });
});

describe('stepDecay', () => {
  it('drops by a factor, 0.1 by default, after every `every` steps', () => {
    const schedule = stepDecay(1, { every: 3 });
    expect([0, 2, 3, 5].map(schedule)).toEqual([1, 1, 0.1, 0.1]);
    expect(schedule(6)).toBeCloseTo(0.01, 15);
  });
});

describe('cosineDecay', () => {
  it('falls from lr to the minimum, 0 by default, and stays there', () => {
    const schedule = cosineDecay(0.2, { steps: 10 });
    const rates = Array.from({ length: 11 }, (_, step) => schedule(step));
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect([schedule(0), schedule(10), schedule(11), schedule(1000)]).toEqual([0.2, 0, 0, 0]);
    expect(schedule(5)).toBeCloseTo(0.1, 15);
    expect(cosineDecay(0.2, { steps: 10, minimum: 0.05 })(99)).toBe(0.05);
  });
});

describe('warmup', () => {
  it('rises linearly, from lr/3 by default, and stays at lr', () => {
    const schedule = warmup(0.3, { steps: 2 });
    expect(schedule(0)).toBeCloseTo(0.1, 15);
    expect(schedule(1)).toBeCloseTo(0.2, 15);
    expect([schedule(2), schedule(50)]).toEqual([0.3, 0.3]);
  });

  it('continues with step 0 of another schedule', () => {
    const decay = cosineDecay(1, { steps: 4 });
    const schedule = warmup(decay, { steps: 2, start: 0.5 });
    expect([0, 1].map(schedule)).toEqual([0.5, 0.75]);
    for (const step of [0, 1, 2, 3, 4, 5]) expect(schedule(2 + step)).toBe(decay(step));
  });
});

describe('a schedule refuses', () => {
  const unknown: object = { gamma: 0.5 };
  const cases: [problem: string, action: () => unknown][] = [
    ...[0, -1, NaN, Infinity].flatMap((lr): [string, () => unknown][] => [
      [`stepDecay: lr is ${lr}`, () => stepDecay(lr, { every: 1 })],
      [`cosineDecay: lr is ${lr}`, () => cosineDecay(lr, { steps: 1 })],
      [`warmup: lr is ${lr}`, () => warmup(lr, { steps: 1 })],
    ]),
    ...[0, 1.5, NaN].flatMap((n): [string, () => unknown][] => [
      [`stepDecay: every is ${n}`, () => stepDecay(1, { every: n })],
      [`cosineDecay: steps is ${n}`, () => cosineDecay(1, { steps: n })],
      [`warmup: steps is ${n}`, () => warmup(1, { steps: n })],
    ]),
    ['stepDecay: factor is 0', () => stepDecay(1, { every: 1, factor: 0 })],
    ['stepDecay: factor is 1.1', () => stepDecay(1, { every: 1, factor: 1.1 })],
    ['cosineDecay: minimum is -0.1', () => cosineDecay(1, { steps: 1, minimum: -0.1 })],
    ['cosineDecay: minimum is 2', () => cosineDecay(1, { steps: 1, minimum: 2 })],
    ['warmup: start is 0', () => warmup(1, { steps: 1, start: 0 })],
    ['warmup: start is 2', () => warmup(1, { steps: 1, start: 2 })],
    ['stepDecay: unknown option: gamma', () => stepDecay(1, { every: 1, ...unknown })],
    ['cosineDecay: unknown option: gamma', () => cosineDecay(1, { steps: 1, ...unknown })],
    ['warmup: unknown option: gamma', () => warmup(1, { steps: 1, ...unknown })],
  ];

  it.each(cases)('%s', (problem, action) => {
    expect(refusal(action, ValueError).startsWith(`${problem}. Hint: `)).toBe(true);
  });

  it.each([
    ['stepDecay', stepDecay(1, { every: 2 })],
    ['cosineDecay', cosineDecay(1, { steps: 2 })],
    ['warmup', warmup(1, { steps: 2 })],
  ] as const)('a step that is no number ≥ 0: %s', (name, schedule) => {
    for (const step of [-1, NaN, Infinity]) {
      expect(refusal(() => schedule(step), ValueError)).toContain(`${name}: step is ${step}. Hint: `);
    }
    for (const step of [undefined, null, '1', new Date(0)]) {
      expect(refusal(() => schedule(untyped(step)), ValueError)).toContain(`${name}: step is `);
    }
    expect(schedule(0.5)).toBeLessThanOrEqual(1); // half an epoch
  });

  it('to continue with what is no schedule: warmup', () => {
    for (const then of ['0.1', null, undefined, {}, SGD]) {
      expect(refusal(() => warmup(untyped(then), { steps: 1 }), ValueError)).toContain('warmup: then is ');
    }
    for (const rate of [NaN, -1, '0.1', undefined]) {
      expect(refusal(() => warmup(() => untyped(rate), { steps: 1 }), ValueError)).toMatch(
        /^warmup: the rate of then is .*\. Hint: a finite number ≥ 0 is expected$/,
      );
    }
  });
});
