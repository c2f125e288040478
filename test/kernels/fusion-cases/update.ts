/** The updates of optimizers. */
import fc from 'fast-check';
import * as fusions from '../../../kernels/fused/index.ts';
import type { Params } from '../../../kernels/kernel.ts';
import type { KernelCall } from '../../laws/kernel-laws.ts';
import { drawn, seeds, shapesWith } from '../cases/case.ts';
import type { FusionCase, FusionCases, Held } from './case.ts';

/**
 * A parameter, its gradient and the state of the optimizer, all of one shape. Parameter and gradient have the same
 * sign, so that their sum, by which Adam divides, is not nearly 0. Squares are not negative.
 */
const like =
  (count: number, params: fc.Arbitrary<Params>, square?: number) =>
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
          drawn(shape, seed + k, k < 2 ? range : k === square ? { low: 0.01, high: 4 } : {}),
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

const adam: FusionCase = {
  fusion: fusions.adamUpdate,
  calls: like(
    4,
    fc.record({
      stepSize: lr,
      beta1: fc.constantFrom(0, 0.9),
      beta2: fc.constantFrom(0, 0.99, 0.999),
      correction: fc.constantFrom(0.001, 0.1, 1),
      eps: fc.constantFrom(1e-8, 1e-3),
      weightDecay,
      decoupled: fc.constantFrom(0, 0.01),
    }),
    3,
  ),
  magnitudes: (inputs, p) => {
    const d = (w: number, g: number) => g + p.weightDecay * w;
    const m = (w: number, g: number, m0: number) => p.beta1 * m0 + (1 - p.beta1) * d(w, g);
    const v = (w: number, g: number, _: number, v0: number) => p.beta2 * v0 + (1 - p.beta2) * d(w, g) ** 2;
    const step = (w: number, g: number, m0: number, v0: number) =>
      (p.stepSize * m(w, g, m0)) / (Math.sqrt(v(w, g, m0, v0) / p.correction) + p.eps);
    return [
      perElement(inputs, (w, g, m0, v0) => w + step(w, g, m0, v0)),
      perElement(inputs, m),
      perElement(inputs, v),
    ];
  },
};

export const updates: Pick<FusionCases, 'sgdUpdate' | 'momentumUpdate' | 'adamUpdate'> = {
  sgdUpdate: {
    fusion: fusions.sgdUpdate,
    calls: like(2, fc.record({ lr, weightDecay })),
    magnitudes: (inputs, p) => [perElement(inputs, (w, g) => w + p.lr * (g + p.weightDecay * w))],
  },
  momentumUpdate: momentum,
  adamUpdate: adam,
};
