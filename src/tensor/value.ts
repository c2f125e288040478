/**
 * The fields of a tensor, without its methods: the base class of `Tensor`.
 *
 * The files that record and differentiate ops need only these fields. `Tensor`, whose methods call the ops, is declared
 * above them, so that imports form no cycle.
 */
import { GammaBetaError } from '../../kernels/errors.ts';
import type { Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device, DeviceName, DType, Storage } from './device/device.ts';
import type { Node } from './tape.ts';

const notCloneable = Symbol('tensors cannot be cloned: send `await t.data()` and `t.shape`');

export abstract class Value {
  /**
   * @internal The shape, as a field: test runners compare fields. The library reads it, and users read `shape`, whose
   * array is frozen. Freezing the shape of every tensor would make a training step slower by 1 %.
   */
  readonly extents: Shape;
  /** @internal Symbols cannot be cloned: `postMessage(t)` throws, instead of sending a tensor without values. */
  readonly notCloneable: symbol = notCloneable;
  // Private fields: test runners compare, and debuggers show, the shape and the values only.
  #requiresGrad: boolean;
  #home: Device;
  #storage: Storage;
  readonly #node: Node | null;
  #accumulated: Value | null = null;
  #shape: Shape | null = null; // made when it is first read

  /** Use `tensor` and the other functions that make tensors. */
  protected constructor(storage: Storage, shape: Shape, home: Device, node: Node | null) {
    if (typeof home !== 'object') throw new GammaBetaError('Tensor', 'new Tensor()', 'use tensor(values)');
    this.extents = shape;
    this.#storage = storage;
    this.#home = home;
    this.#node = node;
    this.#requiresGrad = node !== null;
  }

  /** @internal A new value of the same class on the same device: how ops make their results. */
  abstract like(storage: Storage, shape: Shape, node?: Node | null): this;

  /** The extent of each axis; `[]` for a single number. The array is frozen: `reshape` makes a tensor of another shape. */
  get shape(): Shape {
    return (this.#shape ??= Object.freeze([...this.extents]));
  }

  /** Whether `backward()` computes a gradient for it. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(requiresGrad: boolean) {
    const isBoolean: boolean = typeof requiresGrad === 'boolean';
    if (!isBoolean)
      throw new GammaBetaError('requiresGrad', `it is a ${typeof requiresGrad}`, 'use true or false');
    this.#requiresGrad = requiresGrad;
  }

  /** @internal The device that holds its storage. */
  get home(): Device {
    return this.#home;
  }

  /** @internal */
  set home(home: Device) {
    this.#home = home;
  }

  /** @internal Its memory on that device. */
  get storage(): Storage {
    return this.#storage;
  }

  /** @internal */
  set storage(storage: Storage) {
    this.#storage = storage;
  }

  /** @internal The node of the tape that computed it; null for a leaf. */
  get node(): Node | null {
    return this.#node;
  }

  /** @internal The sum of the gradients of a leaf, which `grad` returns. */
  get accumulated(): Value | null {
    return this.#accumulated;
  }

  /** @internal */
  set accumulated(sum: Value | null) {
    this.#accumulated = sum;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.extents);
  }

  /** The element type. */
  get dtype(): DType {
    return this.#storage.dtype;
  }

  /** The name of the device that holds the values. */
  get device(): DeviceName {
    return this.#home.name;
  }

  static {
    refuseSetting('tensor', this.prototype, {
      dtype: 'make a new tensor: tensor(t.dataSync(), { shape: t.shape, dtype })',
      device: 'make a new tensor: tensor(t.dataSync(), { shape: t.shape, device })',
      shape: 'use t.reshape(shape)',
      size: 'use t.reshape(shape)',
    });
  }
}

/** Makes assignments to members errors, with hints. In JavaScript, they could change an object in silence. */
export function refuseSetting(op: string, prototype: object, hints: Readonly<Record<string, string>>): void {
  for (const [name, hint] of Object.entries(hints)) {
    const member = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    const set = (): never => {
      throw new GammaBetaError(op, `${name} cannot be set`, hint);
    };
    const method = { get: (): unknown => member.value };
    Object.defineProperty(prototype, name, { ...('value' in member ? method : member), set });
  }
}

/**
 * Hides the fields of objects: `console.log` in Node prints `toString()` instead. Vue leaves the objects as they are,
 * because its proxies would have no private fields.
 */
export function showAsString(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, '__v_skip', { value: true });
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: { toString(): string }) {
      return this.toString();
    },
  });
}
