/** The inputs of the exercise, with gradients by finite differences of the library's forward pass. */
import { manualSeed, noGrad, randn, uniform } from '../../../src/index.ts';
import { column, columnOf, layerOf, numbersOf } from '../column/column.ts';
import { numericalDx } from '../column/gradient.ts';

/** What the reader's function gets. */
export interface Task {
  readonly g: readonly number[];
  readonly x: readonly number[];
  readonly gamma: number;
  readonly mean: number;
  readonly rstd: number;
}

export interface Gradients {
  readonly dx: readonly number[];
  readonly dgamma: number;
  readonly dbeta: number;
}

export interface Case {
  readonly task: Task;
  /** Numerical gradients. */
  readonly expected: Gradients;
  /** The size of dx, to compare with. */
  readonly scale: number;
}

const COUNT = 20;

/** Batches of 3 to 12 values, always the same ones. */
export function makeCases(): Case[] {
  manualSeed(20150211);
  const float64 = { dtype: 'float64' } as const;
  const draw = (low: number, high: number): number => uniform([1], low, high, float64).item();
  return Array.from({ length: COUNT }, () => {
    const m = Math.floor(draw(3, 13));
    const [spread, offset] = [draw(0.5, 3), draw(-4, 4)];
    const x = numbersOf(randn([m], float64).mul(spread).add(offset));
    const g = numbersOf(randn([m], float64));
    const inputs = { x, g, gamma: draw(0.4, 2), beta: draw(-1, 1), eps: 1e-5 };
    const { mean, rstd, variance } = column(inputs);
    const { gamma, beta } = inputs;
    const loss = (change: { gamma?: number; beta?: number }): number =>
      noGrad(() =>
        layerOf({ ...inputs, ...change })
          .forward(columnOf(x))
          .mul(columnOf(g))
          .sum()
          .item(),
      );
    const h = 1e-4;
    return {
      task: { g, x, gamma, mean, rstd },
      expected: {
        dx: numericalDx(inputs, Math.sqrt(variance)),
        dgamma: (loss({ gamma: gamma + h }) - loss({ gamma: gamma - h })) / (2 * h),
        dbeta: (loss({ beta: beta + h }) - loss({ beta: beta - h })) / (2 * h),
      },
      scale: gamma * rstd * Math.max(...g.map(Math.abs)),
    };
  });
}
