/** The tensor: values on a device, and how they were computed. Its methods call ops; see `ops.ts` for those. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { argmaxAxis } from '../../kernels/reduce.ts';
import { formatShape, resolveAxis } from '../../kernels/shape.ts';
import { backward, gradientOf, setGradient } from './autodiff.ts';
import { view } from './broadcast.ts';
import type { NestedArray } from './create.ts';
import type { Device, Storage } from './device/device.ts';
import { expectNumber, expectOptions, ShapeError, ValueError } from './errors.ts';
import { fromFront, inferShape, nest } from './indexing.ts';
import { constant, run } from './op.ts';
import { operands } from './operands.ts';
import * as ops from './ops.ts';
import { type Axes, meanOver, reduce } from './reduction.ts';
import { showAsString } from './show.ts';
import type { Node } from './tape.ts';
import { Value } from './value.ts';

/** A tensor, or a number that stands for a tensor of that value. */
export type Operand = Tensor | number;

export interface VarianceOptions {
  /** Divide by n − 1 instead of n. False. */
  readonly unbiased?: boolean;
  /** Keep the reduced axes, with extent 1. False. */
  readonly keepDims?: boolean;
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
export class Tensor extends Value {
  /** @internal A leaf. Use {@link tensor} and the other functions that make tensors. */
  static leaf(storage: Storage, shape: Shape, home: Device, requiresGrad: boolean): Tensor {
    return new Tensor(storage, shape, home, null, requiresGrad);
  }

  /** @internal Another tensor on this device, as the result of an op. */
  override like(storage: Storage, shape: Shape, node: Node | null = null): this {
    return new Tensor(storage, shape, this.home, node, node !== null) as this;
  }

  /** Where `backward()` adds its gradient, if it is a leaf: not itself the result of an op. */
  get grad(): Tensor | null {
    return gradientOf(this) as Tensor | null;
  }

  set grad(g: Tensor | null) {
    setGradient(this, g);
  }

  // ── arithmetic, with NumPy's broadcasting ────────────────────────────────────────────────────────────

  /**
   * y = this + b. Shapes broadcast as in NumPy.
   * @throws {ShapeError} They do not.
   * @example tensor([[1, 2], [3, 4]]).add(tensor([10, 20])).toArray() // [ [ 11, 22 ], [ 13, 24 ] ]
   */
  add(b: Operand): Tensor {
    return ops.add(...operands('add', this, b));
  }

  /**
   * y = this − b. Shapes broadcast.
   * @throws {ShapeError} They do not.
   * @example tensor([1, 2]).sub(1).toArray() // [ 0, 1 ]
   */
  sub(b: Operand): Tensor {
    return ops.sub(...operands('sub', this, b));
  }

  /**
   * y = this·b, element by element. Shapes broadcast.
   * @throws {ShapeError} They do not.
   * @example tensor([1, 2]).mul(tensor([[1], [3]])).toArray() // [ [ 1, 2 ], [ 3, 6 ] ]
   */
  mul(b: Operand): Tensor {
    return typeof b === 'number' ? ops.scale(this, b) : ops.mul(...operands('mul', this, b));
  }

  /**
   * y = this / b. Shapes broadcast.
   * @throws {ShapeError} They do not.
   * @example tensor([1, 2]).div(2).toArray() // [ 0.5, 1 ]
   */
  div(b: Operand): Tensor {
    return ops.div(...operands('div', this, b));
  }

  /**
   * y = max(this, b). Shapes broadcast. A tie's gradient goes half to each, as in PyTorch.
   * @example tensor([1, 4]).maximum(3).toArray() // [ 3, 4 ]
   */
  maximum(b: Operand): Tensor {
    return ops.maximum(...operands('maximum', this, b));
  }

  /**
   * y = −this.
   * @example tensor([1, -2]).neg().toArray() // [ -1, 2 ]
   */
  neg(): Tensor {
    return ops.scale(this, -1);
  }

  /**
   * y = thisᵖ for a constant power.
   * @throws {ValueError} The power is not a finite number.
   * @example tensor([2, 3]).pow(2).toArray() // [ 4, 9 ]
   */
  pow(power: number): Tensor {
    return ops.pow(this, expectNumber('pow', 'power', power));
  }

  // ── functions ────────────────────────────────────────────────────────────────────────────────────────

  /**
   * y = eˣ.
   * @example tensor([0]).exp().toArray() // [ 1 ]
   */
  exp(): Tensor {
    return ops.exp(this);
  }

  /**
   * y = ln x; NaN below 0, −∞ at 0.
   * @example tensor([1]).log().toArray() // [ 0 ]
   */
  log(): Tensor {
    return ops.log(this);
  }

  /**
   * y = √x; NaN below 0.
   * @example tensor([4, 9]).sqrt().toArray() // [ 2, 3 ]
   */
  sqrt(): Tensor {
    return ops.sqrt(this);
  }

