/** The tensor: values on a device, and how they came about. Its methods name ops; see `ops.ts` for those. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { argmaxAxis } from '../../kernels/reduce.ts';
import { formatShape, resolveAxis, sameShape, sizeOf } from '../../kernels/shape.ts';
import { backward } from './autodiff.ts';
import { broadcastShape, view } from './broadcast.ts';
import { expectShape, type NestedArray, tensor } from './create.ts';
import type { Device, DeviceName, DType, Storage } from './device.ts';
import { expectNumber, ShapeError, ValueError } from './errors.ts';
import { run } from './op.ts';
import * as ops from './ops.ts';
import type { Node } from './tape.ts';

/** A tensor, or a number that stands for a tensor of that value. */
export type Operand = Tensor | number;

export interface ReduceOptions {
  /** Keep the reduced axis, with extent 1. */
  readonly keepDims?: boolean;
}

/** What a variance divides by: n, or n − 1 if unbiased. */
export interface VarianceOptions extends ReduceOptions {
  readonly unbiased?: boolean;
}

/**
 * An array of numbers of one type with a shape, on a device, that remembers how it was computed.
 *
 * Make one with {@link tensor}, {@link zeros}, {@link randn} and their like. Tensors are values: no method
 * changes one. (An optimizer's step and `loadStateDict` change parameters in place.)
 *
 * @example
 * ```ts
 * import { tensor } from 'gammabeta';
 *
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * const y = x.mul(x).sum(); // y = Σ x²
 * y.backward();
 * console.log(y.item(), x.grad?.toArray()); // 14 [ 2, 4, 6 ]
 * ```
 */
export class Tensor {
  /** The extent of each axis; `[]` for a single number. */
  readonly shape: Shape;
  /** Whether `backward()` computes a gradient for it. */
  requiresGrad: boolean;
  /** Where `backward()` adds its gradient, if it is a leaf: not itself the result of an op. */
  grad: Tensor | null = null;
  /** @internal The device that holds it. */
  readonly home: Device;
  /** @internal Its memory there. */
  readonly storage: Storage;
  /** @internal The op that made it, if that was taped. */
  readonly node: Node | null;

