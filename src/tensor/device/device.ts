import type { Fusion } from '../../../kernels/fused/fusion.ts';
import type { FloatArray, Kernel, Params, Shape } from '../../../kernels/kernel.ts';

export type DType = 'float32' | 'float64';
export type DeviceName = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

/** Memory on a device. Only that device looks inside. */
export interface Storage {
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;
  /** The number of updates in place, by which `backward` notices that a value changed after it was used. */
  version: number;
}

/** One result of a fusion. */
export interface Output {
  readonly storage: Storage;
  readonly shape: Shape;
}

/**
 * The boundary between tensors and what computes them. All methods except `read` return at once and take effect in
 * program order, so forward, backward and the optimizer's step are the same lines on every device.
 */
export interface Device {
  readonly name: DeviceName;
  readonly dtypes: readonly DType[];
  /** What runs the kernels: an engine, or the name of a GPU. */
  readonly adapter: string;
  /** A software GPU (SwiftShader, llvmpipe). */
  readonly software?: boolean;
  /** Whether the GPU was lost, with everything on it. */
  readonly lost?: boolean;
  /** Copies the values at the time of the call. */
  upload(values: ArrayLike<number>, dtype: DType): Storage;
  /** Runs a kernel into new memory, or in place into its first input. `shape` is the output's. */
  run<P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    shape: Shape,
    params: P,
    inPlace: boolean,
  ): Storage;
  /** Runs a fusion as one kernel. A device without this method runs the kernels that the fusion is composed of. */
  runFused?<P extends Params>(
    fusion: Fusion<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    params: P,
  ): readonly Output[];
  /** A copy of the values. An earlier failure surfaces here. */
  read(storage: Storage): Promise<FloatArray>;
  /** A copy of the values, without a promise. Throws `DeviceError` on a device that cannot. */
  readSync(storage: Storage): FloatArray;
  /** Frees memory, after all runs that were requested before. */
  free(storage: Storage): void;
}
