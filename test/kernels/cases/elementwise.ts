/** Arithmetic and activations, from their formulas. */
import fc from 'fast-check';
import * as kernels from '../../../kernels/elementwise.ts';
import { drawn, elementwise, type KernelCases, misfits, seeds, shapesWith } from './case.ts';

/** Integers, so that ties and zeros occur. */
const whole = { low: -8, high: 8, integer: true };
const positive = { low: 0.1, high: 4 };
const outputs = { low: -1, high: 1 };

const power = fc.constantFrom(0, 1, 2, 3, -1, 0.5, -0.5, 2.5).map((p) => ({ power: p }));
const slope = fc.constantFrom(0, 0.01, 0.3, 1, -0.5).map((s) => ({ slope: s }));
const factor = fc.constantFrom(0, 1, -1, 0.5, 1 / 3).map((f) => ({ factor: f }));

export const elementwises: Pick<KernelCases, keyof typeof kernels> = {
  add: elementwise(kernels.add, ([a, b]) => a + b),
  sub: elementwise(kernels.sub, ([a, b]) => a - b),
  mul: elementwise(kernels.mul, ([a, b]) => a * b),
  div: elementwise(kernels.div, ([a, b]) => a / b, positive),
  maximum: elementwise(kernels.maximum, ([a, b]) => (a > b ? a : b), whole),
  maximumDx: elementwise(kernels.maximumDx, ([g, a, b]) => (a > b ? g : a < b ? 0 : 0.5 * g), whole),
  scale: elementwise(kernels.scale, ([x], p) => x * p.factor, {}, factor),
  scaleBy: {
    kernel: kernels.scaleBy,
    calls: (n, turn) =>
      fc
        .tuple(shapesWith(n, 2, turn % 2), fc.constantFrom([], [1], [1, 1]), seeds)
        .map(([shape, one, seed]) => ({ inputs: [drawn(shape, seed), drawn(one, seed + 1)], params: {} })),
    at: (index, [x, s], { inputs }) => x(...index) * s(...inputs[1].shape.map(() => 0)),
    misfits: misfits(
      [[2, 3], [3]],
      [
        [2, 3],
        [2, 3],
      ],
      [[4], [0]],
    ),
  },
  pow: elementwise(kernels.pow, ([x], p) => Math.exp(p.power * Math.log(x)), positive, power),
  powDx: elementwise(
    kernels.powDx,
    ([g, x], p) => g * p.power * Math.exp((p.power - 1) * Math.log(x)),
    positive,
    power,
  ),
  exp: elementwise(kernels.exp, ([x]) => Math.E ** x),
  log: elementwise(kernels.log, ([x]) => Math.log2(x) * Math.LN2, positive),
  sqrt: elementwise(kernels.sqrt, ([x]) => x ** 0.5, positive),
  abs: elementwise(kernels.abs, ([x]) => (x < 0 ? -x : x), whole),
  absDx: elementwise(kernels.absDx, ([g, x]) => (x > 0 ? g : x < 0 ? -g : 0), whole),

  relu: elementwise(kernels.relu, ([x]) => (x > 0 ? x : 0), whole),
  reluDx: elementwise(kernels.reluDx, ([g, x]) => (x > 0 ? g : 0), whole),
  leakyRelu: elementwise(kernels.leakyRelu, ([x], p) => (x > 0 ? 1 : p.slope) * x, whole, slope),
  leakyReluDx: elementwise(kernels.leakyReluDx, ([g, x], p) => (x > 0 ? 1 : p.slope) * g, whole, slope),
  sigmoid: elementwise(kernels.sigmoid, ([x]) => (1 + Math.tanh(x / 2)) / 2, { low: -8, high: 8 }),
  sigmoidDx: elementwise(kernels.sigmoidDx, ([g, y]) => g * (y - y * y), outputs),
  tanh: elementwise(kernels.tanh, ([x]) => (Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1)),
  tanhDx: elementwise(kernels.tanhDx, ([g, y]) => g * (1 - y) * (1 + y), outputs),
};
