/** The `Tensor` class. Its methods check and broadcast their arguments, then call the ops of `ops.ts`. */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { argmaxAxis } from '../../kernels/reduce.ts';
import { formatShape, resolveAxis } from '../../kernels/shape.ts';
import { backward, gradientOf, setGradient } from './autodiff.ts';
import { view } from './broadcast.ts';
import type { Device, Storage } from './device/device.ts';
import {
  expectAtMost,
  expectBoolean,
  expectNumber,
  expectOptions,
  expectTensor,
  ShapeError,
  shown,
  ValueError,
} from './errors.ts';
import { indicesOf, inferShape, rangesOf } from './indexing.ts';
import { nest, type NestedArray } from './nested.ts';
import { constant, run } from './op.ts';
import { operand, operands } from './operands.ts';
import * as ops from './ops.ts';
import { type Axes, meanOver, reduce } from './reduction.ts';
import { fingerprint, print } from './print.ts';
import type { Node } from './tape.ts';
import { refuseSetting, showAsString, Value } from './value.ts';
import type { Operand, TensorJson, VarianceOptions } from './tensor-types.ts';

/**
 * An n-dimensional array of numbers of one element type, on a device. If a gradient is required, it refers to the ops
 * that computed it.
 *
 * Make tensors with {@link tensor}, {@link zeros}, {@link randn} and similar functions. Methods return new tensors and
 * never change one in place. (`optimizer.step()` and `loadStateDict` change parameters in place.) Arguments of another
 * kind than a method takes throw a `ValueError`.
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
  static leaf(storage: Storage, shape: Shape, home: Device): Tensor {
    return new Tensor(storage, shape, home, null);
  }

  /** @internal A new tensor on this device: the result of an op. */
  override like(storage: Storage, shape: Shape, node: Node | null = null): this {
    return new Tensor(storage, shape, this.home, node) as this;
  }

  /**
   * The gradient, to which each `backward()` adds; null before the first one. Only leaves have one: tensors with
   * `requiresGrad` that are not the result of an op.
   */
  get grad(): Tensor | null {
    return gradientOf(this) as Tensor | null;
  }

  set grad(g: Tensor | null) {
    setGradient(this, g === null ? g : expectTensor('grad', 'grad', g));
  }

  // ── arithmetic, with NumPy's broadcasting ────────────────────────────────────────────────────────────

  /**
   * y = this + b, element by element. Shapes broadcast as in NumPy.
   * @throws {ShapeError} The shapes do not broadcast.
   * @example tensor([[1, 2], [3, 4]]).add(tensor([10, 20])).toArray() // [ [ 11, 22 ], [ 13, 24 ] ]
   */
  add(b: Operand): Tensor {
    return ops.add(...operands('add', this, b));
  }

  /**
   * y = this − b, element by element. Shapes broadcast.
   * @throws {ShapeError} The shapes do not broadcast.
   * @example tensor([1, 2]).sub(1).toArray() // [ 0, 1 ]
   */
  sub(b: Operand): Tensor {
    return ops.sub(...operands('sub', this, b));
  }

  /**
   * y = this·b, element by element. Shapes broadcast.
   * @throws {ShapeError} The shapes do not broadcast.
   * @example tensor([1, 2]).mul(tensor([[1], [3]])).toArray() // [ [ 1, 2 ], [ 3, 6 ] ]
   */
  mul(b: Operand): Tensor {
    return typeof b === 'number' ? ops.scale(this, b) : ops.mul(...operands('mul', this, b));
  }

  /**
   * y = this / b, element by element. Shapes broadcast.
   * @throws {ShapeError} The shapes do not broadcast.
   * @example tensor([1, 2]).div(2).toArray() // [ 0.5, 1 ]
   */
  div(b: Operand): Tensor {
    return ops.div(...operands('div', this, b));
  }

  /**
   * y = max(this, b), element by element. Shapes broadcast. If both are equal, each gets half of the gradient, as in
   * PyTorch.
   * @throws {ShapeError} The shapes do not broadcast.
   * @example tensor([1, 4]).maximum(3).toArray() // [ 3, 4 ]
   */
  maximum(b: Operand): Tensor {
    return ops.maximum(...operands('maximum', this, b));
  }

  /**
   * y = −x.
   * @example tensor([1, -2]).neg().toArray() // [ -1, 2 ]
   */
  neg(): Tensor {
    return ops.scale(this, -1);
  }

  /**
   * y = xᵖ, element by element, for a constant power p.
   * @throws {ValueError} The power is not a finite number.
   * @example tensor([2, 3]).pow(2).toArray() // [ 4, 9 ]
   */
  pow(power: number): Tensor {
    return ops.pow(this, expectNumber('pow', 'power', power));
  }

  // ── functions ────────────────────────────────────────────────────────────────────────────────────────

  /**
   * y = eˣ, element by element.
   * @example tensor([0]).exp().toArray() // [ 1 ]
   */
  exp(): Tensor {
    return ops.exp(this);
  }

  /**
   * y = ln x, the natural logarithm. NaN for x < 0, −∞ for x = 0.
   * @example tensor([1]).log().toArray() // [ 0 ]
   */
  log(): Tensor {
    return ops.log(this);
  }

  /**
   * y = √x. NaN for x < 0.
   * @example tensor([4, 9]).sqrt().toArray() // [ 2, 3 ]
   */
  sqrt(): Tensor {
    return ops.sqrt(this);
  }

  /**
   * y = |x|. The gradient at 0 is 0.
   * @example tensor([1, -2]).abs().toArray() // [ 1, 2 ]
   */
  abs(): Tensor {
    return ops.abs(this);
  }

  /**
   * y = max(0, x). NaN for NaN. The gradient at 0 is 0.
   * @example tensor([-1, 2]).relu().toArray() // [ 0, 2 ]
   */
  relu(): Tensor {
    return ops.relu(this);
  }

  /**
   * y = x for x > 0, and slope·x otherwise. The default slope 0.01 is PyTorch's.
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
   * y = exp(x) / Σ exp(x), with the sum along one axis. Large x do not overflow.
   * @throws {ShapeError} The axis does not exist.
   * @example tensor([[2, 2]]).softmax(1).toArray() // [ [ 0.5, 0.5 ] ]
   */
  softmax(axis: number): Tensor {
    return ops.softmax(this, resolveAxis('softmax', this.extents, axis));
  }

  /**
   * y = x − ln Σ exp(x), with the sum along one axis. Large x do not overflow.
   * @throws {ShapeError} The axis does not exist.
   * @example tensor([[1000, 0]]).logSoftmax(1).toArray() // [ [ 0, -1000 ] ]
   */
  logSoftmax(axis: number): Tensor {
    return ops.logSoftmax(this, resolveAxis('logSoftmax', this.extents, axis));
  }

  // ── matrices and shapes ──────────────────────────────────────────────────────────────────────────────

  /**
   * The matrix product y[i,j] = Σₚ this[i,p]·b[p,j]. [m, k], [k, n] → [m, n].
   * @throws {ShapeError} The shapes are not [m, k] and [k, n].
   * @example tensor([[1, 2]]).matmul(tensor([[3], [4]])).toArray() // [ [ 11 ] ]
   */
  matmul(b: Operand): Tensor {
    expectAtMost('matmul', arguments.length, 1, 'transpose first: a.matmul(b.transpose())');
    return ops.matmul(this, operand('matmul', this, b));
  }

  /**
   * Swaps the last two axes: […, m, n] → […, n, m].
   * @throws {ShapeError} There are fewer than two axes.
   * @example tensor([[1, 2, 3]]).transpose().toArray() // [ [ 1 ], [ 2 ], [ 3 ] ]
   */
  transpose(): Tensor {
    expectAtMost('transpose', arguments.length, 0, 'permute reorders all axes');
    return ops.transpose(this);
  }

  /**
   * The same values in the same order, with another shape. One extent may be −1: it is inferred from the others.
   * @throws {ShapeError} The sizes differ.
   * @example tensor([1, 2, 3, 4]).reshape([2, -1]).toArray() // [ [ 1, 2 ], [ 3, 4 ] ]
   */
  reshape(shape: Shape): Tensor {
    expectAtMost('reshape', arguments.length, 1, 'pass the shape as one array, as in reshape([2, -1])');
    return ops.reshape(this, inferShape(this.extents, shape));
  }

  /**
   * Reshapes to one axis: [m, n] → [m·n].
   * @example tensor([[1, 2], [3, 4]]).flatten().toArray() // [ 1, 2, 3, 4 ]
   */
  flatten(): Tensor {
    expectAtMost('flatten', arguments.length, 0, 'use reshape to keep some of the axes');
    return this.reshape([this.size]);
  }

  /**
   * The entries from `begin` up to, but not including, `end` along the first axis. With arrays, one range per axis,
   * from the first axis on. Negative indices count from the end.
   * @throws {ShapeError} An index is out of range, or there are more ranges than axes.
   * @example tensor([[1, 2, 3], [4, 5, 6]]).slice([0, 1], [2, -1]).toArray() // [ [ 2 ], [ 5 ] ]
   */
  slice(begin: number | readonly number[], end?: number | readonly number[]): Tensor {
    expectAtMost('slice', arguments.length, 2, 'it takes no step; gather takes indices');
    const part = rangesOf(this.extents, begin, end).reduce((y: Tensor, [from, to], axis) => {
      return from === 0 && to === this.extents[axis] ? y : ops.slice(y, axis, from, to);
    }, this);
    return part === this ? ops.reshape(this, this.extents) : part; // always a new tensor
  }

  /**
   * The entries along the first axis at the given indices: y[i] = this[rows[i]]. Indices may repeat. They are an array,
   * a typed array, or a tensor of shape [n] that can be read synchronously.
   * @throws {ValueError} An index is not an integer from 0 to n − 1, where n is the first extent.
   * @throws {ShapeError} The tensor has no axis, or a tensor of indices has not exactly one.
   * @example tensor([[1, 2], [3, 4]]).gather([1, 1]).toArray() // [ [ 3, 4 ], [ 3, 4 ] ]
   */
  gather(rows: ArrayLike<number> | Tensor): Tensor {
    expectAtMost('gather', arguments.length, 1, 'transpose first, for entries of the last axis');
    const indices = indicesOf(this, rows);
    return ops.gather(this, { indices: constant(this, indices, [indices.length]) });
  }

  // ── reductions over one axis, several axes, or (by default) all axes ─────────────────────────────────

  /**
   * Σ x over one axis, several axes, or all axes by default. With `keepDims`, reduced axes are kept with extent 1.
   * @throws {ShapeError} An axis does not exist or is given twice.
   * @example tensor([[1, 2], [3, 4]]).sum(0).toArray() // [ 4, 6 ]
   */
  sum(axis?: Axes, keepDims = false): Tensor {
    return reduce<Tensor>('sum', ops.sum, this, axis, keepDims);
  }

  /**
   * (1/n) Σ x over one axis, several axes, or all axes by default.
   * @throws {ShapeError} An axis does not exist or is given twice.
   * @throws {ValueError} A mean is over no values.
   * @example tensor([[1, 2], [3, 4]]).mean(1, true).toArray() // [ [ 1.5 ], [ 3.5 ] ]
   */
  mean(axis?: Axes, keepDims = false): Tensor {
    return meanOver<Tensor>('mean', this, axis, keepDims);
  }

  /**
   * (1/n) Σ (x − mean)², or (1/(n−1)) Σ (x − mean)² if `unbiased`. Biased by default, as in NumPy and in the BatchNorm
   * paper; PyTorch's default is unbiased.
   *
   * The mean is subtracted twice, because the first mean is rounded (Chan, Golub & LeVeque 1983). Their form,
   * mean(d²) − mean(d)², needs only one subtraction, but rounding can make it negative.
   *
   * @throws {ShapeError} An axis does not exist or is given twice.
   * @throws {ValueError} A variance is over no values, or over only one and `unbiased` is set, or an option is unknown.
   * @example tensor([1, 2, 3, 4]).variance().item() // 1.25
   */
  variance(axis?: Axes, options: VarianceOptions = {}): Tensor {
    expectOptions('variance', options, ['unbiased', 'keepDims']);
    const { unbiased = false, keepDims = false } = options;
    expectBoolean('variance', 'unbiased', unbiased);
    const mean = (x: Tensor, keep: boolean) => meanOver('variance', x, axis, keep);
    const rough = this.sub(mean(this, true));
    const d = rough.sub(mean(rough, true));
    const biased = mean(d.mul(d), keepDims);
    if (!unbiased) return biased;
    const n = this.size / biased.size;
    if (n > 1 || biased.size === 0) return biased.mul(n / (n - 1));
    throw new ValueError('variance', 'only one value', 'an unbiased variance needs two: it divides by n − 1');
  }

  /**
   * The largest value over one axis, several axes, or all axes by default. NaN if a value is NaN. Among equal values,
   * the first receives the gradient.
   * @throws {ShapeError} An axis does not exist, is given twice or is empty.
   * @example tensor([[1, 5], [3, 4]]).max(1).toArray() // [ 5, 4 ]
   */
  max(axis?: Axes, keepDims = false): Tensor {
    return reduce<Tensor>('max', ops.max, this, axis, keepDims);
  }

  /**
   * The index of the largest value along an axis; among equal values, the first. Not differentiable.
   * @throws {ShapeError} The axis does not exist or is empty.
   * @example tensor([[1, 5], [4, 3]]).argmax(1).toArray() // [ 1, 0 ]
   */
  argmax(axis: number): Tensor {
    expectAtMost('argmax', arguments.length, 1, 'reshape the result to keep the axis');
    const at = resolveAxis('argmax', this.extents, axis);
    const shape = this.extents.filter((_, i) => i !== at);
    return view(run(argmaxAxis, [this], { axis: at }), shape);
  }

  // ── gradients ────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Computes the gradient of this tensor with respect to every leaf x with `requiresGrad` that it was computed from,
   * and adds it to `x.grad`: ∂y/∂x for a single value y, and ∂(Σ g·y)/∂x in general. Then the graph is freed. Gradients
   * add up over calls until `grad` is set to null.
   *
   * @param g The gradient of this tensor, in its shape. For a single value it is 1 by default.
   * @throws {GraphError} This tensor requires no gradient, is not a single value and g is missing, the graph was freed
   *   by an earlier call, or a tensor was changed in place after an op used it.
   * @throws {ShapeError} g has another shape.
   * @example
   * ```ts
   * import { tensor } from 'gammabeta';
   *
   * const x = tensor([1, 2], { requiresGrad: true });
   * x.mul(x).backward(tensor([1, 10])); // y = x², dy/dx = 2x
   * console.log(x.grad?.toArray()); // [ 2, 40 ]
   * ```
   */
  backward(g?: Tensor): void {
    expectAtMost('backward', arguments.length, 1, 'add the losses, and call it once');
    backward(this, g === undefined ? g : expectTensor('backward', 'g', g));
  }

  /**
   * The same values, in the same memory, as a tensor that requires no gradient.
   * @example tensor([1], { requiresGrad: true }).detach().requiresGrad // false
   */
  detach(): Tensor {
    return this.like(this.storage, this.extents);
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A copy of the values, in order. Works on every device.
   * @throws {DeviceLostError} The GPU was lost.
   * @example await tensor([1, 2]).data() // Float32Array(2) [ 1, 2 ]
   */
  async data(): Promise<FloatArray> {
    return this.home.read(this.storage);
  }

  /**
   * A copy of the values, without a promise.
   * @throws {DeviceError} The device, `webgpu`, cannot read synchronously.
   * @example tensor([1, 2]).dataSync() // Float32Array(2) [ 1, 2 ]
   */
  dataSync(): FloatArray {
    return this.home.readSync(this.storage);
  }

  /**
   * The values as nested arrays; a number for shape [].
   * @param rank The number of axes, if it is known. It is checked, and the type of the result follows: `number[][]` for 2.
   * @throws {ShapeError} The number of axes is not `rank`.
   * @throws {DeviceError} The device, `webgpu`, cannot read synchronously.
   * @example tensor([[1], [2]]).toArray(2).map((row) => row.length) // [ 1, 1 ]
   */
  toArray(rank: 0): number;
  toArray(rank: 1): number[];
  toArray(rank: 2): number[][];
  toArray(rank: 3): number[][][];
  toArray(): number | NestedArray;
  toArray(rank: number = this.extents.length): number | NestedArray {
    if (rank === this.extents.length) return nest(this.dataSync(), this.extents);
    const problem = `rank is ${shown(rank)}, but the shape is ${formatShape(this.extents)}`;
    throw new ShapeError('toArray', problem, 'pass the number of axes, or nothing');
  }

  /**
   * The value of a tensor with one element.
   * @throws {ShapeError} The size is not 1.
   * @throws {DeviceError} The device, `webgpu`, cannot read synchronously.
   * @example tensor([[7]]).item() // 7
   */
  item(): number {
    if (this.size === 1) return this.dataSync()[0];
    const problem = `${this.size} values in shape ${formatShape(this.extents)}`;
    throw new ShapeError('item', problem, 'toArray() returns them all');
  }

  /**
   * The shape, the element type and the values in order, for `JSON.stringify`: `{ shape, dtype, data }`. `tensor(data, {
   * shape, dtype })` makes the tensor again.
   * @throws {ValueError} A value is NaN or infinite, which JSON cannot represent.
   * @throws {DeviceError} The device, `webgpu`, cannot read synchronously. Then save `await t.data()` and `t.shape`.
   * @example JSON.stringify(tensor([[1, 2]])) // {"shape":[1,2],"dtype":"float32","data":[1,2]}
   */
  toJSON(): TensorJson {
    const data = Array.from(this.dataSync());
    const wrong = data.findIndex((x) => !Number.isFinite(x));
    if (wrong < 0) return { shape: this.shape, dtype: this.dtype, data };
    const problem = `value ${wrong} is ${data[wrong]}, which JSON cannot represent`;
    const hint = 'save it with encodeCheckpoint, or convert the values of t.dataSync() first';
    throw new ValueError('toJSON', problem, hint);
  }

  /** @internal The entries of `toArray()`. Vitest and Jest compare them: `expect(t).toEqual(u)`. */
  [Symbol.iterator](): Iterator<number | NestedArray> {
    return [this.toArray()].flat()[Symbol.iterator]();
  }

  /** @internal `t > 0`, `-t`, `2 * t` and `Math.max(t)` would be false or NaN; `'loss ' + t` is its text. */
  [Symbol.toPrimitive](kind: string): string {
    if (kind !== 'number') return this.toString();
    throw new ValueError('tensor', 'a tensor was used as a number', 'use t.item(), or t.mul(2)');
  }

  /** @internal Node's `assert.deepEqual(t, u)` compares it, and then the shapes. */
  get [Symbol.toStringTag](): string {
    return `Tensor ${fingerprint(this)}`;
  }

  static {
    showAsString(this.prototype);
    refuseSetting('tensor', this.prototype, {
      data: 'write into a leaf: assign(t, tensor(values)); or make a new tensor',
    });
  }

  /**
   * The values as NumPy prints them, the shape, the element type and the device. Of more than 1000 values, the corners.
   * `console.log` prints this in Node. On GPUs, where reading takes time, it is a hint instead of the values.
   * @example String(tensor([[1, 2], [3, 4]]).sum(0)) // Tensor([4, 6], shape [2], float32, wasm)
   */
  override toString(): string {
    return print(this);
  }
}
