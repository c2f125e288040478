/** How an op is declared, once, with its forward and backward pass side by side. */
import type { Kernel, Params } from '../../kernels/kernel.ts';
import { isTaping, noGrad, type Node, nextNodeId } from './tape.ts';
import { DeviceError, DTypeError, ValueError } from './errors.ts';
import { Tensor } from './tensor.ts';

/** What `forward` may return instead of a tensor: the result `y`, and what `backward` wants to have kept. */
export interface Kept {
  readonly y: Tensor;
}

/** The gradient of one input, computed when it is asked for. */
export type Thunk = () => Tensor;

/** An op: arguments that are tensors are its inputs; the others (an axis, a slope) are constants. */
export type Op<A extends readonly unknown[]> = (...args: A) => Tensor;

export interface OpDefinition<A extends readonly unknown[], Y extends Tensor | Kept> {
  /** What error messages call it. */
  readonly name: string;
  /** The value. Whatever it computes is not taped. */
  readonly forward: (...args: A) => Y;
  /**
   * One thunk for each tensor among the arguments, in their order. `g` is the gradient of the result, of
   * its shape; `y` is what `forward` returned. A thunk that nobody needs is never called.
   */
  readonly backward: (g: Tensor, y: Y, ...args: A) => readonly Thunk[];
}

/**
 * Makes a differentiable function out of a forward and a backward pass.
 *
 * For y = f(x₁, x₂, …) and a loss L, `backward` gets g = ∂L/∂y and gives, for each input, ∂L/∂xₖ: the
 * gradient g times the Jacobian ∂y/∂xₖ. Broadcasting is not an op's business: expand the inputs first, or
 * compose tensor methods. Check the result with {@link gradcheck}.
 *
 * @throws {GraphError} From `backward()`: a thunk is missing, or gives a gradient of another shape than its input.
 * @throws {DTypeError} From the op: its inputs have different element types.
 * @throws {DeviceError} From the op: its inputs live on different devices.
 * @example
 * ```ts
 * import { defineOp, gradcheck, tensor, type Tensor } from 'gammabeta';
 *
 * // softplus(x) = ln(1 + eˣ), whose derivative is the sigmoid
 * const softplus = defineOp({
 *   name: 'softplus',
 *   forward: (x: Tensor) => x.exp().add(1).log(),
 *   backward: (g, y, x) => [() => g.mul(x.sigmoid())],
 * });
 *
 * const x = tensor([-1, 0, 2], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck(softplus, [x])); // true
 * ```
 */
export function defineOp<A extends readonly unknown[]>(op: OpDefinition<A, Tensor>): Op<A>;
export function defineOp<A extends readonly unknown[], Y extends Kept>(op: OpDefinition<A, Y>): Op<A>;
export function defineOp<A extends readonly unknown[], Y extends Tensor | Kept>(
  op: OpDefinition<A, Y>,
): Op<A> {
  return (...args: A) => {
    const inputs = args.filter((arg) => arg instanceof Tensor);
    expectOneHome(op.name, inputs);
    const result = noGrad(() => op.forward(...args));
    const y = result instanceof Tensor ? result : result.y;
    if (!isTaping() || !inputs.some((input) => input.requiresGrad)) {
      return y.requiresGrad ? y.detach() : y; // `forward` may have returned an input as it was
    }
    const node: Node = {
      id: nextNodeId(),
      op: op.name,
      inputs,
      versions: inputs.map((input) => input.storage.version),
      backward: (g) => op.backward(g, result, ...args),
    };
    return new Tensor(y.storage, y.shape, y.home, { requiresGrad: true, node });
  };
}

/** `[P]`, or nothing for a kernel without parameters. */
type ParamsOf<P extends Params> = Record<string, never> extends P ? [] : [params: P];

/** Runs a kernel on tensors: its shape rule, then its device. The result is not taped. */
export function run<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Tensor[],
  ...[params]: ParamsOf<P>
): Tensor {
  return dispatch(kernel, inputs, (params ?? {}) as P, false);
}

/**
 * Runs a kernel into its first input, for values that are updated rather than replaced: parameters,
 * optimizer state, running statistics. A pass through the tape that needs the old value is refused.
 */
export function runInPlace<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Tensor[],
  ...[params]: ParamsOf<P>
): void {
  if (!kernel.inPlace) {
    throw new ValueError(
      kernel.name,
      'this kernel cannot write into its input',
      'use run, and keep the result',
    );
  }
  dispatch(kernel, inputs, (params ?? {}) as P, true);
}

function dispatch<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Tensor[],
  params: P,
  inPlace: boolean,
): Tensor {
  const shapes = inputs.map((input) => input.shape);
  const shape = kernel.shape(shapes, params);
  const { home } = inputs[0];
  const storages = inputs.map((input) => input.storage);
  return new Tensor(home.run(kernel, storages, shapes, shape, params, inPlace), shape, home);
}

function expectOneHome(op: string, inputs: readonly Tensor[]): void {
  const [first] = inputs;
  for (const input of inputs) {
    if (input.home !== first.home) {
      throw new DeviceError(
        op,
        `tensors on different devices: ${inputs.map((t) => t.device).join(', ')}`,
        'choose a device before any tensor is made, or copy: tensor(await t.data(), { shape: t.shape })',
      );
    }
    if (input.dtype !== first.dtype) {
      throw new DTypeError(
        op,
        `element types differ: ${inputs.map((t) => t.dtype).join(', ')}`,
        'give all tensors one dtype when they are made',
      );
    }
  }
}
