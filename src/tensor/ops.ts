/**
 * The differentiable ops: each is declared with its forward pass, which may be a single kernel, and the gradient of each
 * input. `g` is the gradient of the result y. Each thunk returns the gradient of one input, in that input's shape.
 *
 * Ops call kernels. Functions that are composed of ops, such as the variance, are methods in `tensor.ts`; they need no
 * backward pass of their own.
 */
import * as bias from '../../kernels/dense.ts';
import * as elementwise from '../../kernels/elementwise.ts';
import type { Kernel, Shape } from '../../kernels/kernel.ts';
import * as layout from '../../kernels/layout.ts';
import * as products from '../../kernels/matmul.ts';
import * as reductions from '../../kernels/reduce.ts';
import * as softmaxes from '../../kernels/softmax.ts';
import { expandTo, sumTo, view } from './broadcast.ts';
import { op, run } from './op.ts';
import type { Op, OpDefinition } from './op-definition.ts';
import type { Value } from './value.ts';

type Unary = Op<[x: Value]>;
type Binary = Op<[a: Value, b: Value]>;

/** Declares an op whose forward pass is one kernel without parameters. Its name is that of the kernel. */
function ofKernel<A extends readonly Value[]>(
  kernel: Kernel,
  backward: OpDefinition<A, Value, Value>['backward'],
): Op<A> {
  return op({ name: kernel.name, forward: (...inputs: A) => run(kernel, inputs), backward });
}

// ── arithmetic: a and b have one shape ─────────────────────────────────────────────────────────────────

export const add: Binary = ofKernel(elementwise.add, (g) => [() => g, () => g]);

export const sub: Binary = ofKernel(elementwise.sub, (g) => [
  () => g,
  () => run(elementwise.scale, [g], { factor: -1 }),
]);

export const mul: Binary = ofKernel(elementwise.mul, (g, _y, a, b) => [
  () => run(elementwise.mul, [g, b]),
  () => run(elementwise.mul, [g, a]),
]);

export const div: Binary = ofKernel(elementwise.div, (g, y, _a, b) => [
  () => run(elementwise.div, [g, b]),
  () => run(elementwise.scale, [run(elementwise.div, [run(elementwise.mul, [g, y]), b])], { factor: -1 }), // db = −g·y/b
]);

export const maximum: Binary = ofKernel(elementwise.maximum, (g, _y, a, b) => [
  () => run(elementwise.maximumDx, [g, a, b]),
  () => run(elementwise.maximumDx, [g, b, a]),
]);

// ── functions of one variable ──────────────────────────────────────────────────────────────────────────

export const scale: Op<[x: Value, factor: number]> = op({
  name: 'scale',
  forward: (x, factor) => run(elementwise.scale, [x], { factor }),
  backward: (g, _y, _x, factor) => [() => run(elementwise.scale, [g], { factor })],
});

export const pow: Op<[x: Value, power: number]> = op({
  name: 'pow',
  forward: (x, power) => run(elementwise.pow, [x], { power }),
  backward: (g, _y, x, power) => [() => run(elementwise.powDx, [g, x], { power })],
});

export const exp: Unary = ofKernel(elementwise.exp, (g, y) => [() => run(elementwise.mul, [g, y])]);

export const log: Unary = ofKernel(elementwise.log, (g, _y, x) => [() => run(elementwise.div, [g, x])]);

export const sqrt: Unary = ofKernel(elementwise.sqrt, (g, y) => [
  () => run(elementwise.scale, [run(elementwise.div, [g, y])], { factor: 1 / 2 }),
]);

export const abs: Unary = ofKernel(elementwise.abs, (g, _y, x) => [() => run(elementwise.absDx, [g, x])]);

export const relu: Unary = ofKernel(elementwise.relu, (g, _y, x) => [() => run(elementwise.reluDx, [g, x])]);

