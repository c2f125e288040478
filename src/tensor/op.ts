/** How an op is declared, once, with its forward and backward pass side by side. */
import type { Fusion } from '../../kernels/fused/fusion.ts';
import type { Kernel, Params, ParamsOf, Shape } from '../../kernels/kernel.ts';
import type { Device, Storage } from './device/device.ts';
import { DeviceError, DTypeError, ValueError } from './errors.ts';
import { allocated, collecting, expose, exposed, freeAll, release, take } from './memory.ts';
import { outputsOf } from './device/wasm/outputs.ts';
import { isTaping, noGrad, type Node, nextNodeId } from './tape.ts';
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

/** {@link defineOp} for the library's own ops: what these allocate beside their result, no user code sees. */
export function builtin<A extends readonly unknown[]>(op: OpDefinition<A, Tensor>): Op<A>;
export function builtin<A extends readonly unknown[], Y extends Kept>(op: OpDefinition<A, Y>): Op<A>;
export function builtin<A extends readonly unknown[], Y extends Tensor | Kept>(
  op: OpDefinition<A, Y>,
): Op<A> {
  return taped(op);
}

function taped<A extends readonly unknown[], Y extends Tensor | Kept>(op: OpDefinition<A, Y>): Op<A> {
  return (...args: A) => {
    const inputs = args.filter((arg) => arg instanceof Tensor);
    expectOneHome(op.name, inputs);
    const { result, allocations } = collecting(() => noGrad(() => op.forward(...args)));
    let y = result instanceof Tensor ? result : result.y;
    if (isTaping() && inputs.some((input) => input.requiresGrad)) {
      const node: Node = {
        id: nextNodeId(),
        op: op.name,
        inputs,
        versions: inputs.map((input) => input.storage.version),
        backward: (g) => op.backward(g, result, ...args),
        memory: [],
        visit: 0,
      };
      y = new Tensor(y.storage, y.shape, y.home, { requiresGrad: true, node });
    } else if (y.requiresGrad) {
      y = y.detach(); // `forward` may have returned an input as it was
    }
    release(allocations, y);
    return y;
  };
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
 * import { defineOp, gradcheck, tensor, type Tensor, useDevice } from 'gammabeta';
 *
 * // softplus(x) = ln(1 + eˣ), whose derivative is the sigmoid
 * const softplus = defineOp({
 *   name: 'softplus',
 *   forward: (x: Tensor) => x.exp().add(1).log(),
 *   backward: (g, y, x) => [() => g.mul(x.sigmoid())],
 * });
 *
 * await useDevice('cpu'); // which has float64
 * const x = tensor([-1, 0, 2], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck(softplus, [x])); // true
 * ```
 */
export function defineOp<A extends readonly unknown[]>(op: OpDefinition<A, Tensor>): Op<A>;
export function defineOp<A extends readonly unknown[], Y extends Kept>(op: OpDefinition<A, Y>): Op<A>;
export function defineOp<A extends readonly unknown[], Y extends Tensor | Kept>(
  op: OpDefinition<A, Y>,
): Op<A> {
  return taped<A, Y>({
    name: op.name,
    forward: (...args) => exposed(() => op.forward(...args)),
    backward: (g, y, ...args) => {
      expose(g);
      const thunks = exposed(() => op.backward(g, y, ...args));
      return thunks.map((thunk) => () => exposed(thunk));
    },
  });
}

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

/** Runs a fusion on tensors: as one kernel where the device can, else as what it is composed of. Not taped. */
export function runFused<P extends Params>(
  fusion: Fusion<P>,
  inputs: readonly Tensor[],
  ...[params]: ParamsOf<P>
): readonly Tensor[] {
  const numbers = (params ?? {}) as P;
  const { home } = inputs[0];
  if (home.runFused === undefined) return composed(fusion, inputs, numbers);
  const shapes = inputs.map((input) => input.shape);
  const outputs = outputsOf(fusion, shapes, numbers);
  const storages = home.runFused(fusion, inputs.map(storageOf), shapes, outputs, numbers);
  return storages.map((storage, k) => made(storage, outputs[k].shape, home));
}

/** Kernel by kernel; what lies between inputs and results is freed. */
function composed<P extends Params>(
  fusion: Fusion<P>,
  inputs: readonly Tensor[],
  params: P,
): readonly Tensor[] {
  const { result, allocations } = collecting(() =>
    noGrad(() => fusion.compose({ run, update: runInPlace }, inputs, params)),
  );
  for (const y of result) if (take(allocations, y.storage)) allocated(y);
  freeAll(allocations);
  return result;
}

const storageOf = ({ storage }: Tensor): Storage => storage;

function dispatch<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Tensor[],
  params: P,
  inPlace: boolean,
): Tensor {
  const shapes = inputs.map((input) => input.shape);
  const shape = kernel.shape(shapes, params);
  const { home } = inputs[0];
  const storage = home.run(kernel, inputs.map(storageOf), shapes, shape, params, inPlace);
  return inPlace ? inputs[0] : made(storage, shape, home);
}

function made(storage: Storage, shape: Shape, home: Device): Tensor {
  return allocated(new Tensor(storage, shape, home));
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

/** `compute`, called at most once: for what several gradients have in common. */
export function once<T>(compute: () => T): () => T {
  let value: { readonly of: T } | null = null;
  return () => (value ??= { of: compute() }).of;
}
