/** The interface of a device: what tensors need from the code that computes them. */
import type { Fusion } from '../../../kernels/fused/fusion.ts';
import type { FloatArray, Kernel, Params, Shape } from '../../../kernels/kernel.ts';

export type DType = 'float32' | 'float64';
export type DeviceName = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

/** The matrix products of a `webgpu` device: those that gpu.js compiles, or those in tiles. */
export type ProductForm = 'gpu.js' | 'tiled';

/** Which matrix products a `webgpu` device uses, and why. */
export interface Products {
  readonly form: ProductForm;
  /** Who chose it: the caller of `useDevice`, a measurement with its result, or nobody yet. */
  readonly reason: string;
}

/** Memory on a device. Only the device itself reads its contents. */
export interface Storage {
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;
  /** The number of updates in place. `backward` compares it to detect that a value changed after an op used it. */
  version: number;
}

/** One output of a fusion. */
export interface Output {
  readonly storage: Storage;
  readonly shape: Shape;
}

/**
 * Computes kernels and holds memory: `cpu`, `wasm`, `webgl` or `webgpu`. All methods except `read` return without
 * waiting, and take effect in program order. So the same synchronous code trains on every device, and only reading is
 * awaited.
 */
export interface Device {
  readonly name: DeviceName;
  /** The element types that it supports. */
  readonly dtypes: readonly DType[];
  /** What runs the kernels: a JavaScript or WebAssembly engine, or the name of a GPU. */
  readonly adapter: string;
  /** Whether it is a software GPU (SwiftShader, llvmpipe), which runs on the processor. */
  readonly software?: boolean;
  /** Whether the GPU was lost with all its tensors. Undefined on devices that cannot be lost. */
  readonly lost?: boolean;
  /** On `wasm`: the number of threads, and why there are no more. */
  readonly threads?: { readonly count: number; readonly reason: string };
  /** @internal Changes the number of threads. Resolves when the code for threads is loaded. */
  setThreads?(threads: { readonly count: number; readonly reason: string }): Promise<void>;
  /** On `webgpu`: which matrix products run, and why. */
  readonly products?: Products | undefined;
  /** On `webgpu`: the kernels that the driver refused, with its reasons. Slower kernels run in their place. */
  readonly refused?: readonly string[] | undefined;
  /** @internal On `webgpu`: chooses the matrix products; undefined leaves the choice to a measurement. */
  chooseProducts?(form: ProductForm | undefined): void;
  /** @internal Copies the values into new memory, before it returns. */
  upload(values: ArrayLike<number>, dtype: DType): Storage;
  /** @internal Runs a kernel. The output, of shape `shape`, is new memory, or the first input if `inPlace`. */
  run<P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    shape: Shape,
    params: P,
    inPlace: boolean,
  ): Storage;
  /**
   * @internal Runs a fusion as one kernel. On a device without this method, `op.ts` runs the kernels of the fusion one by one.
   */
  runFused?<P extends Params>(
    fusion: Fusion<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    params: P,
  ): readonly Output[];
  /** @internal A copy of the values. If an earlier kernel failed, the promise is rejected with its error. */
  read(storage: Storage): Promise<FloatArray>;
  /** @internal A copy of the values, without a promise. Throws `DeviceError` if the device cannot read synchronously. */
  readSync(storage: Storage): FloatArray;
  /** @internal Frees memory, after the kernels that were run before have finished. */
  free(storage: Storage): void;
}
