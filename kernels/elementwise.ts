/**
 * Kernels that compute each output element from the input elements at the same place. They do not broadcast:
 * ops expand their inputs first. In names that end in `Dx`, g is the incoming gradient and the output is the
 * gradient of the input x.
 *
 * Each loop is written out: one shared loop that calls a function per element was measured three times slower.
 */
import { ShapeError } from './errors.ts';
import { elementwise } from './families.ts';
import type { Kernel } from './kernel.ts';
import { formatShape, sizeOf } from './shape.ts';

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────

/** y = a + b. All inputs and the output have one shape. */
export const add: Kernel = elementwise({ name: 'add', inputs: ['a', 'b'] }, (y, [a, b], [n]) => {
  for (let i = 0; i < n; i++) y[i] = a[i] + b[i];
});

/** y = a − b. */
export const sub: Kernel = elementwise({ name: 'sub', inputs: ['a', 'b'] }, (y, [a, b], [n]) => {
  for (let i = 0; i < n; i++) y[i] = a[i] - b[i];
});

/** y = a·b. */
export const mul: Kernel = elementwise({ name: 'mul', inputs: ['a', 'b'] }, (y, [a, b], [n]) => {
  for (let i = 0; i < n; i++) y[i] = a[i] * b[i];
});

/** y = a / b. */
export const div: Kernel = elementwise({ name: 'div', inputs: ['a', 'b'] }, (y, [a, b], [n]) => {
  for (let i = 0; i < n; i++) y[i] = a[i] / b[i];
});

/** y = max(a, b); NaN if either is NaN. */
export const maximum: Kernel = elementwise({ name: 'maximum', inputs: ['a', 'b'] }, (y, [a, b], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.max(a[i], b[i]);
});

/** da = g for a > b, g/2 for a = b, else 0: the gradient of max(a, b). Halves at a tie, as in PyTorch. */
export const maximumDx: Kernel = elementwise(
  { name: 'maximumDx', inputs: ['g', 'a', 'b'], flops: 2 },
  (da, [g, a, b], [n]) => {
    for (let i = 0; i < n; i++) da[i] = a[i] > b[i] ? g[i] : a[i] === b[i] ? g[i] / 2 : 0;
  },
);

/** y = factor·x. */
export const scale: Kernel<{ factor: number }> = elementwise(
  { name: 'scale', inputs: ['x'], params: ['factor'] },
  (y, [x], [n], { factor }) => {
    for (let i = 0; i < n; i++) y[i] = factor * x[i];
  },
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
export const pow: Kernel<{ power: number }> = elementwise(
  { name: 'pow', hasSimd: false, inputs: ['x'], params: ['power'] },
  (y, [x], [n], { power }) => {
    for (let i = 0; i < n; i++) y[i] = x[i] ** power;
  },
);

/** dx = g·p·xᵖ⁻¹; 0 for p = 0, at x = 0 too. */
export const powDx: Kernel<{ power: number }> = elementwise(
  { name: 'powDx', hasSimd: false, inputs: ['g', 'x'], params: ['power'], flops: 3 },
  (dx, [g, x], [n], { power }) => {
    for (let i = 0; i < n; i++) dx[i] = power === 0 ? 0 : g[i] * power * x[i] ** (power - 1);
  },
);

/** y = eˣ. */
export const exp: Kernel = elementwise({ name: 'exp', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.exp(x[i]);
});

/** y = ln x. */
export const log: Kernel = elementwise({ name: 'log', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.log(x[i]);
});

/** y = √x. */
export const sqrt: Kernel = elementwise({ name: 'sqrt', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i]);
});

/** y = |x|. */
export const abs: Kernel = elementwise({ name: 'abs', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.abs(x[i]);
});

/** dx = g·sign(x); 0 at x = 0. */
export const absDx: Kernel = elementwise(
  { name: 'absDx', inputs: ['g', 'x'], flops: 2 },
  (dx, [g, x], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * Math.sign(x[i]);
  },
);

// ── activations ────────────────────────────────────────────────────────────────────────────────────────

/** y = max(0, x). NaN stays NaN; a comparison would turn it into 0 and hide an error. */
export const relu: Kernel = elementwise({ name: 'relu', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.max(0, x[i]);
});

/** dx = 0 for x ≤ 0, else g. As in PyTorch, NaN passes g on. */
export const reluDx: Kernel = elementwise({ name: 'reluDx', inputs: ['g', 'x'] }, (dx, [g, x], [n]) => {
  for (let i = 0; i < n; i++) dx[i] = x[i] <= 0 ? 0 : g[i];
});

/** y = x for x > 0, else slope·x. */
export const leakyRelu: Kernel<{ slope: number }> = elementwise(
  { name: 'leakyRelu', inputs: ['x'], params: ['slope'] },
  (y, [x], [n], { slope }) => {
    for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  },
);

/** dx = g for x > 0, else slope·g. */
export const leakyReluDx: Kernel<{ slope: number }> = elementwise(
  { name: 'leakyReluDx', inputs: ['g', 'x'], params: ['slope'] },
  (dx, [g, x], [n], { slope }) => {
    for (let i = 0; i < n; i++) dx[i] = x[i] > 0 ? g[i] : slope * g[i];
  },
);

/** y = 1 / (1 + e⁻ˣ). */
export const sigmoid: Kernel = elementwise({ name: 'sigmoid', inputs: ['x'], flops: 3 }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
});

/** dx = g·y·(1 − y), from the output y. */
export const sigmoidDx: Kernel = elementwise(
  { name: 'sigmoidDx', inputs: ['g', 'y'], flops: 3 },
  (dx, [g, y], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * y[i] * (1 - y[i]);
  },
);

/** y = tanh x. */
export const tanh: Kernel = elementwise({ name: 'tanh', inputs: ['x'] }, (y, [x], [n]) => {
  for (let i = 0; i < n; i++) y[i] = Math.tanh(x[i]);
});

/** dx = g·(1 − y²), from the output y. */
export const tanhDx: Kernel = elementwise(
  { name: 'tanhDx', inputs: ['g', 'y'], flops: 3 },
  (dx, [g, y], [n]) => {
    for (let i = 0; i < n; i++) dx[i] = g[i] * (1 - y[i] * y[i]);
  },
);
