/**
 * Every differentiable op, once: its forward pass and, for each input, its gradient. `g` is the gradient
 * of the result y that comes in; a thunk returns the gradient of one input, of that input's shape.
 *
 * Ops call kernels. What is computed from other ops is written as tensor methods in `tensor.ts`, and
 * differentiates by itself.
 */
import * as elementwise from '../../kernels/elementwise.ts';
import { dense as fusedDense, LINEAR } from '../../kernels/fused/dense.ts';
import type { Shape } from '../../kernels/kernel.ts';
import * as layout from '../../kernels/layout.ts';
import * as products from '../../kernels/matmul.ts';
import * as reductions from '../../kernels/reduce.ts';
import * as softmaxes from '../../kernels/softmax.ts';
import { expandTo, sumTo, view } from './broadcast.ts';
import { op, type Op, run, runFused } from './op.ts';
import type { Value } from './value.ts';

type Unary = Op<[x: Value]>;
type Binary = Op<[a: Value, b: Value]>;

// ── arithmetic: a and b have one shape ─────────────────────────────────────────────────────────────────

export const add: Binary = op({
  name: 'add',
  forward: (a, b) => run(elementwise.add, [a, b]),
  backward: (g) => [() => g, () => g],
});

export const sub: Binary = op({
  name: 'sub',
  forward: (a, b) => run(elementwise.sub, [a, b]),
  backward: (g) => [() => g, () => run(elementwise.scale, [g], { factor: -1 })],
});

export const mul: Binary = op({
  name: 'mul',
  forward: (a, b) => run(elementwise.mul, [a, b]),
  backward: (g, _y, a, b) => [() => run(elementwise.mul, [g, b]), () => run(elementwise.mul, [g, a])],
});

export const div: Binary = op({
  name: 'div',
  forward: (a, b) => run(elementwise.div, [a, b]),
  backward: (g, y, _a, b) => [
    () => run(elementwise.div, [g, b]),
    () => run(elementwise.scale, [run(elementwise.div, [run(elementwise.mul, [g, y]), b])], { factor: -1 }), // db = −g·y/b
  ],
});

export const maximum: Binary = op({
  name: 'maximum',
  forward: (a, b) => run(elementwise.maximum, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(elementwise.maximumDx, [g, a, b]),
    () => run(elementwise.maximumDx, [g, b, a]),
  ],
});

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

export const exp: Unary = op({
  name: 'exp',
  forward: (x) => run(elementwise.exp, [x]),
  backward: (g, y) => [() => run(elementwise.mul, [g, y])],
});

export const log: Unary = op({
  name: 'log',
  forward: (x) => run(elementwise.log, [x]),
  backward: (g, _y, x) => [() => run(elementwise.div, [g, x])],
});

export const sqrt: Unary = op({
  name: 'sqrt',
  forward: (x) => run(elementwise.sqrt, [x]),
  backward: (g, y) => [() => run(elementwise.scale, [run(elementwise.div, [g, y])], { factor: 1 / 2 })],
});

export const abs: Unary = op({
  name: 'abs',
  forward: (x) => run(elementwise.abs, [x]),
  backward: (g, _y, x) => [() => run(elementwise.absDx, [g, x])],
});

export const relu: Unary = op({
  name: 'relu',
  forward: (x) => run(elementwise.relu, [x]),
  backward: (g, _y, x) => [() => run(elementwise.reluDx, [g, x])],
});

export const leakyRelu: Op<[x: Value, slope: number]> = op({
  name: 'leakyRelu',
  forward: (x, slope) => run(elementwise.leakyRelu, [x], { slope }),
  backward: (g, _y, x, slope) => [() => run(elementwise.leakyReluDx, [g, x], { slope })],
});

export const sigmoid: Unary = op({
  name: 'sigmoid',
  forward: (x) => run(elementwise.sigmoid, [x]),
  backward: (g, y) => [() => run(elementwise.sigmoidDx, [g, y])],
});

export const tanh: Unary = op({
  name: 'tanh',
  forward: (x) => run(elementwise.tanh, [x]),
  backward: (g, y) => [() => run(elementwise.tanhDx, [g, y])],
});

// ── matrices ───────────────────────────────────────────────────────────────────────────────────────────

export const matmul: Binary = op({
  name: 'matmul',
  forward: (a, b) => run(products.matmul, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(products.matmulTransposedB, [g, b]), // da = g·bᵀ
    () => run(products.matmulTransposedA, [a, g]), // db = aᵀ·g
  ],
});

export const transpose: Unary = op({
  name: 'transpose',
  forward: (x) => run(layout.transpose, [x]),
  backward: (g) => [() => run(layout.transpose, [g])],
});

/** y = x·W + b. x [m, k], W [k, n], b [n] → [m, n]. */
export const dense: Op<[x: Value, W: Value, b: Value]> = op({
  name: 'dense',
  forward: (x, W, b) => runFused(fusedDense, [x, W, b], { slope: LINEAR })[0],
  backward: (g, _y, x, W) => [
    () => run(products.matmulTransposedB, [g, W]), // dx = g·Wᵀ
    () => run(products.matmulTransposedA, [x, g]), // dW = xᵀ·g
    () => run(reductions.colSum, [g]), // db = Σ g
  ],
});

// ── along one axis ─────────────────────────────────────────────────────────────────────────────────────

/** Sums over one axis, which stays with extent 1. */
export const sum: Op<[x: Value, axis: number]> = op({
  name: 'sum',
  forward: (x, axis) => run(reductions.sumAxis, [x], { axis }),
  backward: (g, _y, x) => [() => expandTo(g, x.shape)],
});

/** The maximum over one axis, which stays with extent 1. The gradient goes to the first largest value. */
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

/** Broadcasting. Its gradient is a sum, as the sum's is an expansion. */
export const expand: Op<[x: Value, shape: Shape]> = op({
  name: 'expand',
  forward: (x, shape) => expandTo(x, shape),
  backward: (g, _y, x) => [() => sumTo(g, x.shape)],
});

export const reshape: Op<[x: Value, shape: Shape]> = op({
  name: 'reshape',
  forward: (x, shape) => view(x, shape),
  backward: (g, _y, x) => [() => view(g, x.shape)],
});

/** The range begin … end of one axis. */
export const slice: Op<[x: Value, axis: number, begin: number, end: number]> = op({
  name: 'slice',
  forward: (x, axis, begin, end) => run(layout.sliceAxis, [x], { axis, begin, end }),
  backward: (g, _y, x, axis, begin) => [
    () => run(layout.sliceAxisDx, [g], { axis, begin, extent: x.shape[axis] }),
  ],
});

/** `rows` holds indices into the first axis and is no input: nothing flows to it. */
export const gather: Op<[x: Value, rows: { readonly indices: Value }]> = op({
  name: 'gather',
  forward: (x, { indices }) => run(layout.gather, [x, indices]),
  backward: (g, _y, x, { indices }) => [() => run(layout.gatherDx, [g, indices], { extent: x.shape[0] })],
});

/** The inputs one after the other along one axis; takes as many tensors as there are. */
export const concat: Op<[axis: number, ...inputs: Value[]]> = op({
  name: 'concat',
  forward: (axis, ...inputs) => run(layout.concat, inputs, { axis }),
  backward: (g, _y, axis, ...inputs) => {
    let end = 0;
    return inputs.map((input) => {
      const begin = end;
      end += input.shape[axis];
      const range = { axis, begin, end };
      return () => run(layout.sliceAxis, [g], range);
    });
  },
});