  /**
   * y = |x|; the gradient at 0 is 0.
   * @example tensor([1, -2]).abs().toArray() // [ 1, 2 ]
   */
  abs(): Tensor {
    return ops.abs(this);
  }

  /**
   * y = max(0, x); NaN stays NaN. The gradient at 0 is 0.
   * @example tensor([-1, 2]).relu().toArray() // [ 0, 2 ]
   */
  relu(): Tensor {
    return ops.relu(this);
  }

  /**
   * y = x for x > 0, else slope·x.
   * @throws {ValueError} The slope is not a finite number.
   * @example tensor([-1, 2]).leakyRelu(0.5).toArray() // [ -0.5, 2 ]
   */
  leakyRelu(slope = 0.01): Tensor {
    return ops.leakyRelu(this, expectNumber('leakyRelu', 'slope', slope));
  }

  /**
   * y = 1 / (1 + e⁻ˣ).
   * @example tensor([0]).sigmoid().toArray() // [ 0.5 ]
   */
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }

  /**
   * y = tanh x.
   * @example tensor([0]).tanh().toArray() // [ 0 ]
   */
  tanh(): Tensor {
    return ops.tanh(this);
  }

  /**
   * exp(x) / Σ exp(x) along an axis.
   * @throws {ShapeError} There is no such axis.
   * @example tensor([[2, 2]]).softmax(1).toArray() // [ [ 0.5, 0.5 ] ]
   */
  softmax(axis: number): Tensor {
    return ops.softmax(this, resolveAxis('softmax', this.shape, axis));
  }

  /**
   * x − ln Σ exp(x) along an axis.
   * @throws {ShapeError} There is no such axis.
   * @example tensor([[1000, 0]]).logSoftmax(1).toArray() // [ [ 0, -1000 ] ]
   */
  logSoftmax(axis: number): Tensor {
    return ops.logSoftmax(this, resolveAxis('logSoftmax', this.shape, axis));
  }

  // ── matrices and shapes ──────────────────────────────────────────────────────────────────────────────

  /**
   * y[i,j] = Σₚ this[i,p]·b[p,j]: [m, k] · [k, n] → [m, n].
   * @throws {ShapeError} They are no such matrices.
   * @example tensor([[1, 2]]).matmul(tensor([[3], [4]])).toArray() // [ [ 11 ] ]
   */
  matmul(b: Tensor): Tensor {
    return ops.matmul(this, b);
  }

  /**
   * The last two axes change places.
   * @throws {ShapeError} There are fewer than two.
   * @example tensor([[1, 2, 3]]).transpose().toArray() // [ [ 1 ], [ 2 ], [ 3 ] ]
   */
  transpose(): Tensor {
    return ops.transpose(this);
  }

  /**
   * The same values, in order, under another shape; one extent may be −1: what is left.
   * @throws {ShapeError} The sizes differ.
   * @example tensor([1, 2, 3, 4]).reshape([2, -1]).toArray() // [ [ 1, 2 ], [ 3, 4 ] ]
   */
  reshape(shape: Shape): Tensor {
    return ops.reshape(this, inferShape(this.shape, shape));
  }

  /**
   * All values on one axis, in order.
   * @example tensor([[1, 2], [3, 4]]).flatten().toArray() // [ 1, 2, 3, 4 ]
   */
  flatten(): Tensor {
    return this.reshape([this.size]);
  }

  /**
   * The part from `begin` up to but not including `end`, along the first axis; or along each axis for which
   * arrays give a range. Negative indices count from the end. @throws {ShapeError} A range is not inside.
   * @example tensor([[1, 2, 3], [4, 5, 6]]).slice([0, 1], [2, -1]).toArray() // [ [ 2 ], [ 5 ] ]
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
    const part = this.shape.reduce((y: Tensor, extent, axis) => {
      const from = fromFront('slice', begins[axis] ?? 0, extent);
      const to = fromFront('slice', ends[axis] ?? extent, extent);
      return from === 0 && to === extent ? y : ops.slice(y, axis, from, to);
    }, this);
    return part === this ? ops.reshape(this, this.shape) : part; // a tensor of its own in any case
  }

  /**
   * The entries of the first axis at these indices, in their order.
   * @throws {ValueError} An index is not inside.
   * @throws {ShapeError} There is no axis.
   * @example tensor([[1, 2], [3, 4]]).gather([1, 1]).toArray() // [ [ 3, 4 ], [ 3, 4 ] ]
   */
  gather(rows: ArrayLike<number>): Tensor {
    if (this.shape.length === 0)
      throw new ShapeError('gather', 'a scalar has no entries', 'reshape it to [1]');
    const [n] = this.shape;
    const wrong = Array.from(rows).find((row) => !Number.isInteger(row) || row < 0 || row >= n);
    if (wrong !== undefined) {
      throw new ValueError(
        'gather',
        `index ${wrong} into shape ${formatShape(this.shape)}`,
        'integers from 0 up to the first extent, exclusive',
      );
    }
    if (this.dtype === 'float32' && n > 2 ** 24) {
      throw new ValueError('gather', `${n} entries in float32`, 'indices are exact up to 2²⁴: slice first');
    }
    return ops.gather(this, { indices: constant(this, rows, [rows.length]) });
  }

