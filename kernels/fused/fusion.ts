import type { Cost, Kernel, Params, ParamsOf, Shape } from '../kernel.ts';

/** Runs the kernels that a fusion is composed of: on tensors, or on shapes alone. */
export interface Composer<T> {
  /** Runs a kernel. Its output is new memory. */
  readonly run: <P extends Params>(kernel: Kernel<P>, inputs: readonly T[], ...params: ParamsOf<P>) => T;
  /** Runs a kernel that writes its output into its first input. */
  readonly update: <P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly T[],
    ...params: ParamsOf<P>
  ) => void;
}

/**
 * Several kernels that a device may run as one, with fewer passes over memory. A fusion may have several outputs.
 *
 * `compose` is the definition of truth and the only shape rule: it says in kernels what the fusion computes. The shapes
 * of the outputs depend only on the shapes of the inputs and on {@link shapedBy}. A device without a fused form runs
 * `compose`; a fused form is checked against it.
 */
export interface Fusion<P extends Params = Params> {
  /** Also the name of its WebAssembly export, which takes outputs, inputs, {@link scratch}, sizes and {@link params}. */
  readonly name: string;
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** The names of the outputs, in order. Empty if the fusion only updates inputs. */
  readonly outputs: readonly string[];
  /** The indices of the inputs that are updated in place. */
  readonly updates?: readonly number[];
  compose<T>(composer: Composer<T>, inputs: readonly T[], params: P): readonly T[];
  /** The parameter on which the shapes depend, if there is one. It is among the {@link sizes}. */
  readonly shapedBy?: string;
  /** The loop bounds of the fused form. */
  sizes(shapes: readonly Shape[], params: P): readonly number[];
  /** The numbers that the fused form takes after the sizes, in order. */
  readonly params?: readonly string[];
  /** The number of floats that the fused form needs as working memory. */
  scratch?(sizes: readonly number[]): number;
  /** The memory traffic and arithmetic of the fused form. */
  cost(sizes: readonly number[]): Cost;
}
