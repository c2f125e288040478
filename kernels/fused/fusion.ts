import type { Kernel, Params, ParamsOf } from '../kernel.ts';

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
 * `compose` is the definition of truth and the only shape rule: it says in kernels what the fusion computes. A device
 * without a fused form runs it; a fused form is checked against it. How fused forms are called is in `forms.ts`.
 *
 * The parameters change no shapes, except {@link shapedBy}, and not which inputs are updated.
 */
export interface Fusion<P extends Params = Params> {
  readonly name: string;
  compose<T>(composer: Composer<T>, inputs: readonly T[], params: P): readonly T[];
  /** The parameter on which the shapes of the outputs depend, if there is one. */
  readonly shapedBy?: string;
}

/** The parameters of a fusion. */
export type FusionParams<F> = F extends Fusion<infer P> ? P : never;
