/**
 * The fields of a tensor, without its methods: the base class of `Tensor`.
 *
 * The files that record and differentiate ops need only these fields. `Tensor`, whose methods call the ops, is declared
 * above them, so that imports form no cycle.
 */
import type { Shape } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import type { Device, DeviceName, DType, Storage } from './device/device.ts';
import type { Node } from './tape.ts';

export abstract class Value {
  /** The extent of each axis; `[]` for a single number. */
  readonly shape: Shape;
  /** Whether `backward()` computes a gradient for it. */
  requiresGrad: boolean;
  /** @internal The device that holds its storage. */
  home: Device;
  /** @internal Its memory on that device. */
  storage: Storage;
  /** @internal The node of the tape that computed it; null for a leaf. */
  readonly node: Node | null;
  /** @internal The sum of the gradients of a leaf, which `grad` returns. */
  accumulated: Value | null = null;

  /** Use `tensor` and the other functions that make tensors. */
  protected constructor(
    storage: Storage,
    shape: Shape,
    home: Device,
    node: Node | null,
    requiresGrad: boolean,
  ) {
    this.storage = storage;
    this.shape = shape;
    this.home = home;
    this.node = node;
    this.requiresGrad = requiresGrad;
  }

  /** @internal A new value of the same class on the same device: how ops make their results. */
  abstract like(storage: Storage, shape: Shape, node?: Node | null): this;

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** The element type. */
  get dtype(): DType {
    return this.storage.dtype;
  }

  /** The name of the device that holds the values. */
  get device(): DeviceName {
    return this.home.name;
  }
}
