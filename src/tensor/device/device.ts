import type { Fusion } from '../../../kernels/fused/fusion.ts';
import type { FloatArray, Kernel, Params, Shape } from '../../../kernels/kernel.ts';

export type DType = 'float32' | 'float64';
export type DeviceName = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

/** Memory that a device handed out. Only that device looks inside. */
export abstract class Storage {
  abstract readonly dtype: DType;
  /** The number of elements. */
  abstract readonly size: number;
  /** Counts updates in place, so that `backward` notices a value that changed after it was used. */
  version = 0;
  /** User code has it, and may keep it: what the library computed for itself, it must no longer free. */
  seen = false;
  /** The backward pass that has noted the following; see `Gradients`. */
  pass = 0;
  /** How many gradients on their way are made of it: one may be that of two values, or a view. */
  uses = 0;
  /** Whether the pass has allocated it, and not freed. */
  own = false;
}

/** What a fusion is about to put out. */
export interface OutputLike {
  readonly shape: Shape;
  /** Kept in float64 where the device has it. */
  readonly statistic: boolean;
}

/**
 * The boundary between tensors and what computes them. All but `read` return at once and take effect in
 * program order, so forward, backward and the optimizer's step are the same lines on every device.
 */
export interface Device {
  readonly name: DeviceName;
  readonly dtypes: readonly DType[];
  /** What runs the kernels: an engine, or a GPU's name. */
  readonly adapter: string;
  /** A GPU that is none: its work is done by the CPU. */
  readonly software?: boolean;
  /** It went away, with all that was on it. */
  readonly lost?: boolean;
  /** Copies the values, now. */
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
  /** Runs a fusion as one kernel, on a device that can; the others run the kernels it is composed of. */
  runFused?<P extends Params>(
    fusion: Fusion<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    outputs: readonly OutputLike[],
    params: P,
  ): readonly Storage[];
  /** A copy of the values. An earlier failure surfaces here. */
  read(storage: Storage): Promise<FloatArray>;
  /** The same at once; throws `DeviceError` on a device that cannot. */
  readSync(storage: Storage): FloatArray;
  /** Gives memory back, after all runs that were asked for before. */
  free(storage: Storage): void;
}
