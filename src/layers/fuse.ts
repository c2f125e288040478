/**
 * Merges neighbouring layers into one op, for speed. Without this file, a network computes the same results, up to
 * rounding.
 *
 * `fuse` turns the layers of a network into steps, which `Sequential` applies one after the other. A step is one layer,
 * or one of two merged ops:
 *
 * - `denseActivation`: a dense layer with its bias, and the ReLU or LeakyReLU after it, if there is one. The sum z = x·W + b
 *   is never written to memory.
 * - `batchNormDense`: batch normalization, the dense layer after it and its activation, if it has one. Used in training
 *   if x requires no gradient, as at the input of a network. The backward pass then needs one large matrix product
 *   instead of two: `kernels/simd/README.md` derives it.
 *
 * Merged ops run only on devices with fused kernels (`wasm`), and only for the library's own layers: a subclass, or a
 * layer whose `forward` was replaced, is always a step of its own. Only `sequential.ts` imports this file.
 */
import { batchnormBackward, runningStatistics } from '../../kernels/fused/batchnorm.ts';
import { batchnormDense, batchnormDenseSums } from '../../kernels/fused/batchnorm-dense.ts';
import { dense as fusedDense, LINEAR } from '../../kernels/fused/dense.ts';
import { denseDz } from '../../kernels/fused/dense-dz.ts';
import { matmulTransposedA, matmulTransposedB } from '../../kernels/matmul.ts';
import { colSum } from '../../kernels/reduce.ts';
import { once } from '../tensor/once.ts';
import { op, run, runFused } from '../tensor/op.ts';
import type { Kept, Op } from '../tensor/op-definition.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import type { Value } from '../tensor/value.ts';
import { LeakyReLU, ReLU } from './activation.ts';
import { BatchNorm1d, type Running } from './batchnorm1d.ts';
import { Sigmoid, Softmax, Tanh } from './bounded-activations.ts';
import { Dense } from './dense.ts';
import { expectOutput } from './expect-output.ts';
import type { Layer } from './layer.ts';
import { complete } from './registered.ts';

/** Computes one layer, or several merged layers. */
export type Step = (x: Tensor) => Tensor;

/** The class `Sequential`, whose file imports this one. */
type Sequence = abstract new (...args: never[]) => Layer & { readonly layers: readonly Layer[] };

/** The steps of a sequence, and what they depend on: which layers, at any depth, have another `forward`. */
interface Fused {
  readonly steps: readonly Step[];
  readonly layers: readonly Layer[];
  readonly others: readonly boolean[];
}

/** The steps of each sequence that was used. */
const known = new WeakMap<readonly Layer[], Fused>();

/**
 * The steps that compute the layers: y = stepₙ(… step₁(x)). The layers of nested sequences are merged, too. The layers of
 * a sequence never change, so their steps are made once, and again when a `forward` was replaced.
 */
export function fuse(all: readonly Layer[], sequence: Sequence): readonly Step[] {
  const [only] = all;
  // A list of one layer is often a new one: `fit` passes [model] in each step.
  if (all.length === 1) return isOwn(only, sequence) ? fuse(only.layers, sequence) : stepsOf(all);
  const found = known.get(all);
  if (found?.layers.every((layer, k) => hasOtherForward(layer) === found.others[k])) return found.steps;
  const layers = all.flatMap((layer) => layer.modules());
  const fused = { steps: stepsOf(flat(all, sequence)), layers, others: layers.map(hasOtherForward) };
  known.set(all, fused);
  return fused.steps;
}

function stepsOf(layers: readonly Layer[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < layers.length;) {
    const merged = normalizedDense(layers, i) ?? mergedDense(layers, i);
    steps.push(merged?.step ?? stepOf(layers[i]));
    i += merged?.count ?? 1;
  }
  return steps;
}

/** The layers, where each nested sequence is replaced by its layers. */
function flat(layers: readonly Layer[], sequence: Sequence): readonly Layer[] {
  if (!layers.some((layer) => isOwn(layer, sequence))) return layers;
  return layers.flatMap((layer) => (isOwn(layer, sequence) ? flat(layer.layers, sequence) : [layer]));
}

/** A step that computes several layers. */
interface Merged {
  readonly step: Step;
  /** The number of layers that it computes. */
  readonly count: number;
}

/** Merges the dense layer at i, its bias, and the activation after it, if there is one. Null if the layer at i is another. */
function mergedDense(layers: readonly Layer[], i: number): Merged | null {
  const [dense, next] = [layers[i], layers.at(i + 1)];
  if (!isOwn(dense, Dense)) return null;
  const activation = slopeOf(next) === null ? undefined : next;
  const step = (x: Tensor): Tensor => {
    const { weight, bias } = dense;
    const slope = activation === undefined ? LINEAR : slopeOf(activation);
    if (canFuse(x) && bias !== null && slope !== null) {
      dense.expectInput(x);
      return denseActivation(x, weight, bias, slope);
    }
    const z = dense.forward(x);
    return activation === undefined ? z : activation.forward(z);
  };
  return { step, count: activation === undefined ? 1 : 2 };
}

/**
 * Merges batch normalization at i, the dense layer after it, and the activation after that, if there is one. Null if
 * these are not the layers at i. Whether the merged op can be used depends on x, so the step decides for each x.
 */
