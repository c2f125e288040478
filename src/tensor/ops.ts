/**
 * Every differentiable op, once: its forward pass and, for each input, its gradient. `g` is the gradient
 * of the result y that comes in; a thunk returns the gradient of one input, of that input's shape.
 *
 * Ops call kernels; what an op computes from other ops is written as tensor methods in `tensor.ts`, and
 * differentiates by itself.
 */
import * as fusions from '../../kernels/fused/index.ts';
import * as kernels from '../../kernels/index.ts';
import type { Shape } from '../../kernels/kernel.ts';
import { throughActivation } from './activation.ts';
import { expandTo, sumTo, view } from './broadcast.ts';
import { builtin, type Op, run, runFused } from './op.ts';
import type { Tensor } from './tensor.ts';

type Unary = Op<[x: Tensor]>;
type Binary = Op<[a: Tensor, b: Tensor]>;

// ── arithmetic: a and b have one shape ─────────────────────────────────────────────────────────────────

export const add: Binary = builtin({
  name: 'add',
  forward: (a, b) => run(kernels.add, [a, b]),
  backward: (g) => [() => g, () => g],
});

export const sub: Binary = builtin({
  name: 'sub',
  forward: (a, b) => run(kernels.sub, [a, b]),
  backward: (g) => [() => g, () => g.neg()],
});

export const mul: Binary = builtin({
  name: 'mul',
  forward: (a, b) => run(kernels.mul, [a, b]),
  backward: (g, _y, a, b) => [() => g.mul(b), () => g.mul(a)],
});

export const div: Binary = builtin({
  name: 'div',
  forward: (a, b) => run(kernels.div, [a, b]),
  backward: (g, y, _a, b) => [() => g.div(b), () => g.mul(y).div(b).neg()],
});

export const maximum: Binary = builtin({
  name: 'maximum',
  forward: (a, b) => run(kernels.maximum, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(kernels.maximumDx, [g, a, b]),
    () => run(kernels.maximumDx, [g, b, a]),
  ],
});

// ── functions of one variable ──────────────────────────────────────────────────────────────────────────

export const scale: Op<[x: Tensor, factor: number]> = builtin({
  name: 'scale',
  forward: (x, factor) => run(kernels.scale, [x], { factor }),
  backward: (g, _y, _x, factor) => [() => run(kernels.scale, [g], { factor })],
});

export const pow: Op<[x: Tensor, power: number]> = builtin({
  name: 'pow',
  forward: (x, power) => run(kernels.pow, [x], { power }),
  backward: (g, _y, x, power) => [() => run(kernels.powDx, [g, x], { power })],
});

export const exp: Unary = builtin({
  name: 'exp',
  forward: (x) => run(kernels.exp, [x]),
  backward: (g, y) => [() => g.mul(y)],
});

export const log: Unary = builtin({
  name: 'log',
  forward: (x) => run(kernels.log, [x]),
  backward: (g, _y, x) => [() => g.div(x)],
});

export const sqrt: Unary = builtin({
  name: 'sqrt',
  forward: (x) => run(kernels.sqrt, [x]),
  backward: (g, y) => [() => scale(g.div(y), 1 / 2)],
});

export const abs: Unary = builtin({
  name: 'abs',
  forward: (x) => run(kernels.abs, [x]),
  backward: (g, _y, x) => [() => run(kernels.absDx, [g, x])],
});

export const relu: Unary = builtin({
  name: 'relu',
  forward: (x) => run(kernels.relu, [x]),
  backward: (g, _y, x) => [() => run(kernels.reluDx, [g, x])],
});

export const leakyRelu: Op<[x: Tensor, slope: number]> = builtin({
  name: 'leakyRelu',
  forward: (x, slope) => run(kernels.leakyRelu, [x], { slope }),
  backward: (g, _y, x, slope) => [() => run(kernels.leakyReluDx, [g, x], { slope })],
});

export const sigmoid: Unary = builtin({
  name: 'sigmoid',
  forward: (x) => run(kernels.sigmoid, [x]),
  backward: (g, y) => [() => run(kernels.sigmoidDx, [g, y])],
});

export const tanh: Unary = builtin({
  name: 'tanh',
  forward: (x) => run(kernels.tanh, [x]),
  backward: (g, y) => [() => run(kernels.tanhDx, [g, y])],
});

// ── matrices ───────────────────────────────────────────────────────────────────────────────────────────

