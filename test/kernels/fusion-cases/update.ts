/** The updates of optimizers. */
import fc from 'fast-check';
import type { Fusion } from '../../../kernels/fused/fusion.ts';
import * as fusions from '../../../kernels/fused/index.ts';
import type { Params } from '../../../kernels/kernel.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { drawn, seeds, shapesWith } from '../cases/case.ts';
import type { FusionCase, FusionCases, Held } from './case.ts';

interface Range {
  readonly low: number;
  readonly high: number;
}

/** The values of moving averages of squares. */
const square: Range = { low: 0.01, high: 4 };

/**
 * A parameter, its gradient and the state of the optimizer, all of one shape. Parameter and gradient have the same
 * sign, so that their sum, by which Adam divides, is not nearly 0.
 *
 * @param ranges The ranges of inputs, by index, other than [−1, 1].
 */
const like =
  (count: number, params: fc.Arbitrary<Params>, ranges: Readonly<Record<number, Range>> = {}) =>
  (n: number, turn: number): fc.Arbitrary<KernelCall> =>
    fc
      .record({
        shape: fc.integer({ min: 1, max: 3 }).chain((rank) => shapesWith(n, rank, turn % rank)),
        seed: seeds,
        range: fc.constantFrom({ low: 0.3, high: 2 }, { low: -2, high: -0.3 }),
        params,
      })
      .map(({ shape, seed, range, params: chosen }) => ({
        inputs: Array.from({ length: count }, (_, k) =>
          drawn(shape, seed + k, k < 2 ? range : (ranges[k] ?? {})),
        ),
        params: chosen,
      }));

const weightDecay = fc.constantFrom(0, 0.01, 0.5);
const lr = fc.constantFrom(0.001, 0.1, 1);

/** The sum of the absolute values of the terms of an element. */
const perElement = (inputs: readonly Held[], value: (...x: number[]) => number): Float64Array =>
  Float64Array.from(inputs[0].data, (_, i) => value(...inputs.map(({ data }) => Math.abs(data[i]))));

const momentum: FusionCase = {
  fusion: fusions.momentumUpdate,
  calls: like(
    3,
    fc.record({
      lr,
      momentum: fc.constantFrom(0, 0.5, 0.9),
      dampening: fc.constantFrom(0, 0.5, 1),
      nesterov: fc.constantFrom(0, 1),
      weightDecay,
    }),
  ),
  magnitudes: (inputs, p) => {
    const d = (w: number, g: number) => g + p.weightDecay * w;
    const v = (w: number, g: number, v0: number) => p.momentum * v0 + (1 - p.dampening) * d(w, g);
    const step = (w: number, g: number, v0: number) =>
      p.nesterov === 0 ? v(w, g, v0) : d(w, g) + p.momentum * v(w, g, v0);
    return [perElement(inputs, (w, g, v0) => w + p.lr * step(w, g, v0)), perElement(inputs, v)];
  },
};

/** Adam, and amsgrad if `count` is 5: the fifth input is the largest v so far. */
const adam = (fusion: Fusion<never>, count: 4 | 5): FusionCase => ({
  fusion,
  calls: like(
    count,
    fc.record({
      stepSize: lr,
      beta1: fc.constantFrom(0, 0.9),
      beta2: fc.constantFrom(0, 0.99, 0.999),
      correction: fc.constantFrom(0.001, 0.1, 1),
      eps: fc.constantFrom(1e-8, 1e-3),
      weightDecay,
      decoupled: fc.constantFrom(0, 0.01),
    }),
    { 3: square, 4: square },
  ),
  magnitudes: (inputs, p) => {
    const d = (w: number, g: number) => g + p.weightDecay * w;
    const m = (w: number, g: number, m0: number) => p.beta1 * m0 + (1 - p.beta1) * d(w, g);
    const v = (w: number, g: number, _: number, v0: number) => p.beta2 * v0 + (1 - p.beta2) * d(w, g) ** 2;
    const largest = (w: number, g: number, m0: number, v0: number, v1 = 0) => Math.max(v(w, g, m0, v0), v1);
    const step = (w: number, g: number, m0: number, v0: number, v1?: number) =>
      (p.stepSize * m(w, g, m0)) / (Math.sqrt(largest(w, g, m0, v0, v1) / p.correction) + p.eps);
    return [
      perElement(inputs, (w, g, m0, v0, v1) => w + step(w, g, m0, v0, v1)),
      perElement(inputs, m),
      perElement(inputs, v),
      ...(count === 5 ? [perElement(inputs, largest)] : []),
    ];
  },
});

/**
 * RMSprop. `average` and `buffer` are the indices of these inputs, if there are any. The average is small and α is not,
 * so that the variance v − a² is not nearly 0.
 */
const rmsprop = (fusion: Fusion<never>, average?: 3, buffer?: 3 | 4): FusionCase => ({
  fusion,
  calls: like(
    3 + Number(average !== undefined) + Number(buffer !== undefined),
    fc.record({
      lr,
      alpha: fc.constantFrom(...(average === undefined ? [0] : []), 0.9, 0.99),
      eps: fc.constantFrom(1e-8, 1e-3),
      momentum: fc.constantFrom(0, 0.5, 0.9),
      weightDecay,
    }),
    { 2: square, ...(average !== undefined && { [average]: { low: -0.05, high: 0.05 } }) },
  ),
  magnitudes: (inputs, p) => {
    const d = (w: number, g: number) => g + p.weightDecay * w;
    const v = (w: number, g: number, v0: number) => p.alpha * v0 + (1 - p.alpha) * d(w, g) ** 2;
    const a = (w: number, g: number, a0: number) => p.alpha * a0 + (1 - p.alpha) * d(w, g);
    const b = (...[w, g, v0, ...state]: readonly number[]) => {
      const mean = average === undefined ? 0 : a(w, g, state[average - 3]);
      const kept = buffer === undefined ? 0 : p.momentum * state[buffer - 3];
      return kept + d(w, g) / (Math.sqrt(v(w, g, v0) - mean ** 2) + p.eps);
    };
    return [
      perElement(inputs, (w, ...rest) => w + p.lr * b(w, ...rest)),
      perElement(inputs, v),
      ...(average === undefined ? [] : [perElement(inputs, (w, g, _, a0) => a(w, g, a0))]),
      ...(buffer === undefined ? [] : [perElement(inputs, b)]),
    ];
  },
});

export const updates: Pick<FusionCases, Extract<keyof FusionCases, `${string}Update`>> = {
  sgdUpdate: {
    fusion: fusions.sgdUpdate,
    calls: like(2, fc.record({ lr, weightDecay })),
    magnitudes: (inputs, p) => [perElement(inputs, (w, g) => w + p.lr * (g + p.weightDecay * w))],
  },
  momentumUpdate: momentum,
  adamUpdate: adam(fusions.adamUpdate, 4),
  amsgradUpdate: adam(fusions.amsgradUpdate, 5),
  rmspropUpdate: rmsprop(fusions.rmspropUpdate),
  rmspropMomentumUpdate: rmsprop(fusions.rmspropMomentumUpdate, undefined, 3),
  rmspropCenteredUpdate: rmsprop(fusions.rmspropCenteredUpdate, 3),
  rmspropCenteredMomentumUpdate: rmsprop(fusions.rmspropCenteredMomentumUpdate, 3, 4),
};