  /** @internal Use {@link tensor} and the other functions that make tensors. */
  constructor(
    storage: Storage,
    shape: Shape,
    home: Device,
    { requiresGrad = false, node = null }: { requiresGrad?: boolean; node?: Node | null } = {},
  ) {
    this.storage = storage;
    this.shape = shape;
    this.home = home;
    this.requiresGrad = requiresGrad;
    this.node = node;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  get dtype(): DType {
    return this.storage.dtype;
  }

  get device(): DeviceName {
    return this.home.name;
  }

  // ── arithmetic, with NumPy's broadcasting ────────────────────────────────────────────────────────────

  /** y = this + b. Shapes broadcast as in NumPy. @throws {ShapeError} They do not. */
  add(b: Operand): Tensor {
    return ops.add(...broadcast('add', this, b));
  }

  /** y = this − b. Shapes broadcast. @throws {ShapeError} They do not. */
  sub(b: Operand): Tensor {
    return ops.sub(...broadcast('sub', this, b));
  }

  /** y = this·b, element by element. Shapes broadcast. @throws {ShapeError} They do not. */
  mul(b: Operand): Tensor {
    return typeof b === 'number' ? ops.scale(this, b) : ops.mul(...broadcast('mul', this, b));
  }

  /** y = this / b. Shapes broadcast. @throws {ShapeError} They do not. */
  div(b: Operand): Tensor {
    return ops.div(...broadcast('div', this, b));
  }

  /** y = max(this, b). Shapes broadcast. A tie's gradient goes half to each, as in PyTorch. */
  maximum(b: Operand): Tensor {
    return ops.maximum(...broadcast('maximum', this, b));
  }

  /** y = −this. */
  neg(): Tensor {
    return ops.scale(this, -1);
  }

  /** y = thisᵖ for a constant power. @throws {ValueError} The power is not a finite number. */
  pow(power: number): Tensor {
    return ops.pow(this, expectNumber('pow', 'power', power));
  }

  // ── functions ────────────────────────────────────────────────────────────────────────────────────────

  /** y = eˣ. */
  exp(): Tensor {
    return ops.exp(this);
  }

  /** y = ln x; NaN below 0, −∞ at 0. */
  log(): Tensor {
    return ops.log(this);
  }

  /** y = √x; NaN below 0. */
  sqrt(): Tensor {
    return ops.sqrt(this);
  }

  /** y = |x|; the gradient at 0 is 0. */
  abs(): Tensor {
    return ops.abs(this);
  }

  /** y = max(0, x); NaN stays NaN. The gradient at 0 is 0. */
  relu(): Tensor {
    return ops.relu(this);
  }

  /** y = x for x > 0, else slope·x. @throws {ValueError} The slope is not a finite number. */
  leakyRelu(slope = 0.01): Tensor {
    return ops.leakyRelu(this, expectNumber('leakyRelu', 'slope', slope));
  }

  /** y = 1 / (1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }

  /** y = tanh x. */
  tanh(): Tensor {
    return ops.tanh(this);
  }

  /** exp(x) / Σ exp(x) along an axis. @throws {ShapeError} There is no such axis. */
  softmax(axis: number): Tensor {
    return ops.softmax(this, resolveAxis('softmax', this.shape, axis));
  }

  /** x − ln Σ exp(x) along an axis. @throws {ShapeError} There is no such axis. */
  logSoftmax(axis: number): Tensor {
    return ops.logSoftmax(this, resolveAxis('logSoftmax', this.shape, axis));
  }

  // ── matrices and shapes ──────────────────────────────────────────────────────────────────────────────

  /** y[i,j] = Σₚ this[i,p]·b[p,j]: [m, k] · [k, n] → [m, n]. @throws {ShapeError} They are no such matrices. */
  matmul(b: Tensor): Tensor {
    return ops.matmul(this, b);
  }

  /** The last two axes change places. @throws {ShapeError} There are fewer than two. */
  transpose(): Tensor {
    return ops.transpose(this);
  }

  /** The same values, in order, under another shape; one extent may be −1: what is left. @throws {ShapeError} The sizes differ. */
  reshape(shape: Shape): Tensor {
    return ops.reshape(this, inferShape(this.shape, shape));
  }

  /** All axes but the first become one: [n, …] → [n, the rest]. */
  flatten(): Tensor {
    const [n = 1, ...rest] = this.shape;
    return this.reshape([n, sizeOf(rest)]);
  }

  /**
   * The part from `begin` up to but not including `end`, along the first axis; or along each axis for which
   * arrays give a range. Negative indices count from the end. @throws {ShapeError} A range is not inside.
   */
  slice(begin: number | readonly number[], end?: number | readonly number[]): Tensor {
    const begins = typeof begin === 'number' ? [begin] : begin;
    const ends = end === undefined ? [] : typeof end === 'number' ? [end] : end;
    if (Math.max(begins.length, ends.length) > this.shape.length) {
      throw new ShapeError(
        'slice',
        `${Math.max(begins.length, ends.length)} ranges for shape ${formatShape(this.shape)}`,
        'give at most one range for each axis',
      );
    }
    return this.shape.reduce((y: Tensor, extent, axis) => {
      const from = fromFront('slice', begins[axis] ?? 0, extent);
      const to = fromFront('slice', ends[axis] ?? extent, extent);
      return from === 0 && to === extent ? y : ops.slice(y, axis, from, to);
    }, this);
  }

  /** The entries of the first axis at these indices, in their order. @throws {ValueError} An index is not inside. */
  gather(rows: ArrayLike<number>): Tensor {
    const [n] = this.shape;
    const wrong = Array.from(rows).find((row) => !Number.isInteger(row) || row < 0 || row >= n);
    if (this.shape.length === 0 || wrong !== undefined) {
      throw new ValueError(
        'gather',
        `index ${String(wrong)} into shape ${formatShape(this.shape)}`,
        'integers from 0 up to the first extent, exclusive',
      );
    }
    if (this.dtype === 'float32' && n > 2 ** 24) {
      throw new ValueError('gather', `${n} entries in float32`, 'indices are exact up to 2²⁴: slice first');
    }
    const indices = tensor(Float64Array.from(rows), { dtype: this.dtype, device: this.home });
    return ops.gather(this, { indices });
  }

  // ── reductions: over one axis, several, or all when none is given ────────────────────────────────────

  /** Σ x. @throws {ShapeError} There is no such axis. */
  sum(axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return reduce('sum', ops.sum, this, axis, options);
  }

  /** (1/n) Σ x. @throws {ShapeError} There is no such axis. @throws {ValueError} There are no values. */
  mean(axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    const total = this.sum(axis, options);
    const n = this.size / total.size;
    if (this.size > 0) return ops.scale(total, 1 / n);
    throw new ValueError('mean', `no values: shape ${formatShape(this.shape)}`, 'a mean needs at least one');
  }

  /**
   * (1/n) Σ (x − mean)², or (1/(n−1)) Σ (x − mean)² if `unbiased`. Biased by default, as in the BatchNorm
   * paper and NumPy; PyTorch's default is unbiased.
   *
   * The mean of the differences d = x − mean is not quite 0, for the mean was rounded; mean(d²) − mean(d)²
   * takes that error out again (Chan, Golub & LeVeque 1983).
   *
   * @throws {ShapeError} There is no such axis.
   * @throws {ValueError} There are no values, or only one where an unbiased variance is wanted.
   */
  variance(axis?: number | readonly number[], options: VarianceOptions = {}): Tensor {
    const { unbiased = false, ...rest } = options;
    const d = this.sub(this.mean(axis, { keepDims: true }));
    const biased = d.mul(d).mean(axis, rest).sub(d.mean(axis, rest).pow(2));
    if (!unbiased) return biased;
    const n = this.size / biased.size;
    if (n > 1) return biased.mul(n / (n - 1));
    throw new ValueError('variance', 'only one value', 'an unbiased variance needs two: it divides by n − 1');
  }

  /** The largest value; NaN if any is NaN. @throws {ShapeError} There is no such axis, or it is empty. */
  max(axis?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return reduce('max', ops.max, this, axis, options);
  }

  /** Where the largest value is along an axis: the first of equals. Has no gradient. @throws {ShapeError} There is no such axis. */
  argmax(axis: number): Tensor {
    const at = resolveAxis('argmax', this.shape, axis);
    return view(
      run(argmaxAxis, [this], { axis: at }),
      this.shape.filter((_, i) => i !== at),
    );
  }

  // ── gradients ────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds the gradient of this value to `.grad` of every leaf that it was computed from and that
   * `requiresGrad`. The graph is freed; gradients add up over calls until they are set to null.
   *
   * @param g The gradient to begin with, of this tensor's shape; may be left out for a single value (then 1).
   * @throws {GraphError} No gradient is needed, the graph was freed, or a value was changed in place since.
   * @throws {ShapeError} g has another shape.
   */
  backward(g?: Tensor): void {
    backward(this, g);
  }

  /** The same values, cut off from how they were computed: no gradient flows through. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape, this.home);
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────

  /** A copy of the values, in order; works on every device. */
  async data(): Promise<FloatArray> {
    return this.home.read(this.storage);
  }

  /** A copy of the values, at once. @throws {DeviceError} The device cannot read at once. */
  dataSync(): FloatArray {
    return this.home.readSync(this.storage);
  }

  /** The values as nested arrays; a number if there are no axes. @throws {DeviceError} The device cannot read at once. */
  toArray(): number | NestedArray {
    return nest(this.dataSync(), this.shape);
  }

  /** The value of a tensor that holds one. @throws {ShapeError} It holds more or none. @throws {DeviceError} The device cannot read at once. */
  item(): number {
    if (this.size === 1) return this.dataSync()[0];
    throw new ShapeError(
      'item',
      `${this.size} values in shape ${formatShape(this.shape)}`,
      'only a single value is an item; toArray() gives all',
    );
  }

  toString(): string {
    const gradient = this.requiresGrad ? ', requiresGrad' : '';
    return `Tensor(${formatShape(this.shape)}, ${this.dtype}, ${this.device}${gradient})`;
  }
}

/**
 * Tensors one after the other along an axis; their other extents are equal.
 *
 * @throws {ShapeError} They do not fit, or there are none.
 * @example
 * ```ts
 * import { concat, tensor } from 'gammabeta';
 *
 * console.log(concat([tensor([[1, 2]]), tensor([[3, 4]])], 0).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (tensors.length === 0) throw new ShapeError('concat', 'no tensors', 'give at least one');
  return ops.concat(resolveAxis('concat', first.shape, axis), ...tensors);
}

/** Both operands at their common shape. */
function broadcast(op: string, a: Tensor, b: Operand): [Tensor, Tensor] {
  const other = typeof b === 'number' ? tensor(b, { dtype: a.dtype, device: a.home }) : b;
  const shape = broadcastShape(op, a.shape, other.shape);
  const expanded = (x: Tensor) => (sameShape(x.shape, shape) ? x : ops.expand(x, shape));
  return [expanded(a), expanded(other)];
}

/** Applies a reduction of one axis to each axis that is meant. */
function reduce(
  name: string,
  op: (x: Tensor, axis: number) => Tensor,
  x: Tensor,
  axis: number | readonly number[] | undefined,
  { keepDims = false }: ReduceOptions,
): Tensor {
  const axes = axis === undefined ? x.shape.map((_, i) => i) : typeof axis === 'number' ? [axis] : axis;
  const resolved = axes.map((a) => resolveAxis(name, x.shape, a)).sort((a, b) => b - a);
  if (new Set(resolved).size < resolved.length) {
    throw new ShapeError(name, `an axis is named twice: [${axes.join(', ')}]`, 'name each axis once');
  }
  if (axis === undefined && !keepDims) return overAll(op, x);
  const y = resolved.reduce((part, at) => op(part, at), x);
  if (keepDims) return y;
  return ops.reshape(
    y,
    x.shape.filter((_, i) => !resolved.includes(i)),
  );
}

/** Over all elements: as one axis, in one pass. */
function overAll(op: (x: Tensor, axis: number) => Tensor, x: Tensor): Tensor {
  return ops.reshape(op(ops.reshape(x, [x.size]), 0), []);
}

/** A new shape of the same size; −1 stands for what the other extents leave. */
function inferShape(from: Shape, to: Shape): Shape {
  const unknown = to.filter((extent) => extent === -1).length;
  const known = sizeOf(to.filter((extent) => extent !== -1));
  const rest = sizeOf(from) / known;
  const shape =
    unknown === 1 && Number.isInteger(rest) ? to.map((extent) => (extent === -1 ? rest : extent)) : to;
  if (unknown <= 1 && sizeOf(shape) === sizeOf(from)) return expectShape('reshape', shape);
  throw new ShapeError(
    'reshape',
    `${formatShape(from)} (${sizeOf(from)} values) does not fill ${formatShape(to)}`,
    'the product of the extents must stay the same; one extent may be -1',
  );
}

/** An index from the front, as JavaScript's own `slice` reads negative ones; not beyond the ends, as that one clips. */
function fromFront(op: string, index: number, extent: number): number {
  const front = index < 0 ? index + extent : index;
  if (Number.isInteger(front) && front >= 0 && front <= extent) return front;
  throw new ShapeError(op, `index ${index} is outside an axis of ${extent}`, `use -${extent} … ${extent}`);
}

function nest(values: FloatArray, shape: Shape): number | NestedArray {
  if (shape.length === 0) return values[0];
  const [n, ...rest] = shape;
  if (rest.length === 0) return Array.from(values);
  const inner = sizeOf(rest);
  return Array.from(
    { length: n },
    (_, i) => nest(values.subarray(i * inner, (i + 1) * inner), rest) as NestedArray,
  );
}
