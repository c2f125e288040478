/** The two element types. `float32` is the default everywhere; `float64` is what gradient checks use. */
export type FloatArray = Float32Array | Float64Array;

/** Any typed array whose elements are numbers (those of the two BigInt ones are not). */
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

/** The extent of each axis, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The numbers, other than sizes, that a kernel needs: an axis, a slope, ε, a learning rate. */
export type Params = Readonly<Record<string, number>>;

/** For kernels that take no parameters. */
export type NoParams = Readonly<Record<string, never>>;

/** `[P]`, or nothing for a kernel without parameters. */
export type ParamsOf<P extends Params> = Record<string, never> extends P ? [] : [params: P];

/** What one run moves and computes, so that benchmarks can print GB/s and GFLOP/s. */
export interface Cost {
  readonly bytes: number;
  readonly flops: number;
}

/**
 * One computation with one output, declared once for every device.
 *
 * `reference` is the definition of truth: the other forms are checked against it, and a device that has
 * no faster form runs it.
 */
export interface Kernel<P extends Params = Params> {
  readonly name: string;
  /** The formula, as it is printed in documentation and benchmarks. */
  readonly equation: string;
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Any number of inputs, at least one; `inputs` names the first two. */
  readonly variadic?: boolean;
  /** The only shape rule: ops inherit it. Throws {@link ShapeError} when the inputs do not fit. */
  shape(shapes: readonly Shape[], params: P): Shape;
  /** The loop bounds of `reference`, from shapes that `shape` has accepted. */
  sizes(shapes: readonly Shape[], params: P): readonly number[];
  /** Fills `y`. Plain loops; sums are accumulated in float64 whatever the element type. */
  reference(y: FloatArray, inputs: readonly FloatArray[], sizes: readonly number[], params: P): void;
  /**
   * The name of its WebAssembly export, which takes y, the inputs, the sizes and {@link params} in this order.
   * It reads float32; for inputs in float64 the reference runs.
   */
  readonly simd?: string;
  /** The numbers beside the sizes that its loops need, in the order in which `simd` takes them. */
  readonly params?: readonly string[];
  /** The output is kept in float64 where the device has it: batch statistics, at offsets up to 1e6. */
  readonly statistic?: boolean;
  /** `y` may be the first input: every element is read before it is written. */
  readonly inPlace?: boolean;
  cost(sizes: readonly number[]): Cost;
}

/** What a kernel declares itself when its family supplies the shape rule, the sizes and the cost. */
export type Definition<P extends Params> = Omit<Kernel<P>, 'shape' | 'sizes' | 'cost'>;

/** Declares a kernel. It returns its argument: it exists for the type, and as one word to search for. */
export function kernel<P extends Params = NoParams>(definition: Kernel<P>): Kernel<P> {
  return definition;
}
