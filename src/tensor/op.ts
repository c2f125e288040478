/** How an op is declared, once, with its forward and backward pass side by side; and how it runs kernels. */
import type { Fusion } from '../../kernels/fused/fusion.ts';
import type { Kernel, Params, ParamsOf, Shape } from '../../kernels/kernel.ts';
import type { Storage } from './device/device.ts';
import { DeviceError, DTypeError, ValueError } from './errors.ts';
import { enclose, keep, track } from './memory.ts';
import { noGrad, record } from './tape.ts';
import { Value } from './value.ts';

export { keep, track };

/** What `forward` may return instead of a value: the result `y`, and what `backward` needs beside it. */
export interface Kept {
  readonly y: Value;
}

/** An op, declared. T is the class of the gradients. */
export interface Definition<A extends readonly unknown[], Y extends Value | Kept, T extends Value = Value> {
  /** What error messages call it. */
  readonly name: string;
  /** Computes the result. Nothing that it computes is recorded. */
  readonly forward: (...args: A) => Y;
  /**
   * One thunk for each tensor among the arguments, in their order. `g` is the gradient of the result and has its shape;
   * `y` is what `forward` returned. The thunk of an input that requires no gradient is never called.
   */
  readonly backward: (g: T, y: Y, ...args: A) => readonly (() => T)[];
}

/** A differentiable function. Arguments that are tensors are its inputs; the others (an axis, a slope) are constants. */
export type Op<A extends readonly unknown[]> = <T extends Value>(...args: Arguments<A, T>) => T;

/** The tensors among the arguments are of one class, and so is the result. */
type Arguments<A extends readonly unknown[], T extends Value> = {
  [K in keyof A]: A[K] extends Value ? T : A[K];
};

/** Declares an op of the library. */
export function op<A extends readonly unknown[], Y extends Value | Kept = Value, T extends Value = Value>(
  definition: Definition<A, Y, T>,
): Op<A> {
  const { name, forward, backward } = definition;
  const call = (...args: A): Value => {
    const inputs = args.filter((arg) => arg instanceof Value);
    expectOneHome(name, inputs);
    return enclose(() => {
      const result = noGrad(() => forward(...args));
      const y = result instanceof Value ? result : result.y;
      const node = record(name, inputs, (g) => backward(g as T, result, ...args));
      if (node === null && !y.requiresGrad) return y;
      return y.like(y.storage, y.shape, node); // `forward` may have returned an input as it was
    });
  };
  return call as Op<A>;
}

/**
 * Declares a function of the library that is made of several ops, or that updates tensors in place: it keeps nothing of
 * what it is given, and of what it computes only its result is seen. An asynchronous one has to compute everything, and
 * begin all reads, before its first `await`.
 */
export function composite<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  const call = (...args: A): R => enclose(() => fn(...args));
  composites.add(call);
  return call;
}

const composites = new WeakSet<object>();

/** Whether a function was declared by `composite`. */
export function isComposite(fn: object): boolean {
  return composites.has(fn);
}

/** Runs a kernel: its shape rule, then its device. The result is not recorded. */
export function run<P extends Params, T extends Value>(
  kernel: Kernel<P>,
  inputs: readonly T[],
  ...[params]: ParamsOf<P>
): T {
  return dispatch(kernel, inputs, (params ?? {}) as P, false);
}

/**
 * Runs a kernel into its first input: a parameter, optimizer state, running statistics. A later `backward` that needs
 * the old value is refused.
 */
export function runInPlace<P extends Params>(
  kernel: Kernel<P>,
  inputs: readonly Value[],
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

/** Runs a fusion: as one kernel where the device can, else as the kernels it is composed of. Not recorded. */
export function runFused<P extends Params, T extends Value>(
  fusion: Fusion<P>,
  inputs: readonly T[],
  ...[params]: ParamsOf<P>
): readonly T[] {
  const numbers = (params ?? {}) as P;
  const [first] = inputs;
  const { home } = first;
  if (home.runFused === undefined) {
    const compose = () => fusion.compose<T>({ run, update: runInPlace }, inputs, numbers);
    return enclose(() => noGrad(compose));
  }
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

const storageOf = ({ storage }: Value): Storage => storage;
const shapeOf = ({ shape }: Value): Shape => shape;

/** Values on the device of `like`, of its element type. */
export function constant<T extends Value>(like: T, values: ArrayLike<number>, shape: Shape): T {
  return track(like.like(like.home.upload(values, like.dtype), shape));
}

function expectOneHome(op: string, inputs: readonly Value[]): void {
  const [first] = inputs;
  for (const input of inputs) {
    if (input.home !== first.home) {
      const names = inputs.map((x) => x.device).join(', ');
      const hint =
        'choose a device before any tensor is made, or copy: tensor(await t.data(), { shape: t.shape })';
      throw new DeviceError(op, `tensors on different devices: ${names}`, hint);
    }
    if (input.dtype !== first.dtype) {
      const types = inputs.map((x) => x.dtype).join(', ');
      throw new DTypeError(
        op,
        `element types differ: ${types}`,
        'give all tensors one dtype when they are made',
      );
    }
  }
}

/** `compute`, called at most once: for what several gradients share. */
export function once<T>(compute: () => T): () => T {
  let value: { readonly of: T } | null = null;
  return () => (value ??= { of: compute() }).of;
}
