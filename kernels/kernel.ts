/** The two element types. `float32` is the default everywhere; `float64` is what gradient checks use. */
export type FloatArray = Float32Array | Float64Array;

/** Any typed array of numbers, that is, all except the two of BigInt. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** The extent of each axis, outermost first. `[]` is the shape of a scalar. */
export type Shape = readonly number[];

/** The numbers that a kernel needs besides sizes: an axis, a slope, ε, a learning rate. */
export type Params = Readonly<Record<string, number>>;

/** For kernels that take no parameters. */
export type NoParams = Readonly<Record<string, never>>;

/** `[P]`, or nothing for a kernel without parameters. */
export type ParamsOf<P extends Params> = Record<string, never> extends P ? [] : [params: P];

/** The memory traffic and arithmetic of one run, from which benchmarks compute GB/s and GFLOP/s. */
export interface Cost {
  readonly bytes: number;
  readonly flops: number;
}

/**
 * One computation with one output, declared once for every device.
 *
 * `reference` is the definition of truth: all other forms are checked against it, and a device without a faster form
 * runs it.
 */
export interface Kernel<P extends Params = Params> {
  readonly name: string;
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Any number of inputs, at least one; `inputs` names the first two. */
  readonly variadic?: boolean;
  /** The shape of the output. Ops use this rule too. Throws {@link ShapeError} if the inputs do not fit. */
  shape(shapes: readonly Shape[], params: P): Shape;
  /** The loop bounds of `reference`, from shapes that `shape` accepts. */
  sizes(shapes: readonly Shape[], params: P): readonly number[];
  /** Fills `y`, in plain loops. Sums are accumulated in float64, whatever the element type. */
  reference(y: FloatArray, inputs: readonly FloatArray[], sizes: readonly number[], params: P): void;
  /**
   * The name of its WebAssembly export, which takes y, the inputs, the sizes and {@link params}, in this order.
   * It is for float32; with float64 inputs the reference runs.
   */
  readonly simd?: string;
  /** The names of the parameters that `simd` takes after the sizes, in order. */
  readonly params?: readonly string[];
  /** The output is float64 if the device has it: batch statistics must be exact at offsets up to 1e6. */
  readonly statistic?: boolean;
  /** `y` may be the first input, because every element is read before it is written. */
  readonly inPlace?: boolean;
  cost(sizes: readonly number[]): Cost;
}

/** A kernel that works along one axis. */
export type AxisKernel = Kernel<{ axis: number }>;

/** The loops that fill the output of a kernel. */
export type Loops<P extends Params = NoParams> = Kernel<P>['reference'];

/** What a kernel declares beside its loops when its family supplies the shape rule, the sizes and the cost. */
export type Definition<P extends Params = NoParams> = Omit<
  Kernel<P>,
  'shape' | 'sizes' | 'reference' | 'cost'
>;