function normalizedDense(layers: readonly Layer[], i: number): Merged | null {
  const [norm, dense] = [layers[i], layers.at(i + 1)];
  const behind = mergedDense(layers, i + 1);
  if (behind === null || !isOwn(norm, BatchNorm1d) || !isOwn(dense, Dense)) return null;
  const step = (x: Tensor): Tensor => {
    const { weight, bias } = dense;
    const slope = behind.count === 1 ? LINEAR : slopeOf(layers[i + 2]);
    const { extents } = x;
    const fits = extents.length === 2 && extents[1] === norm.features && weight.extents[0] === norm.features;
    const canMerge = canFuse(x) && fits && !x.requiresGrad && norm.usesBatch;
    if (!canMerge || bias === null || slope === null) return behind.step(norm.forward(x));
    const [gamma, beta, eps, running] = norm.trainingArguments(extents[0]);
    const y = batchNormDense(x, gamma, beta, weight, bias, { eps, slope, running });
    norm.countBatch();
    return y;
  };
  return { step, count: 1 + behind.count };
}

/** The slope for x < 0 of an activation that can be merged: 0 for ReLU. Null for all other layers. */
function slopeOf(layer: Layer | undefined): number | null {
  if (isOwn(layer, LeakyReLU)) return layer.slope > 0 ? layer.slope : null;
  return isOwn(layer, ReLU) ? 0 : null;
}

/** Whether the device has fused kernels. */
function canFuse({ home }: Tensor): boolean {
  return home.runFused !== undefined;
}

// ── one layer ──────────────────────────────────────────────────────────────────────────────────────────

/**
 * The layer classes of the library. They keep no reference to their input or output. Classes that have a file of their
 * own, such as `Dropout`, add themselves to `complete`, so that a network without them does not load them.
 */
const own: readonly object[] = [BatchNorm1d, Dense, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh];
own.forEach((kind) => complete.add(kind));

/** The step of a single layer. A user's layer may keep references to tensors, so it is called through `callUser`. */
function stepOf(layer: Layer): Step {
  const forward: Step = (x) => layer.forward(x);
  const isUsers = !complete.has(layer.constructor) || hasOtherForward(layer);
  return isUsers ? (x) => expectOutput(layer, callUser(forward, x)) : forward;
}

/** Whether the layer is an instance of exactly this class, with the `forward` of the class. */
function isOwn<L extends Layer>(
  layer: Layer | undefined,
  kind: abstract new (...args: never[]) => L,
): layer is L {
  return layer?.constructor === kind && !hasOtherForward(layer);
}

/** Whether `forward` was replaced on this instance. */
function hasOtherForward(layer: Layer): boolean {
  return Object.hasOwn(layer, 'forward');
}

// ── the merged ops ─────────────────────────────────────────────────────────────────────────────────────

/**
 * y = activation(x·W + b). x [m, k], W [k, n], b [n] → y [m, n]. `slope` is the slope of the activation for z < 0: 0
 * for ReLU, LINEAR for no activation. For slopes ≥ 0, y > 0 exactly where z = x·W + b > 0, so the backward pass needs
 * only y.
 */
export const denseActivation: Op<[x: Value, W: Value, b: Value, slope: number]> = op({
  name: 'dense',
  forward: (x, W, b, slope) => runFused(fusedDense, [x, W, b], { slope })[0],
  backward: (g, y, x, W, _b, slope) => {
    const { dz, db } = throughActivation(g, y, slope);
    return [
      () => run(matmulTransposedB, [dz, W]), // dx = dz·Wᵀ
      () => run(matmulTransposedA, [x, dz]), // dW = xᵀ·dz
      db,
    ];
  },
});

/** The arguments of `batchNormDense` that are not tensors, and the running statistics. */
interface Constants {
  readonly eps: number;
  /** The slope of the activation for z < 0. */
  readonly slope: number;
  readonly running?: Running | undefined;
}

type Arguments = [x: Value, gamma: Value, beta: Value, W: Value, b: Value, constants: Constants];

/**
 * y = activation(n·W + b), where n = γ·x̂ + β is x normalized with the statistics of the batch. x [m, k], gamma, beta
 * [k], W [k, n], b [n] → y [m, n]. Only y, mean and rstd are kept for the backward pass.
 */
export const batchNormDense: Op<Arguments> = op<Arguments, Kept & { mean: Value; rstd: Value }>({
  name: 'batchNormDense',
  forward: (x, gamma, beta, W, b, { eps, slope, running }) => {
    const [y, mean, variance, rstd] = runFused(batchnormDense, [x, gamma, beta, W, b], { eps, slope });
    if (running !== undefined) {
      const { alpha, correction } = running;
      runFused(runningStatistics, [running.mean, running.variance, mean, variance], { alpha, correction });
    }
    return { y, mean, rstd };
  },
  backward: (g, { y, mean, rstd }, x, gamma, beta, W, _b, { slope }) => {
    const { dz, db } = throughActivation(g, y, slope);
    const sums = once(() => runFused(batchnormDenseSums, [dz, x, mean, rstd, gamma, beta, W]));
    return [
      () => runFused(batchnormBackward, [run(matmulTransposedB, [dz, W]), x, mean, rstd, gamma])[0], // dx
      () => sums()[0], // dgamma
      () => sums()[1], // dbeta
      () => sums()[2], // dW
      db,
    ];
  },
});

/** The backward pass of y = activation(z), z = x·W + b: dz = g·activation′(z), computed from y, and db = Σ dz. */
function throughActivation(g: Value, y: Value, slope: number): { dz: Value; db: () => Value } {
  if (slope === LINEAR) return { dz: g, db: () => run(colSum, [g]) };
  const [dz, db] = runFused(denseDz, [g, y], { slope });
  return { dz, db: () => db };
}