  // ── reductions: over one axis, several, or all when none is given ────────────────────────────────────

  /**
   * Σ x over one axis, several, or all. `keepDims` leaves each of them with extent 1.
   * @throws {ShapeError} There is no such axis.
   * @example tensor([[1, 2], [3, 4]]).sum(0).toArray() // [ 4, 6 ]
   */
  sum(axis?: Axes, keepDims = false): Tensor {
    return reduce<Tensor>('sum', ops.sum, this, axis, keepDims);
  }

  /**
   * (1/n) Σ x over one axis, several, or all.
   * @throws {ShapeError} There is no such axis.
   * @throws {ValueError} There are no values.
   * @example tensor([[1, 2], [3, 4]]).mean(1, true).toArray() // [ [ 1.5 ], [ 3.5 ] ]
   */
  mean(axis?: Axes, keepDims = false): Tensor {
    return meanOver<Tensor>('mean', this, axis, keepDims);
  }

  /**
   * (1/n) Σ (x − mean)², or (1/(n−1)) Σ (x − mean)² if `unbiased`. Biased by default, as in the BatchNorm
   * paper and NumPy; PyTorch's default is unbiased.
   *
   * The mean is taken away twice, for the first one was rounded (Chan, Golub & LeVeque 1983). Their form,
   * mean(d²) − mean(d)², does the same at once, but can come out below 0 by a rounding.
   *
   * @throws {ShapeError} There is no such axis.
   * @throws {ValueError} There are no values, or only one where an unbiased variance is wanted.
   * @example tensor([1, 2, 3, 4]).variance().item() // 1.25
   */
  variance(axis?: Axes, options: VarianceOptions = {}): Tensor {
    expectOptions('variance', options, ['unbiased', 'keepDims']);
    const { unbiased = false, keepDims = false } = options;
    const mean = (x: Tensor, keep: boolean) => meanOver('variance', x, axis, keep);
    const rough = this.sub(mean(this, true));
    const d = rough.sub(mean(rough, true));
    const biased = mean(d.mul(d), keepDims);
    if (!unbiased) return biased;
    const n = this.size / biased.size;
    if (n > 1) return biased.mul(n / (n - 1));
    throw new ValueError('variance', 'only one value', 'an unbiased variance needs two: it divides by n − 1');
  }

  /**
   * The largest value over one axis, several, or all; NaN if any is NaN.
   * @throws {ShapeError} There is no such axis, or it is empty.
   * @example tensor([[1, 5], [3, 4]]).max(1).toArray() // [ 5, 4 ]
   */
  max(axis?: Axes, keepDims = false): Tensor {
    return reduce<Tensor>('max', ops.max, this, axis, keepDims);
  }

  /**
   * Where the largest value is along an axis: the first of equals. Has no gradient.
   * @throws {ShapeError} There is no such axis.
   * @example tensor([[1, 5], [4, 3]]).argmax(1).toArray() // [ 1, 0 ]
   */
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

  /**
   * The same values, cut off from how they were computed: no gradient flows through.
   * @example tensor([1], { requiresGrad: true }).detach().requiresGrad // false
   */
  detach(): Tensor {
    return this.like(this.storage, this.shape);
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A copy of the values, in order; works on every device.
   * @example await tensor([1, 2]).data() // Float32Array(2) [ 1, 2 ]
   */
  async data(): Promise<FloatArray> {
    return this.home.read(this.storage);
  }

  /**
   * A copy of the values, at once.
   * @throws {DeviceError} The device cannot read at once.
   * @example tensor([1, 2]).dataSync() // Float32Array(2) [ 1, 2 ]
   */
  dataSync(): FloatArray {
    return this.home.readSync(this.storage);
  }

  /**
   * The values as nested arrays; a number if there are no axes.
   * @throws {DeviceError} The device cannot read at once.
   * @example tensor([[1], [2]]).toArray() // [ [ 1 ], [ 2 ] ]
   */
  toArray(): number | NestedArray {
    return nest(this.dataSync(), this.shape);
  }

  /**
   * The value of a tensor that holds one.
   * @throws {ShapeError} It holds more or none.
   * @throws {DeviceError} The device cannot read at once.
   * @example tensor([[7]]).item() // 7
   */
  item(): number {
    if (this.size === 1) return this.dataSync()[0];
    throw new ShapeError(
      'item',
      `${this.size} values in shape ${formatShape(this.shape)}`,
      'only a single value is an item; toArray() gives all',
    );
  }

  static {
    showAsString(this.prototype);
  }

  override toString(): string {
    const gradient = this.requiresGrad ? ', requiresGrad' : '';
    return `Tensor(${formatShape(this.shape)}, ${this.dtype}, ${this.device}${gradient})`;
  }
}
