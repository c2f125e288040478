/**
 * Merges neighbouring layers into one op where the device runs them faster so. Nothing else knows of it: without this
 * file, a network computes the same, layer by layer.
 *
 * - A dense layer takes over the ReLU or LeakyReLU behind it: y = activation(x·W + b) in one pass.
 * - Batch normalization in training takes over the dense layer behind it, if x needs no gradient, as at the input of a
 *   network: `kernels/simd/README.md` derives why that saves a large product.
 */
import { batchnormBackward, runningStatistics } from '../../kernels/fused/batchnorm.ts';
import { batchnormDense, batchnormDenseSums } from '../../kernels/fused/batchnorm-dense.ts';
import { dense as fusedDense, denseDz, LINEAR } from '../../kernels/fused/dense.ts';
import { matmulTransposedA, matmulTransposedB } from '../../kernels/matmul.ts';
import { colSum } from '../../kernels/reduce.ts';
import { type Kept, once, op, type Op, run, runFused } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';
import type { Value } from '../tensor/value.ts';
import { LeakyReLU, ReLU, Sigmoid, Softmax, Tanh } from './activation.ts';
import { BatchNorm1d, type Running } from './batchnorm1d.ts';
import { Dense } from './dense.ts';
import { Dropout } from './dropout.ts';
import { Flatten } from './flatten.ts';
import type { Layer } from './layer.ts';

/** One op of a network: a layer, or several. */
export type Step = (x: Tensor) => Tensor;

/** The steps that compute these layers, one after the other. */
export function fuse(layers: readonly Layer[]): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < layers.length;) {
    const merged = normalizedDense(layers, i) ?? activatedDense(layers, i);
    steps.push(merged?.step ?? stepOf(layers[i]));
    i += merged?.count ?? 1;
  }
  return steps;
}

interface Merged {
  readonly step: Step;
  /** How many layers it computes. */
  readonly count: number;
}

/** A dense layer at i, and the activation behind it. */
function activatedDense(layers: readonly Layer[], i: number): Merged | null {
  const [dense, activation] = [layers[i], layers.at(i + 1)];
  const slope = slopeOf(activation);
  if (activation === undefined || slope === null || !isOwn(dense, Dense) || dense.bias === null) return null;
  const { weight, bias } = dense;
  const step = (x: Tensor): Tensor => {
    if (!canFuse(x)) return activation.forward(dense.forward(x));
    dense.expectInput(x);
    return denseActivation(x, weight, bias, slope);
  };
  return { step, count: 2 };
}

/** Batch normalization at i, the dense layer behind it, and the activation behind that, if there is one. */
function normalizedDense(layers: readonly Layer[], i: number): Merged | null {
  const [norm, dense] = [layers[i], layers.at(i + 1)];
  if (!isOwn(norm, BatchNorm1d) || !isOwn(dense, Dense) || dense.bias === null) return null;
  const { weight, bias } = dense;
  const slope = slopeOf(layers.at(i + 2));
  const step = (x: Tensor): Tensor => {
    const fits = x.shape.length === 2 && x.shape[1] === norm.features && weight.shape[0] === norm.features;
    if (!canFuse(x) || !fits || x.requiresGrad || !norm.usesBatch) {
      const behind = activatedDense(layers, i + 1)?.step ?? stepOf(dense);
      return behind(norm.forward(x));
    }
    const [gamma, beta, eps, running] = norm.trainingArguments(x.shape[0]);
    const y = batchNormDense(x, gamma, beta, weight, bias, { eps, slope: slope ?? LINEAR, running });
    norm.countBatch();
    return y;
  };
  return { step, count: slope === null ? 2 : 3 };
}

/** The slope below 0 of an activation that a dense layer can take over; null for all others. */
function slopeOf(layer: Layer | undefined): number | null {
  if (isOwn(layer, LeakyReLU)) return layer.slope > 0 ? layer.slope : null;
  return isOwn(layer, ReLU) ? 0 : null;
}

/** Whether the device has fused kernels. */
function canFuse({ home }: Tensor): boolean {
  return home.runFused !== undefined;
}

// ── one layer ──────────────────────────────────────────────────────────────────────────────────────────

/** The layers of the library, which keep neither what they are given nor what they compute. */
const own: ReadonlySet<unknown> = new Set([
  BatchNorm1d,
  Dense,
  Dropout,
  Flatten,
  LeakyReLU,
  ReLU,
  Sigmoid,
  Softmax,
  Tanh,
]);

/** A layer by itself. A user's layer may keep what it sees. */
function stepOf(layer: Layer): Step {
  const forward: Step = (x) => layer.forward(x);
  const isUsers = !own.has(layer.constructor) || hasOtherForward(layer);
  return isUsers ? (x) => callUser(forward, x) : forward;
}

/** Whether the layer is of this very class, with the `forward` of the class. */
function isOwn<L extends Layer>(
  layer: Layer | undefined,
  kind: abstract new (...args: never[]) => L,
): layer is L {
  return layer?.constructor === kind && !hasOtherForward(layer);
}

/** Whether `forward` was replaced on this object. */
function hasOtherForward(layer: Layer): boolean {
  return Object.hasOwn(layer, 'forward');
}

// ── the merged ops ─────────────────────────────────────────────────────────────────────────────────────

/**
 * y = activation(x·W + b). The activation is given by its slope below 0, from 0 (ReLU) to LINEAR (none). For slopes ≥ 0,
 * y > 0 where z = x·W + b > 0: the gradient needs y only, and z is never in memory.
 */
export const denseActivation: Op<[x: Value, W: Value, b: Value, slope: number]> = op({
  name: 'dense',
  forward: (x, W, b, slope) => runFused(fusedDense, [x, W, b], { slope })[0],
  backward: (g, y, x, W, _b, slope) => {
    const { dz, db } = throughActivation(g, y, slope);
    return [
      () => run(matmulTransposedB, [dz(), W]), // dx = dz·Wᵀ
      () => run(matmulTransposedA, [x, dz()]), // dW = xᵀ·dz
      db,
    ];
  },
});

interface Constants {
  readonly eps: number;
  /** The activation's slope below 0. */
  readonly slope: number;
  readonly running?: Running | undefined;
}

type Arguments = [x: Value, gamma: Value, beta: Value, W: Value, b: Value, constants: Constants];

/** y = activation((γ·x̂ + β)·W + b), with the batch's statistics. n = γ·x̂ + β is not kept. */
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
    const sums = once(() => runFused(batchnormDenseSums, [dz(), x, mean, rstd, gamma, beta, W]));
    const dn = () => run(matmulTransposedB, [dz(), W]);
    return [
      () => runFused(batchnormBackward, [dn(), x, mean, rstd, gamma])[0], // dx
      () => sums()[0], // dgamma
      () => sums()[1], // dbeta
      () => sums()[2], // dW
      db,
    ];
  },
});

/** From y = activation(z) to z = x·W + b: dz = g·activation′(z), taken from y, and db = Σ dz. */
function throughActivation(g: Value, y: Value, slope: number): { dz: () => Value; db: () => Value } {
  if (slope === LINEAR) return { dz: () => g, db: () => run(colSum, [g]) };
  const both = once(() => runFused(denseDz, [g, y], { slope }));
  return { dz: () => both()[0], db: () => both()[1] };
}
