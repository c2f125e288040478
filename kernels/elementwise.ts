/**
 * Kernels that compute each output element from the elements at the same place. Broadcasting is not
 * theirs: ops expand first. In names that end in `Dx`, g is the gradient that comes in and the output is
 * the gradient of the input x.
 *
 * Each loop is written out: a loop shared by all of them, calling a function per element, was measured
 * three times slower.
 */
import { kernel, type Kernel, type NoParams, type Params } from './kernel.ts';
import { expectSameShape, sizeOf } from './shape.ts';

type Elementwise<P extends Params> = Pick<
  Kernel<P>,
  'name' | 'equation' | 'inputs' | 'simd' | 'params' | 'reference'
> & {
  /** Operations per element, 1 if left out; a root or an exponential counts as one. */
  readonly flops?: number;
};

/** What all of them have in common: equal shapes in, the same shape out, n elements. */
export function elementwise<P extends Params = NoParams>({
  flops = 1,
  ...definition
}: Elementwise<P>): Kernel<P> {
  return kernel<P>({
    ...definition,
    shape: (shapes) => expectSameShape(definition.name, shapes),
    sizes: ([first]) => [sizeOf(first)],
    inPlace: true,
    cost: ([n]) => ({ flops: flops * n, bytes: 4 * n * (definition.inputs.length + 1) }),
  });
}

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** y = a + b. All inputs and the output have one shape. */
export const add: Kernel = elementwise({
  name: 'add',
  equation: 'y = a + b',
  inputs: ['a', 'b'],
  simd: 'add',
  reference: (y, [a, b], [n]) => {
    for (let i = 0; i < n; i++) y[i] = a[i] + b[i];
  },
});

/** y = a − b. */
export const sub: Kernel = elementwise({
  name: 'sub',
  equation: 'y = a − b',
  inputs: ['a', 'b'],
  simd: 'sub',
  reference: (y, [a, b], [n]) => {
    for (let i = 0; i < n; i++) y[i] = a[i] - b[i];
  },
});

/** y = a·b. */
export const mul: Kernel = elementwise({
  name: 'mul',
  equation: 'y = a·b',
  inputs: ['a', 'b'],
  simd: 'mul',
  reference: (y, [a, b], [n]) => {
    for (let i = 0; i < n; i++) y[i] = a[i] * b[i];
  },
});

/** y = a / b. */
export const div: Kernel = elementwise({
  name: 'div',
  equation: 'y = a / b',
  inputs: ['a', 'b'],
  simd: 'div',
  reference: (y, [a, b], [n]) => {
    for (let i = 0; i < n; i++) y[i] = a[i] / b[i];
  },
});

/** y = max(a, b); NaN if either is NaN. */
export const maximum: Kernel = elementwise({
  name: 'maximum',
  equation: 'y = max(a, b)',
  inputs: ['a', 'b'],
  simd: 'maximum',
  reference: (y, [a, b], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.max(a[i], b[i]);
  },
});

/** The gradient of max(a, b) with respect to a: g where a > b, and half of it at a tie, as in PyTorch. */
export const maximumDx: Kernel = elementwise({
  name: 'maximumDx',
  equation: 'da = g·[a > b] + g/2·[a = b]',
  inputs: ['g', 'a', 'b'],
  simd: 'maximumDx',
  flops: 2,
  reference: (da, [g, a, b], [n]) => {
    for (let i = 0; i < n; i++) da[i] = a[i] > b[i] ? g[i] : a[i] === b[i] ? g[i] / 2 : 0;
  },
});

/** y = factor·x. */
export const scale: Kernel<{ factor: number }> = elementwise({
  name: 'scale',
  equation: 'y = factor·x',
  inputs: ['x'],
  simd: 'scale',
  params: ['factor'],
  reference: (y, [x], [n], { factor }) => {
    for (let i = 0; i < n; i++) y[i] = factor * x[i];
  },
});

/** y = xᵖ for a constant power p. */
export const pow: Kernel<{ power: number }> = elementwise({
  name: 'pow',
  equation: 'y = xᵖ',
  inputs: ['x'],
  params: ['power'],
  reference: (y, [x], [n], { power }) => {
    for (let i = 0; i < n; i++) y[i] = x[i] ** power;
  },
});

