import type { Params } from '../kernel.ts';

/**
 * A kernel for gpu.js: what one thread does, which computes one element of the output.
 *
 * gpu.js translates the text of `thread` into a shader, so it is self-contained: it calls nothing but `Math`, and
 * is an ordinary JavaScript function too, with `{ thread, constants }` as `this`. Arrays are flat, as in
 * `reference`. Forms are shipped as text that no minifier changes: `npm run build:kernels`.
 */
export interface GpuForm {
  /**
   * What the kernel's `sizes` are called, in their order. Each is a constant of the compiled kernel, as loop bounds
   * have to be: with an argument as its bound, a loop stops at 1,000 in silence. A size that `thread` takes as an
   * argument is no constant.
   */
  readonly sizes: readonly string[];
  /** How many threads there are along x, y and z: one for each element of the output, which is [z, y, x]. */
  readonly threads: (sizes: readonly number[]) => Threads;
  /**
   * Its arguments are the inputs, then whatever else it needs, by name: of the sizes, of the kernel's params, or of
   * what is derived from those.
   */
  readonly thread: Thread;
  /** Arguments that are computed before, in float64: in float32, 1 − 0.999 has lost half of its digits. */
  readonly derived?: Readonly<Record<string, (params: Params) => number>>;
}

export type Threads = readonly [x: number, y?: number, z?: number];

/** The inputs come first and are arrays; then numbers. An input that is not read has a name that begins with _. */
export type Thread = (this: GpuThread, ...args: never[]) => number;

/** What gpu.js gives a thread as `this`: which one it is, and the sizes. */
export interface GpuThread {
  readonly thread: { readonly x: number; readonly y: number; readonly z: number };
  readonly constants: Readonly<Record<string, number>>;
}

/** A form as it is shipped: `thread` is its text, and its arguments are listed. */
export interface GpuSource extends Omit<GpuForm, 'thread'> {
  readonly thread: string;
  /** The sizes that the text reads as constants: kernels that agree in them and in `threads` may be one. */
  readonly constants: readonly string[];
  /** The names of the arguments after the inputs. */
  readonly numbers: readonly string[];
}
