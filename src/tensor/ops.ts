/**
 * Every differentiable op, once: its forward pass and, for each input, its gradient. `g` is the gradient
 * of the result y that comes in; a thunk returns the gradient of one input, of that input's shape.
 *
 * Ops call kernels. What is computed from other ops is written as tensor methods in `tensor.ts`, and
 * differentiates by itself.
 */
import { dense as fusedDense, LINEAR } from '../../kernels/fused/dense.ts';
import * as kernels from '../../kernels/index.ts';
import type { Shape } from '../../kernels/kernel.ts';
import { expandTo, sumTo, view } from './broadcast.ts';
import { op, type Op, run, runFused } from './op.ts';
import type { Value } from './value.ts';

type Unary = Op<[x: Value]>;
type Binary = Op<[a: Value, b: Value]>;

// ── arithmetic: a and b have one shape ─────────────────────────────────────────────────────────────────

export const add: Binary = op({
  name: 'add',
  forward: (a, b) => run(kernels.add, [a, b]),
  backward: (g) => [() => g, () => g],
});

export const sub: Binary = op({
  name: 'sub',
  forward: (a, b) => run(kernels.sub, [a, b]),
  backward: (g) => [() => g, () => run(kernels.scale, [g], { factor: -1 })],
});

export const mul: Binary = op({
  name: 'mul',
  forward: (a, b) => run(kernels.mul, [a, b]),
  backward: (g, _y, a, b) => [() => run(kernels.mul, [g, b]), () => run(kernels.mul, [g, a])],
});

export const div: Binary = op({
  name: 'div',
  forward: (a, b) => run(kernels.div, [a, b]),
  backward: (g, y, _a, b) => [
    () => run(kernels.div, [g, b]),
    () => run(kernels.scale, [run(kernels.div, [run(kernels.mul, [g, y]), b])], { factor: -1 }), // db = −g·y/b
  ],
});

export const maximum: Binary = op({
  name: 'maximum',
  forward: (a, b) => run(kernels.maximum, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(kernels.maximumDx, [g, a, b]),
    () => run(kernels.maximumDx, [g, b, a]),
  ],
});

// ── functions of one variable ──────────────────────────────────────────────────────────────────────────

export const scale: Op<[x: Value, factor: number]> = op({
  name: 'scale',
  forward: (x, factor) => run(kernels.scale, [x], { factor }),
  backward: (g, _y, _x, factor) => [() => run(kernels.scale, [g], { factor })],
});

export const pow: Op<[x: Value, power: number]> = op({
  name: 'pow',
  forward: (x, power) => run(kernels.pow, [x], { power }),
  backward: (g, _y, x, power) => [() => run(kernels.powDx, [g, x], { power })],
});

export const exp: Unary = op({
  name: 'exp',
  forward: (x) => run(kernels.exp, [x]),
  backward: (g, y) => [() => run(kernels.mul, [g, y])],
});

export const log: Unary = op({
  name: 'log',
  forward: (x) => run(kernels.log, [x]),
  backward: (g, _y, x) => [() => run(kernels.div, [g, x])],
});

export const sqrt: Unary = op({
  name: 'sqrt',
  forward: (x) => run(kernels.sqrt, [x]),
  backward: (g, y) => [() => run(kernels.scale, [run(kernels.div, [g, y])], { factor: 1 / 2 })],
});

export const abs: Unary = op({
  name: 'abs',
  forward: (x) => run(kernels.abs, [x]),
  backward: (g, _y, x) => [() => run(kernels.absDx, [g, x])],
});

export const relu: Unary = op({
  name: 'relu',
  forward: (x) => run(kernels.relu, [x]),
  backward: (g, _y, x) => [() => run(kernels.reluDx, [g, x])],
});

export const leakyRelu: Op<[x: Value, slope: number]> = op({
  name: 'leakyRelu',
  forward: (x, slope) => run(kernels.leakyRelu, [x], { slope }),
  backward: (g, _y, x, slope) => [() => run(kernels.leakyReluDx, [g, x], { slope })],
});

