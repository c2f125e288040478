/**
 * Declares ops, and runs kernels on tensors.
 *
 * An **op** is a differentiable function of tensors, declared once with its forward and backward pass:
 *
 *     const mul = op({
 *       name: 'mul',
 *       forward: (a, b) => run(kernels.mul, [a, b]),
 *       backward: (g, _y, a, b) => [() => run(kernels.mul, [g, b]), () => run(kernels.mul, [g, a])],
 *     });
 *
 * `mul(a, b)` runs `forward` and records a node on the tape (`tape.ts`). `backward` receives g = ∂loss/∂y, the gradient
 * of the result y, and returns one **thunk** per input: a function that computes ∂loss/∂input when it is called. The
 * thunk of an input that requires no gradient is never called, so its kernels never run.
 *
 * - `op` declares an op; `composite` declares a function that is made of ops.
 * - `run`, `runInPlace` and `runFused` run kernels on the device that holds the inputs. They record nothing.
 *
 * `enclose`, `track` and `keep` manage memory (`memory.ts`). On a first reading, skip them: `enclose(fn, args)` returns
 * `fn(...args)`, `track(x)` and `keep(x)` return x.
 */
import type { Fusion } from '../../kernels/fused/fusion.ts';
import type { Kernel, Params, ParamsOf, Shape } from '../../kernels/kernel.ts';
import type { Storage } from './device/device.ts';
import { DeviceError, DTypeError, ValueError } from './errors.ts';
import { enclose, keep, track } from './memory.ts';
import type { Kept, Op, OpDefinition } from './op-definition.ts';
import { record, unrecorded } from './tape.ts';
import { Value } from './value.ts';

export { keep, track };

/**
 * Declares an op of the library. Users declare theirs with `defineOp`.
 *
 * @throws {DeviceError} From the op: its inputs are on different devices.
 * @throws {DTypeError} From the op: its inputs have different element types.
 */
export function op<A extends readonly unknown[], Y extends Value | Kept = Value, T extends Value = Value>(
  definition: OpDefinition<A, Y, T>,
): Op<A> {
  const { name, forward, backward } = definition;
  const apply = (args: A, inputs: readonly Value[]): Value => {
    const result = unrecorded(forward, args);
    const y = result instanceof Value ? result : result.y;
    const node = record(name, inputs, (g) => backward(g as T, result, ...args));
    if (node === null && !y.requiresGrad) return y;
    return y.like(y.storage, y.extents, node); // a new value: `forward` may have returned an input
  };
  const call = (...args: A): Value => {
    const inputs = tensorsAmong(args);
    expectOneHome(name, inputs);
    return enclose(apply, [args, inputs]);
  };
  return call as Op<A>;
}

/** The tensors among the arguments of a call, in order. */
export const tensorsAmong = (args: readonly unknown[]): readonly Value[] =>
  args.every(isTensor) ? args : args.filter(isTensor);
const isTensor = (arg: unknown): arg is Value => arg instanceof Value;

/**
 * Declares a function of the library that is made of several ops, or that updates tensors in place. Only its result may
 * outlive the call: the function must not keep its arguments or any other tensor that it computes. An asynchronous
 * function must compute everything, and start all reads, before its first `await`.
 */
export function composite<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  const call = (...args: A): R => enclose(fn, args);
  composites.add(call);
  return call;
}

const composites = new WeakSet<object>();

/** Whether a function was declared by `composite`. */
export function isComposite(fn: object): boolean {
  return composites.has(fn);
}

/**
 * Runs a kernel on the device of its inputs. Not recorded on the tape.
 *
 * @throws {ShapeError} The shapes of the inputs violate the shape rule of the kernel.
 */
export function run<P extends Params, T extends Value>(
  kernel: Kernel<P>,
  inputs: readonly T[],
  ...params: ParamsOf<P>
): T {
  return dispatch(kernel, inputs, numbersOf(params), false);
}

/**
 * Runs a kernel that overwrites its first input: a parameter, optimizer state or running statistics. A later `backward`
 * that needs the old value throws.
 *
 * @throws {ValueError} The kernel cannot run in place.
 */
export function runInPlace<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Value[],
  ...params: ParamsOf<P>
): void {
  if (!kernel.inPlace) {
    const hint = 'use run, which returns a new tensor';
    throw new ValueError(kernel.name, 'this kernel cannot write into its input', hint);
  }
  dispatch(kernel, inputs, numbersOf(params), true);
}

/**
 * Runs a fusion: as one kernel if the device has fused kernels, otherwise kernel by kernel. Not recorded on the tape.
 */
export function runFused<P extends Params, T extends Value>(
  fusion: Fusion<P>,
  inputs: readonly T[],
  ...params: ParamsOf<P>
): readonly T[] {
  const [first] = inputs;
  const { home } = first;
  const numbers = numbersOf(params);
  if (home.runFused === undefined)
    return enclose(() => fusion.compose<T>({ run, update: runInPlace }, inputs, numbers), []);
  const outputs = home.runFused(fusion, inputs.map(storageOf), inputs.map(shapeOf), numbers);
  return outputs.map(({ storage, shape }) => track(first.like(storage, shape)));
}

function dispatch<P extends Params, T extends Value>(
  kernel: Kernel<P>,
  inputs: readonly T[],
  params: P,
  inPlace: boolean,
): T {
  const [first] = inputs;
  const shapes = inputs.map(shapeOf);
  const shape = kernel.shape(shapes, params);
  const storage = first.home.run(kernel, inputs.map(storageOf), shapes, shape, params, inPlace);
  return inPlace ? first : track(first.like(storage, shape));
}

/** The parameters of a call; none for a kernel without parameters. */
const numbersOf = <P extends Params>(params: ParamsOf<P>): P => (params[0] ?? noParams) as P;
const noParams = Object.freeze({});

const storageOf = ({ storage }: Value): Storage => storage;
const shapeOf = ({ extents }: Value): Shape => extents;

/** A tensor of the given values, on the device and of the element type of `like`. */
export function constant<T extends Value>(like: T, values: ArrayLike<number>, shape: Shape): T {
  return track(like.like(like.home.upload(values, like.dtype), shape));
}

function expectOneHome(op: string, inputs: readonly Value[]): void {
  for (const input of inputs) {
    if (input.home !== inputs[0].home) {
      const names = inputs.map((x) => x.device).join(', ');
      const hint =
        'call useDevice before making tensors, or copy one: tensor(await t.data(), { shape: t.shape })';
      throw new DeviceError(op, `tensors on different devices: ${names}`, hint);
    }
    if (input.dtype !== inputs[0].dtype) {
      const types = inputs.map((x) => x.dtype).join(', ');
      throw new DTypeError(op, `element types differ: ${types}`, 'make all tensors with the same dtype');
    }
  }
}
