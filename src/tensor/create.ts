/** Tensors from values. */
import type { NumericArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import type { Device, DType } from './device/device.ts';
import { currentDevice } from './device/current.ts';
import { DTypeError, expectInteger, expectNumber, expectOptions, ShapeError, ValueError } from './errors.ts';
import { expectShape } from './indexing.ts';
import { track } from './op.ts';
import { type Stream, streams } from './random.ts';
import { Tensor } from './tensor.ts';

export interface TensorOptions {
  /** `float32` by default; `float64` on the `cpu` device only. */
  readonly dtype?: DType;
  /** Whether `backward()` is to compute its gradient. */
  readonly requiresGrad?: boolean;
  /** Where it is made; the current device by default. */
  readonly device?: Device;
}

const optionNames = ['dtype', 'requiresGrad', 'device'] as const satisfies (keyof TensorOptions)[];

/** Numbers nested to any depth, as long as no row is longer than another. */
export type NestedArray = readonly (number | NestedArray)[];

/** What `tensor` takes: a number, nested arrays of numbers, or a typed array. */
export type TensorData = number | NestedArray | NumericArray;

/**
 * A tensor with a copy of the values given.
 *
 * @param data A number, nested arrays of numbers, or a typed array.
 * @param options.shape Its shape; otherwise that of the nesting, or [length] for a typed array.
 * @throws {ShapeError} Ragged nesting, or a shape of another size than the data.
 * @throws {ValueError} Something among the data is no number.
 * @throws {DTypeError} The device does not have that element type.
 * @example
 * ```ts
 * import { tensor } from 'gammabeta';
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * console.log(x.shape); // [ 2, 3 ]
 * console.log(tensor(new Uint8Array([0, 128, 255]), { shape: [3, 1] }).toArray()); // [ [ 0 ], [ 128 ], [ 255 ] ]
 * ```
 */
export function tensor(data: TensorData, options: TensorOptions & { readonly shape?: Shape } = {}): Tensor {
  expectOptions('tensor', options, ['shape', ...optionNames]);
  if (ArrayBuffer.isView(data)) expectNumbers(data);
  const values = ArrayBuffer.isView(data) ? data : flatten(data);
  const natural = ArrayBuffer.isView(data) ? [data.length] : nesting(data);
  const shape = options.shape === undefined ? natural : expectShape('tensor', options.shape);
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError(
      'tensor',
      `${values.length} values for shape ${formatShape(shape)}, which holds ${sizeOf(shape)}`,
      'the product of the extents must be the number of values',
    );
  }
  return fromValues('tensor', values, shape, options);
}

/**
 * A tensor of zeros. Also an initializer, as in `new Dense(2, 3, { init: zeros })`.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @example
 * ```ts
 * import { zeros } from 'gammabeta';
 *
 * console.log(zeros([2, 2]).toArray()); // [ [ 0, 0 ], [ 0, 0 ] ]
 * ```
 */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/**
 * A tensor of ones. Also an initializer.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @example
 * ```ts
 * import { ones } from 'gammabeta';
 *
 * console.log(ones([3]).toArray()); // [ 1, 1, 1 ]
 * ```
 */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}

/**
 * A tensor with one value everywhere.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @example
 * ```ts
 * import { full } from 'gammabeta';
 *
 * console.log(full([2], 0.5).toArray()); // [ 0.5, 0.5 ]
 * ```
 */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return filled('full', shape, value, options);
}

/**
 * The identity matrix: ones where row and column are equal, n × n.
 * @throws {ValueError} n is not an integer ≥ 0.
 * @example
 * ```ts
 * import { eye } from 'gammabeta';
 *
 * console.log(eye(2).toArray()); // [ [ 1, 0 ], [ 0, 1 ] ]
 * ```
 */
export function eye(n: number, options: TensorOptions = {}): Tensor {
  expectOptions('eye', options, optionNames);
  expectInteger('eye', 'n', n, 0);
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  return fromValues('eye', values, [n, n], options);
}

/**
 * start, start + step, … up to but not including stop, as in NumPy; `arange(n)` is 0 … n−1.
 * @throws {ValueError} A bound is not finite, or the step is 0.
 * @example
 * ```ts
 * import { arange } from 'gammabeta';
 *
 * console.log(arange(4).toArray()); // [ 0, 1, 2, 3 ]
 * console.log(arange(1, 2, 0.25).toArray()); // [ 1, 1.25, 1.5, 1.75 ]
 * ```
 */
