import type { Cost, Kernel, Params, ParamsOf, Shape } from '../kernel.ts';

/** What a fusion is composed with: kernels on tensors, or on their shapes alone. */
export interface Composer<T> {
  /** The kernel's output, in new memory. */
  readonly run: <P extends Params>(kernel: Kernel<P>, inputs: readonly T[], ...params: ParamsOf<P>) => T;
  /** The same, written into its first input. */
  readonly update: <P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly T[],
    ...params: ParamsOf<P>
  ) => void;
}

/**
 * Several kernels that a device may run as one, with fewer passes over memory and several outputs.
 *
 * `compose` is the definition of truth, and its only shape rule: what the fusion computes, said in kernels. The shapes
 * of its outputs follow from those of its inputs alone.
 * A device without a fused form runs just that. The fused form is checked against it.
 */
export interface Fusion<P extends Params = Params> {
  readonly name: string;
  /** What the inputs are called, in order. */
  readonly inputs: readonly string[];
  /** What the outputs are called, in order; none where inputs are updated in place. */
  readonly outputs: readonly string[];
  /** The inputs that are updated in place, by their index. */
  readonly updates?: readonly number[];
  compose<T>(composer: Composer<T>, inputs: readonly T[], params: P): readonly T[];
  /** The loop bounds of the fused form. */
  sizes(shapes: readonly Shape[], params: P): readonly number[];
  /**
   * The name of its WebAssembly export, which takes outputs, inputs, {@link scratch}, sizes and {@link params} in this
   * order.
   */
  readonly simd: string;
  /** The numbers beside the sizes that the fused form needs, in the order in which it takes them. */
  readonly params?: readonly string[];
  /** How many floats of memory the fused form works in, if any. */
  scratch?(sizes: readonly number[]): number;
  /** What the fused form moves and computes. */
  cost(sizes: readonly number[]): Cost;
}

/** Declares a fusion. Its WebAssembly export has the name of the fusion. */
export function fusion<P extends Params>(definition: Omit<Fusion<P>, 'simd'>): Fusion<P> {
  return { ...definition, simd: definition.name };
}