/** dx = g·p·xᵖ⁻¹; 0 for p = 0, at x = 0 too. */
export const powDx: Kernel<{ power: number }> = elementwise({
  name: 'powDx',
  equation: 'dx = g·p·xᵖ⁻¹',
  inputs: ['g', 'x'],
  params: ['power'],
  flops: 3,
  reference: (dx, [g, x], [n], { power }) => {
    for (let i = 0; i < n; i++) dx[i] = power === 0 ? 0 : g[i] * power * x[i] ** (power - 1);
  },
});

/** y = eˣ. */
export const exp: Kernel = elementwise({
  name: 'exp',
  equation: 'y = eˣ',
  inputs: ['x'],
  simd: 'exp',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.exp(x[i]);
  },
});

/** y = ln x. */
export const log: Kernel = elementwise({
  name: 'log',
  equation: 'y = ln x',
  inputs: ['x'],
  simd: 'log',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.log(x[i]);
  },
});

/** y = √x. */
export const sqrt: Kernel = elementwise({
  name: 'sqrt',
  equation: 'y = √x',
  inputs: ['x'],
  simd: 'sqrt',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i]);
  },
});

/** y = |x|. */
export const abs: Kernel = elementwise({
  name: 'abs',
  equation: 'y = |x|',
  inputs: ['x'],
  simd: 'abs',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.abs(x[i]);
  },
});

/** dx = g·sign(x); 0 at x = 0. */
export const absDx: Kernel = elementwise({
  name: 'absDx',
  equation: 'dx = g·sign(x)',
  inputs: ['g', 'x'],
  simd: 'absDx',
  flops: 2,
  reference: (dx, [g, x], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * Math.sign(x[i]);
  },
});

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** y = max(0, x). NaN stays NaN: a comparison would turn it into 0 and hide what went wrong. */
export const relu: Kernel = elementwise({
  name: 'relu',
  equation: 'y = max(0, x)',
  inputs: ['x'],
  simd: 'relu',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.max(0, x[i]);
  },
});

/** dx = 0 for x ≤ 0, else g: as in PyTorch, where a NaN lets g through. */
export const reluDx: Kernel = elementwise({
  name: 'reluDx',
  equation: 'dx = 0 if x ≤ 0 else g',
  inputs: ['g', 'x'],
  simd: 'reluDx',
  reference: (dx, [g, x], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = x[i] <= 0 ? 0 : g[i];
  },
});

/** y = x for x > 0, else slope·x. */
export const leakyRelu: Kernel<{ slope: number }> = elementwise({
  name: 'leakyRelu',
  equation: 'y = x if x > 0 else slope·x',
  inputs: ['x'],
  simd: 'leakyRelu',
  params: ['slope'],
  reference: (y, [x], [n], { slope }) => {
    for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  },
});

/** dx = g for x > 0, else slope·g. */
export const leakyReluDx: Kernel<{ slope: number }> = elementwise({
  name: 'leakyReluDx',
  equation: 'dx = g if x > 0 else slope·g',
  inputs: ['g', 'x'],
  simd: 'leakyReluDx',
  params: ['slope'],
  reference: (dx, [g, x], [n], { slope }) => {
    for (let i = 0; i < n; i++) dx[i] = x[i] > 0 ? g[i] : slope * g[i];
  },
});

/** y = 1 / (1 + e⁻ˣ). */
export const sigmoid: Kernel = elementwise({
  name: 'sigmoid',
  equation: 'y = 1 / (1 + e⁻ˣ)',
  inputs: ['x'],
  simd: 'sigmoid',
  flops: 3,
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
});

/** dx = g·y·(1 − y), from the output y. */
export const sigmoidDx: Kernel = elementwise({
  name: 'sigmoidDx',
  equation: 'dx = g·y·(1 − y)',
  inputs: ['g', 'y'],
  simd: 'sigmoidDx',
  flops: 3,
  reference: (dx, [g, y], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * y[i] * (1 - y[i]);
  },
});

/** y = tanh x. */
export const tanh: Kernel = elementwise({
  name: 'tanh',
  equation: 'y = tanh x',
  inputs: ['x'],
  simd: 'tanh',
  reference: (y, [x], [n]) => {
    for (let i = 0; i < n; i++) y[i] = Math.tanh(x[i]);
  },
});

/** dx = g·(1 − y²), from the output y. */
export const tanhDx: Kernel = elementwise({
  name: 'tanhDx',
  equation: 'dx = g·(1 − y²)',
  inputs: ['g', 'y'],
  simd: 'tanhDx',
  flops: 3,
  reference: (dx, [g, y], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * (1 - y[i] * y[i]);
  },
});