export function arange(start: number, stop?: number, step = 1, options: TensorOptions = {}): Tensor {
  expectOptions('arange', options, optionNames);
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  expectNumber('arange', 'start', from);
  expectNumber('arange', 'stop', to);
  expectNumber('arange', 'step', step);
  if (step === 0) throw new ValueError('arange', 'step is 0', 'use a step towards stop');
  const shape = expectShape('arange', [Math.max(0, Math.ceil((to - from) / step))]);
  const values = new Float64Array(sizeOf(shape)).map((_, i) => from + i * step);
  return fromValues('arange', values, shape, options);
}

/**
 * Normal values with mean 0 and deviation 1, from the initialization stream of {@link manualSeed}.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @example
 * ```ts
 * import { manualSeed, randn } from 'gammabeta';
 *
 * manualSeed(1);
 * const x = randn([10000]);
 * console.log(Math.abs(x.mean().item()) < 0.03); // true
 * ```
 */
export function randn(shape: Shape, options: TensorOptions = {}): Tensor {
  return drawn('randn', shape, (stream) => stream.normal(), options);
}

/**
 * Uniform values from `low` to `high`, from the initialization stream of {@link manualSeed}. As in NumPy,
 * `high` itself can come up through rounding to float32.
 * @throws {ShapeError} An extent is not an integer ≥ 0.
 * @throws {ValueError} A bound is not finite, or low > high.
 * @example
 * ```ts
 * import { uniform } from 'gammabeta';
 *
 * const x = uniform([1000], -1, 1);
 * console.log(x.abs().max().item() <= 1); // true
 * ```
 */
export function uniform(shape: Shape, low = 0, high = 1, options: TensorOptions = {}): Tensor {
  expectNumber('uniform', 'low', low);
  expectNumber('uniform', 'high', high, { from: low });
  return drawn('uniform', shape, (stream) => low + (high - low) * stream.uniform(), options);
}

/** A tensor of draws from the initialization stream: what `randn`, `uniform` and the initializers share. */
export function drawn(
  op: string,
  shape: Shape,
  draw: (stream: Stream) => number,
  options: TensorOptions = {},
): Tensor {
  expectOptions(op, options, optionNames);
  const values = new Float64Array(sizeOf(expectShape(op, shape)));
  for (let i = 0; i < values.length; i++) values[i] = draw(streams.initialization);
  return fromValues(op, values, shape, options);
}

function filled(op: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  expectOptions(op, options, optionNames);
  const size = sizeOf(expectShape(op, shape));
  const values = options.dtype === 'float64' ? new Float64Array(size) : new Float32Array(size);
  return fromValues(op, value === 0 ? values : values.fill(value), shape, options);
}

function fromValues(op: string, values: ArrayLike<number>, shape: Shape, options: TensorOptions): Tensor {
  const { dtype = 'float32', requiresGrad = false, device = currentDevice() } = options;
  if (!device.dtypes.includes(dtype)) {
    throw new DTypeError(
      op,
      `the device '${device.name}' has no ${dtype}`,
      device.dtypes.includes('float64')
        ? `use ${device.dtypes.join(' or ')}`
        : "useDevice('cpu') has float64",
    );
  }
  return track(new Tensor(device.upload(values, dtype), [...shape], device, null, requiresGrad));
}

function expectNumbers(data: ArrayBufferView): void {
  if (!(data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array)) return;
  throw new ValueError(
    'tensor',
    `a ${data.constructor.name} holds no numbers`,
    'convert it, as in Float64Array.from(data, Number)',
  );
}

function nesting(data: unknown): Shape {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

/** All numbers of nested arrays in order; each must be nested as the first one is. */
function flatten(data: number | NestedArray): number[] {
  const shape = nesting(data);
  const values: number[] = [];
  const visit = (part: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof part === 'number') values.push(part);
      else if (Array.isArray(part)) throw ragged(shape, axis, `an array of ${part.length}`);
      else throw new ValueError('tensor', `not a number: ${String(part)}`, 'tensors hold numbers');
      return;
    }
    if (!Array.isArray(part)) {
      if (typeof part === 'number') throw ragged(shape, axis, `the number ${part}`);
      throw new ValueError('tensor', `not a number: ${String(part)}`, 'tensors hold numbers');
    }
    if (part.length !== shape[axis]) throw ragged(shape, axis, `an array of ${part.length}`);
    for (const child of part) visit(child, axis + 1);
  };
  visit(data, 0);
  return values;
}

function ragged(shape: Shape, axis: number, found: string): ShapeError {
  const expected = axis === shape.length ? 'a number' : `an array of ${shape[axis]}`;
  return new ShapeError(
    'tensor',
    `ragged nesting: ${found} where ${expected} was expected`,
    'make all rows equally long',
  );
}
