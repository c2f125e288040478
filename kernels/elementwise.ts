/**
 * Kernels that compute each output element from the input elements at the same place. They do not broadcast:
 * ops expand their inputs first. In names that end in `Dx`, g is the incoming gradient and the output is the
 * gradient of the input x.
 */
import { ShapeError } from './errors.ts';
import { elementwise, pointwise, pointwiseWith } from './families.ts';
import type { Kernel } from './kernel.ts';
import { formatShape, sizeOf } from './shape.ts';

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** y = a + b. All inputs and the output have one shape. */
export const add: Kernel = pointwise({ name: 'add', inputs: ['a', 'b'] }, (a, b) => a + b);

/** y = a − b. */
export const sub: Kernel = pointwise({ name: 'sub', inputs: ['a', 'b'] }, (a, b) => a - b);

/** y = a·b. */
export const mul: Kernel = pointwise({ name: 'mul', inputs: ['a', 'b'] }, (a, b) => a * b);

/** y = a / b. */
export const div: Kernel = pointwise({ name: 'div', inputs: ['a', 'b'] }, (a, b) => a / b);

/** y = max(a, b); NaN if either is NaN. */
export const maximum: Kernel = pointwise({ name: 'maximum', inputs: ['a', 'b'] }, (a, b) => Math.max(a, b));

/** da = g for a > b, g/2 for a = b, else 0: the gradient of max(a, b). Halves at a tie, as in PyTorch. */
export const maximumDx: Kernel = pointwise(
  { name: 'maximumDx', inputs: ['g', 'a', 'b'], flops: 2 },
  (g, a, b) => (a > b ? g : a === b ? g / 2 : 0),
);

/** y = factor·x. */
export const scale: Kernel<{ factor: number }> = pointwiseWith(
  { name: 'scale', inputs: ['x'], params: ['factor'] },
  ({ factor }, x) => factor * x,
);

/** y = s·x, with one factor s for all elements. */
export const scaleBy: Kernel = {
  ...elementwise({ name: 'scaleBy', inputs: ['x', 's'] }, (y, [x, [s]], [n]) => {
    for (let i = 0; i < n; i++) y[i] = s * x[i];
  }),
  shape: ([x, s]) => {
    if (sizeOf(s) === 1) return x;
    throw new ShapeError('scaleBy', `the factor s has shape ${formatShape(s)}`, 's is one number');
  },
};

/** y = xᵖ for a constant power p. */
export const pow: Kernel<{ power: number }> = pointwiseWith(
  { name: 'pow', hasSimd: false, inputs: ['x'], params: ['power'] },
  ({ power }, x) => x ** power,
);

/** dx = g·p·xᵖ⁻¹; 0 for p = 0, at x = 0 too. */
export const powDx: Kernel<{ power: number }> = pointwiseWith(
  { name: 'powDx', hasSimd: false, inputs: ['g', 'x'], params: ['power'], flops: 3 },
  ({ power }, g, x) => (power === 0 ? 0 : g * power * x ** (power - 1)),
);

/** y = eˣ. */
export const exp: Kernel = pointwise({ name: 'exp', inputs: ['x'] }, (x) => Math.exp(x));

/** y = ln x. */
export const log: Kernel = pointwise({ name: 'log', inputs: ['x'] }, (x) => Math.log(x));

/** y = √x. */
export const sqrt: Kernel = pointwise({ name: 'sqrt', inputs: ['x'] }, (x) => Math.sqrt(x));

/** y = |x|. */
export const abs: Kernel = pointwise({ name: 'abs', inputs: ['x'] }, (x) => Math.abs(x));

/** dx = g·sign(x); 0 at x = 0. */
export const absDx: Kernel = pointwise(
  { name: 'absDx', inputs: ['g', 'x'], flops: 2 },
  (g, x) => g * Math.sign(x),
);

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** y = max(0, x). NaN stays NaN; a comparison would turn it into 0 and hide an error. */
export const relu: Kernel = pointwise({ name: 'relu', inputs: ['x'] }, (x) => Math.max(0, x));

/** dx = 0 for x ≤ 0, else g. As in PyTorch, NaN passes g on. */
export const reluDx: Kernel = pointwise({ name: 'reluDx', inputs: ['g', 'x'] }, (g, x) => (x <= 0 ? 0 : g));

/** y = x for x > 0, else slope·x. */
export const leakyRelu: Kernel<{ slope: number }> = pointwiseWith(
  { name: 'leakyRelu', inputs: ['x'], params: ['slope'] },
  ({ slope }, x) => (x > 0 ? x : slope * x),
);

/** dx = g for x > 0, else slope·g. */
export const leakyReluDx: Kernel<{ slope: number }> = pointwiseWith(
  { name: 'leakyReluDx', inputs: ['g', 'x'], params: ['slope'] },
  ({ slope }, g, x) => (x > 0 ? g : slope * g),
);

/** y = 1 / (1 + e⁻ˣ). */
export const sigmoid: Kernel = pointwise(
  { name: 'sigmoid', inputs: ['x'], flops: 3 },
  (x) => 1 / (1 + Math.exp(-x)),
);

/** dx = g·y·(1 − y), from the output y. */
export const sigmoidDx: Kernel = pointwise(
  { name: 'sigmoidDx', inputs: ['g', 'y'], flops: 3 },
  (g, y) => g * y * (1 - y),
);

/** y = tanh x. */
export const tanh: Kernel = pointwise({ name: 'tanh', inputs: ['x'] }, (x) => Math.tanh(x));

/** dx = g·(1 − y²), from the output y. */
export const tanhDx: Kernel = pointwise(
  { name: 'tanhDx', inputs: ['g', 'y'], flops: 3 },
  (g, y) => g * (1 - y * y),
);