export const leakyRelu: Op<[x: Value, slope: number]> = op({
  name: 'leakyRelu',
  forward: (x, slope) => run(elementwise.leakyRelu, [x], { slope }),
  backward: (g, _y, x, slope) => [() => run(elementwise.leakyReluDx, [g, x], { slope })],
});

export const sigmoid: Unary = ofKernel(elementwise.sigmoid, (g, y) => [
  () => run(elementwise.sigmoidDx, [g, y]),
]);

export const tanh: Unary = ofKernel(elementwise.tanh, (g, y) => [() => run(elementwise.tanhDx, [g, y])]);

// ── matrices ───────────────────────────────────────────────────────────────────────────────────────────

export const matmul: Binary = ofKernel(products.matmul, (g, _y, a, b) => [
  () => run(products.matmulTransposedB, [g, b]), // da = g·bᵀ
  () => run(products.matmulTransposedA, [a, g]), // db = aᵀ·g
]);

export const transpose: Unary = ofKernel(layout.transpose, (g) => [() => run(layout.transpose, [g])]);

/** y = x + b in every row, as in a dense layer. x [m, n], b [n] → [m, n]. */
export const addBias: Binary = ofKernel(bias.addBias, (g) => [() => g, () => run(reductions.colSum, [g])]);

// ── along one axis ─────────────────────────────────────────────────────────────────────────────────────

/** The sum over one axis, which is kept with extent 1. The gradient of each element is that of its sum. */
export const sum: Op<[x: Value, axis: number]> = op({
  name: 'sum',
  forward: (x, axis) => run(reductions.sumAxis, [x], { axis }),
  backward: (g, _y, x) => [() => expandTo(g, x.extents)],
});

/** The maximum over one axis, which is kept with extent 1. Among equal values, the first receives the gradient. */
export const max: Op<[x: Value, axis: number]> = op({
  name: 'max',
  forward: (x, axis) => run(reductions.maxAxis, [x], { axis }),
  backward: (g, _y, x, axis) => [
    () => run(reductions.maxAxisDx, [g, x, run(reductions.argmaxAxis, [x], { axis })], { axis }),
  ],
});

export const softmax: Op<[x: Value, axis: number]> = op({
  name: 'softmax',
  forward: (x, axis) => run(softmaxes.softmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(softmaxes.softmaxDx, [g, y], { axis })],
});

export const logSoftmax: Op<[x: Value, axis: number]> = op({
  name: 'logSoftmax',
  forward: (x, axis) => run(softmaxes.logSoftmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(softmaxes.logSoftmaxDx, [g, y], { axis })],
});

// ── shape and selection ────────────────────────────────────────────────────────────────────────────────

/** Broadcasts x to `shape`. The gradient is the sum over the repeated axes. */
export const expand: Op<[x: Value, shape: Shape]> = op({
  name: 'expand',
  forward: (x, shape) => expandTo(x, shape),
  backward: (g, _y, x) => [() => sumTo(g, x.extents)],
});

export const reshape: Op<[x: Value, shape: Shape]> = op({
  name: 'reshape',
  forward: (x, shape) => view(x, shape),
  backward: (g, _y, x) => [() => view(g, x.extents)],
});

/** The elements from `begin` up to, but not including, `end` along one axis. */
export const slice: Op<[x: Value, axis: number, begin: number, end: number]> = op({
  name: 'slice',
  forward: (x, axis, begin, end) => run(layout.sliceAxis, [x], { axis, begin, end }),
  backward: (g, _y, x, axis, begin) => [
    () => run(layout.sliceAxisDx, [g], { axis, begin, extent: x.extents[axis] }),
  ],
});

/** Selects entries along the first axis. The indices are in an object, so they are not an input and get no gradient. */
export const gather: Op<[x: Value, rows: { readonly indices: Value }]> = op({
  name: 'gather',
  forward: (x, { indices }) => run(layout.gather, [x, indices]),
  backward: (g, _y, x, { indices }) => [() => run(layout.gatherDx, [g, indices], { extent: x.extents[0] })],
});
