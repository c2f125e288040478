import type { Params } from '../kernel.ts';

/**
 * The GPU form of a kernel: the function that one thread runs to compute one element of the output.
 *
 * gpu.js translates the text of `thread` into a shader, so it must be self-contained: it calls nothing but `Math`. It
 * is also an ordinary JavaScript function, with `{ thread, constants }` as `this`. Arrays are flat, as in `reference`.
 * `npm run build:kernels` ships forms as text, which no minifier can change.
 */
export interface GpuForm {
  /**
   * The names of the kernel's `sizes`, in order. Each size is a constant of the compiled kernel, as loop bounds have to
   * be: gpu.js silently stops a loop at 1,000 if its bound is an argument. A size that `thread` takes as an argument is
   * not a constant.
   */
  readonly sizes: readonly string[];
  /** The number of threads along x, y and z: one per element of the output, whose shape is [z, y, x]. */
  readonly threads: (sizes: readonly number[]) => Threads;
  /**
   * Its arguments are the inputs, then numbers by name: sizes, the kernel's params, or values `derived` from those.
   */
  readonly thread: Thread;
  /** Arguments that are computed beforehand in float64: in float32, 1 − 0.999 loses half of its digits. */
  readonly derived?: Readonly<Record<string, (params: Params) => number>>;
}

export type Threads = readonly [x: number, y?: number, z?: number];

/** The arguments are the inputs (arrays), then numbers. The name of an input that is not read begins with _. */
export type Thread = (this: GpuThread, ...args: never[]) => number;

/** The `this` of a thread: its position, and the sizes. */
export interface GpuThread {
  readonly thread: { readonly x: number; readonly y: number; readonly z: number };
  readonly constants: Readonly<Record<string, number>>;
}

/** A form as it is shipped: `thread` is text, and its arguments are listed. */
export interface GpuSource extends Omit<GpuForm, 'thread'> {
  readonly thread: string;
  /** The sizes that the text reads as constants. If these and the threads agree, calls share one compiled kernel. */
  readonly constants: readonly string[];
  /** The names of the arguments after the inputs. */
  readonly numbers: readonly string[];
}