export const sigmoid: Unary = op({
  name: 'sigmoid',
  forward: (x) => run(kernels.sigmoid, [x]),
  backward: (g, y) => [() => run(kernels.sigmoidDx, [g, y])],
});

export const tanh: Unary = op({
  name: 'tanh',
  forward: (x) => run(kernels.tanh, [x]),
  backward: (g, y) => [() => run(kernels.tanhDx, [g, y])],
});

// ── matrices ───────────────────────────────────────────────────────────────────────────────────────────

export const matmul: Binary = op({
  name: 'matmul',
  forward: (a, b) => run(kernels.matmul, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(kernels.matmulTransposedB, [g, b]), // da = g·bᵀ
    () => run(kernels.matmulTransposedA, [a, g]), // db = aᵀ·g
  ],
});

export const transpose: Unary = op({
  name: 'transpose',
  forward: (x) => run(kernels.transpose, [x]),
  backward: (g) => [() => run(kernels.transpose, [g])],
});

/** y = x·W + b. x [m, k], W [k, n], b [n] → [m, n]. */
export const dense: Op<[x: Value, W: Value, b: Value]> = op({
  name: 'dense',
  forward: (x, W, b) => runFused(fusedDense, [x, W, b], { slope: LINEAR })[0],
  backward: (g, _y, x, W) => [
    () => run(kernels.matmulTransposedB, [g, W]), // dx = g·Wᵀ
    () => run(kernels.matmulTransposedA, [x, g]), // dW = xᵀ·g
    () => run(kernels.colSum, [g]), // db = Σ g
  ],
});

// ── along one axis ─────────────────────────────────────────────────────────────────────────────────────

/** Sums over one axis, which stays with extent 1. */
export const sum: Op<[x: Value, axis: number]> = op({
  name: 'sum',
  forward: (x, axis) => run(kernels.sumAxis, [x], { axis }),
  backward: (g, _y, x) => [() => expandTo(g, x.shape)],
});

/** The maximum over one axis, which stays with extent 1. The gradient goes to the first largest value. */
export const max: Op<[x: Value, axis: number]> = op({
  name: 'max',
  forward: (x, axis) => run(kernels.maxAxis, [x], { axis }),
  backward: (g, _y, x, axis) => [
    () => run(kernels.maxAxisDx, [g, x, run(kernels.argmaxAxis, [x], { axis })], { axis }),
  ],
});

export const softmax: Op<[x: Value, axis: number]> = op({
  name: 'softmax',
  forward: (x, axis) => run(kernels.softmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(kernels.softmaxDx, [g, y], { axis })],
});

export const logSoftmax: Op<[x: Value, axis: number]> = op({
  name: 'logSoftmax',
  forward: (x, axis) => run(kernels.logSoftmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(kernels.logSoftmaxDx, [g, y], { axis })],
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
  forward: (x, axis, begin, end) => run(kernels.sliceAxis, [x], { axis, begin, end }),
  backward: (g, _y, x, axis, begin) => [
    () => run(kernels.sliceAxisDx, [g], { axis, begin, extent: x.shape[axis] }),
  ],
});

/** `rows` holds indices into the first axis and is no input: nothing flows to it. */
export const gather: Op<[x: Value, rows: { readonly indices: Value }]> = op({
  name: 'gather',
  forward: (x, { indices }) => run(kernels.gather, [x, indices]),
  backward: (g, _y, x, { indices }) => [() => run(kernels.gatherDx, [g, indices], { extent: x.shape[0] })],
});

/** The inputs one after the other along one axis; takes as many tensors as there are. */
export const concat: Op<[axis: number, ...inputs: Value[]]> = op({
  name: 'concat',
  forward: (axis, ...inputs) => run(kernels.concat, inputs, { axis }),
  backward: (g, _y, axis, ...inputs) => {
    let end = 0;
    return inputs.map((input) => {
      const begin = end;
      end += input.shape[axis];
      const range = { axis, begin, end };
      return () => run(kernels.sliceAxis, [g], range);
    });
  },
});