export const matmul: Binary = builtin({
  name: 'matmul',
  forward: (a, b) => run(kernels.matmul, [a, b]),
  backward: (g, _y, a, b) => [
    () => run(kernels.matmulTransposedB, [g, b]), // da = g·bᵀ
    () => run(kernels.matmulTransposedA, [a, g]), // db = aᵀ·g
  ],
});

export const transpose: Unary = builtin({
  name: 'transpose',
  forward: (x) => run(kernels.transpose, [x]),
  backward: (g) => [() => run(kernels.transpose, [g])],
});

/**
 * y = activation(x·W + b). The activation is given by its slope below 0, from 0 (ReLU) to LINEAR (none), and
 * its gradient is taken from y, so that what lies between is never in memory.
 */
export const dense: Op<[x: Tensor, W: Tensor, b: Tensor, slope: number]> = builtin({
  name: 'dense',
  forward: (x, W, b, slope) => runFused(fusions.dense, [x, W, b], { slope })[0],
  backward: (g, y, x, W, _b, slope) => {
    const { dz, db } = throughActivation(g, y, slope);
    return [
      () => run(kernels.matmulTransposedB, [dz(), W]), // dx = dz·Wᵀ
      () => run(kernels.matmulTransposedA, [x, dz()]), // dW = xᵀ·dz
      db,
    ];
  },
});

// ── along one axis ─────────────────────────────────────────────────────────────────────────────────────

/** Sums over one axis, which stays with extent 1. */
export const sum: Op<[x: Tensor, axis: number]> = builtin({
  name: 'sum',
  forward: (x, axis) => run(kernels.sumAxis, [x], { axis }),
  backward: (g, _y, x) => [() => expandTo(g, x.shape)],
});

/** The maximum over one axis, which stays with extent 1. The gradient goes to the first largest value. */
export const max: Op<[x: Tensor, axis: number]> = builtin({
  name: 'max',
  forward: (x, axis) => run(kernels.maxAxis, [x], { axis }),
  backward: (g, _y, x, axis) => [
    () => run(kernels.maxAxisDx, [g, x, run(kernels.argmaxAxis, [x], { axis })], { axis }),
  ],
});

export const softmax: Op<[x: Tensor, axis: number]> = builtin({
  name: 'softmax',
  forward: (x, axis) => run(kernels.softmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(kernels.softmaxDx, [g, y], { axis })],
});

export const logSoftmax: Op<[x: Tensor, axis: number]> = builtin({
  name: 'logSoftmax',
  forward: (x, axis) => run(kernels.logSoftmax, [x], { axis }),
  backward: (g, y, _x, axis) => [() => run(kernels.logSoftmaxDx, [g, y], { axis })],
});

// ── shape and selection ────────────────────────────────────────────────────────────────────────────────

/** Broadcasting. Its gradient is a sum, as the sum's is an expansion. */
export const expand: Op<[x: Tensor, shape: Shape]> = builtin({
  name: 'expand',
  forward: (x, shape) => expandTo(x, shape),
  backward: (g, _y, x) => [() => sumTo(g, x.shape)],
});

export const reshape: Op<[x: Tensor, shape: Shape]> = builtin({
  name: 'reshape',
  forward: (x, shape) => view(x, shape),
  backward: (g, _y, x) => [() => view(g, x.shape)],
});

/** The range begin … end of one axis. */
export const slice: Op<[x: Tensor, axis: number, begin: number, end: number]> = builtin({
  name: 'slice',
  forward: (x, axis, begin, end) => run(kernels.sliceAxis, [x], { axis, begin, end }),
  backward: (g, _y, x, axis, begin) => [
    () => run(kernels.sliceAxisDx, [g], { axis, begin, extent: x.shape[axis] }),
  ],
});

/** `rows` holds indices into the first axis and is no input: nothing flows to it. */
export const gather: Op<[x: Tensor, rows: { readonly indices: Tensor }]> = builtin({
  name: 'gather',
  forward: (x, { indices }) => run(kernels.gather, [x, indices]),
  backward: (g, _y, x, { indices }) => [() => run(kernels.gatherDx, [g, indices], { extent: x.shape[0] })],
});

/** The inputs one after the other along one axis; takes as many tensors as there are. */
export const concat: Op<[axis: number, ...inputs: Tensor[]]> = builtin({
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
