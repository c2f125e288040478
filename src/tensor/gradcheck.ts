/** Checks gradients against finite differences, along random directions. */
import { sizeOf } from '../../kernels/shape.ts';
import { tensor } from './create.ts';
import {
  DTypeError,
  expectFunction,
  expectInteger,
  expectNumber,
  expectOptions,
  expectTensor,
  expectTensors,
  GammaBetaError,
  GraphError,
} from './errors.ts';
import type { Stream } from './random.ts';
import { seededStream } from './seed.ts';
import { noGrad } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** `gradcheck` found a gradient that differs from the numeric derivative. */
export class GradientError extends GammaBetaError {
  override name = 'GradientError';
}

export interface GradcheckOptions {
  /** ε > 0, the step of the central difference. Default 1e-6. */
  readonly eps?: number;
  /** The relative tolerance, ≥ 0: a gradient passes if |numeric − analytic| ≤ atol + rtol·|numeric|. Default 1e-5. */
  readonly rtol?: number;
  /** The absolute tolerance, ≥ 0. Default 1e-7. */
  readonly atol?: number;
  /** The seed of the random directions, an integer ≥ 0. Default 0. */
  readonly seed?: number;
}

/**
 * Checks that the gradients of `fn` equal its derivatives at the given inputs, like PyTorch's `gradcheck` in fast mode.
 *
 * For each input x, with random vectors u (of the shape of the result) and v (of the shape of x), it compares:
 *
 *     numeric  = u · (fn(x + ε·v) − fn(x − ε·v)) / 2ε
 *     analytic = v · dx,  where fn(x).backward(u) computes dx
 *
 * A wrong gradient passes only if its error is orthogonal to the random v. The cost is two calls of `fn` per input, for
 * inputs of any size. `fn` must be deterministic, and differentiable near the inputs: avoid kinks, such as 0 for ReLU.
 *
 * @param fn A function of tensors that returns a tensor of any shape.
 * @param inputs The arguments of `fn`, float64. Those with `requiresGrad` are checked. Their `grad` is not changed.
 * @returns `true`. A failed check throws.
 * @throws {GradientError} A gradient is wrong. The message names the input and both values.
 * @throws {ValueError} `fn` is not a function, an input is not a tensor, `fn` returns none, or an option is out of range.
 * @throws {DTypeError} An input is not float64: rounding errors would be larger than the differences.
 * @throws {GraphError} No input requires a gradient, or the result does not depend on one that does.
 * @example
 * ```ts
 * import { gradcheck, tensor, useDevice } from 'gammabeta';
 *
 * await useDevice('cpu'); // supports float64
 * const x = tensor([[1, 2], [3, 4]], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck((x) => x.log().sum(0), [x])); // true
 * ```
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): true {
  expectFunction('gradcheck', 'fn', fn);
  expectTensors('gradcheck', 'inputs', inputs);
  expectOptions('gradcheck', options, ['eps', 'rtol', 'atol', 'seed']);
  const { eps = 1e-6, rtol = 1e-5, atol = 1e-7, seed = 0 } = options;
  expectNumber('gradcheck', 'eps', eps, { above: 0 });
  expectNumber('gradcheck', 'rtol', rtol, { from: 0 });
  expectNumber('gradcheck', 'atol', atol, { from: 0 });
  const stream = seededStream(expectInteger('gradcheck', 'seed', seed, 0));
  expectCheckable(inputs);

  // Copies, so that the caller's tensors and their gradients do not change.
  const points = inputs.map((x) => at(x, x.dataSync(), x.requiresGrad));
  const y = expectTensor('gradcheck', 'the result of fn', fn(...points));
  const u = direction(stream, y.size);
  y.backward(at(y, u, false));

  points.forEach((x, k) => {
    if (!x.requiresGrad) return;
    const v = direction(stream, x.size);
    const shifted = (step: number): Float64Array => {
      const values = Float64Array.from(x.dataSync(), (value, i) => value + step * v[i]);
      return projections(fn, points.with(k, at(x, values, false)), u);
    };
    const [ahead, behind] = [shifted(eps), shifted(-eps)];
    const numeric = ahead.reduce((sum, value, i) => sum + (value - behind[i]), 0) / (2 * eps);
    const dx = Float64Array.from(x.grad?.dataSync() ?? new Float64Array(x.size));
    const analytic = dx.reduce((sum, value, i) => sum + value * v[i], 0);
    if (Math.abs(numeric - analytic) <= atol + rtol * Math.abs(numeric)) return;
    throw new GradientError(
      'gradcheck',
      `wrong gradient of input ${k}: the difference quotient is ${numeric}, the gradient gives ${analytic}`,
      'check the backward pass of that input; at a kink of the function, choose another point',
    );
  });
  return true;
}

/**
 * u[i]·fn(…)[i] for each i. They are not summed here: a sum of small differences is more accurate than a difference of
 * sums.
 */
function projections(fn: (...inputs: Tensor[]) => Tensor, points: Tensor[], u: Float64Array): Float64Array {
  const values = noGrad(() => fn(...points)).dataSync();
  return Float64Array.from(values, (value, i) => value * u[i]);
}

/** Random values with |value| in [0.5, 1.5) and a random sign. They avoid 0, so that every element counts. */
function direction(stream: Stream, size: number): Float64Array {
  return Float64Array.from(
    { length: size },
    () => (0.5 + stream.uniform()) * (stream.uniform() < 0.5 ? -1 : 1),
  );
}

/** A tensor like `like`, with other values. */
function at(like: Tensor, values: ArrayLike<number>, requiresGrad: boolean): Tensor {
  const { shape, dtype, home } = like;
  return tensor(Float64Array.from(values).subarray(0, sizeOf(shape)), {
    shape,
    dtype,
    device: home,
    requiresGrad,
  });
}

function expectCheckable(inputs: readonly Tensor[]): void {
  const imprecise = inputs.find((x) => x.dtype !== 'float64');
  if (imprecise !== undefined) {
    throw new DTypeError(
      'gradcheck',
      `an input is ${imprecise.dtype}`,
      "make the inputs with { dtype: 'float64' }",
    );
  }
  if (!inputs.some((x) => x.requiresGrad)) {
    throw new GraphError(
      'gradcheck',
      'no input requires a gradient',
      'make an input with { requiresGrad: true }',
    );
  }
}
