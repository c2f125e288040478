/** The GPU devices: tensors are textures (WebGL) or buffers (WebGPU); kernels run in program order. */
import type { FloatArray, Kernel, Params, Shape } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';
import type { Device, DType, Storage } from '../device.ts';
import { DeviceError, DeviceLostError, GammaBetaError } from '../../errors.ts';
import type { Gpu, GpuName, Handle, Maybe } from './gpu-js.ts';
import type { Queue } from './queue.ts';
import { emptySlot, GpuStorage, handleOf, type Slot } from './gpu-storage.ts';

/**
 * Up to this size, an uploaded array keeps a copy in JavaScript that survives being read by kernels: mostly scalars.
 */
const SMALL = 16;

/** The differences between WebGL and WebGPU. */
export interface GpuBackend {
  readonly name: GpuName;
  readonly adapter: string;
  readonly software: boolean;
  readonly gpu: Gpu;
  readonly queue: Queue;
  /** Why the GPU was lost; null while it works. */
  lost(): string | null;
  /** Throws {@link DeviceError} if the GPU cannot start this many threads, or cannot hold an output of this size. */
  expectFits(op: string, threads: readonly number[]): void;
  /** Frees a handle. */
  release(handle: Handle): void;
}

export class GpuDevice implements Device {
  readonly name: GpuName;
  readonly dtypes: readonly DType[] = ['float32'];
  readonly adapter: string;
  readonly software: boolean;
  private readonly backend: GpuBackend;
  /** Frees the GPU memory of storages that were garbage-collected without being freed. */
  private readonly dropped: FinalizationRegistry<Slot>;
  private handles = 0;

  constructor(backend: GpuBackend) {
    this.backend = backend;
    ({ name: this.name, adapter: this.adapter, software: this.software } = backend);
    this.dropped = new FinalizationRegistry((slot) => {
      this.release(slot);
    });
  }

  /** The number of textures or buffers in use, and of compiled kernels. */
  get live(): { readonly handles: number; readonly programs: number } {
    return { handles: this.handles, programs: this.backend.gpu.compiled };
  }

  get lost(): boolean {
    return this.backend.lost() !== null;
  }

  upload(values: ArrayLike<number>): Storage {
    this.expectAlive('tensor');
    const copy = Float32Array.from(values);
    const storage = this.storage(copy.length);
    storage.host = copy;
    this.backend.expectFits('tensor', [copy.length]);
    this.compute('tensor', [], storage.slot, () =>
      this.backend.gpu.upload(copy.length > 0 ? copy : new Float32Array(1)),
    );
    return storage;
  }

  run<P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    shape: Shape,
    params: P,
    inPlace: boolean,
  ): Storage {
    this.expectAlive(kernel.name);
    const operands = inputs.map((input) => this.own(kernel.name, input));
    for (const operand of operands) if (operand.size > SMALL) operand.host = null;
    const output = inPlace ? operands[0] : this.storage(sizeOf(shape));
    if (inPlace) {
      output.version++;
      output.host = null;
    }
    const slots = operands.map(({ slot }) => slot);
    if (output.size === 0) this.leaveEmpty(kernel.name, output.slot);
    else if (kernel.variadic) this.fold(kernel, slots, shapes, output.slot, params);
    else this.launch(kernel, slots, shapes, output.slot, params);
    return output;
  }

  async read(storage: Storage): Promise<FloatArray> {
    this.expectAlive('data');
    const { host, slot, size } = this.own('data', storage);
    if (host !== null) return host.slice();
    if (size === 0) return new Float32Array(0);
    let values: Float32Array;
    try {
      values = await this.backend.queue.result(() => this.download(slot, size));
    } catch (error) {
      throw await this.explained('data', error);
    }
    this.expectAlive('data'); // after a loss, gpu.js continues on another GPU, without our buffers
    return values;
  }

  readSync(storage: Storage): FloatArray {
    this.expectAlive('dataSync');
    const { host, slot, size } = this.own('dataSync', storage);
    if (host !== null) return host.slice();
    if (size === 0) return new Float32Array(0);
    const values = this.name === 'webgl' ? this.download(slot, size) : null;
    if (values instanceof Float32Array) return values;
    throw new DeviceError(
      'dataSync',
      `${this.name} cannot be read at once`,
      'use await t.data(), which works on every device',
    );
  }

  free(storage: Storage): void {
    if (!(storage instanceof GpuStorage) || storage.freed) return;
    storage.freed = true;
    this.dropped.unregister(storage);
    this.release(storage.slot);
  }

  private storage(size: number): GpuStorage {
    const storage = new GpuStorage(size, this);
    this.dropped.register(storage, storage.slot, storage);
    return storage;
  }

  /** Runs a kernel of any number of inputs by its form for two: the first two, then that result and the third, … */
  private fold<P extends Params>(
    kernel: Kernel<P>,
    [first, ...rest]: readonly Slot[],
    [firstShape, ...restShapes]: readonly Shape[],
    output: Slot,
    params: P,
  ): void {
    if (rest.length === 0) {
      const sizes = [sizeOf(firstShape)];
      this.compute(kernel.name, [first, first], output, (handles) =>
        this.backend.gpu.launch('assign', handles, sizes, {}),
      );
    }
    let [sum, shape] = [first, firstShape];
    rest.forEach((next, k) => {
      const shapes = [shape, restShapes[k]];
      const target = k === rest.length - 1 ? output : emptySlot();
      const between = kernel.shape(shapes, params);
      if (sizeOf(between) === 0) this.leaveEmpty(kernel.name, target);
      else this.launch(kernel, [sum, next], shapes, target, params);
      if (sum !== first) this.release(sum);
      [sum, shape] = [target, between];
    });
  }

  /** Empty tensors run no kernel; they hold a dummy handle of one element. */
  private leaveEmpty(op: string, output: Slot): void {
    this.compute(op, [], output, () => this.backend.gpu.upload(new Float32Array(1)));
  }

  private launch<P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly Slot[],
    shapes: readonly Shape[],
    output: Slot,
    params: P,
  ): void {
    const { gpu } = this.backend;
    const sizes = kernel.sizes(shapes, params);
    this.backend.expectFits(kernel.name, gpu.threads(kernel.name, sizes));
    this.compute(kernel.name, inputs, output, (handles) => gpu.launch(kernel.name, handles, sizes, params));
  }

  /** Queues a computation whose result replaces the handle of `output`. */
  private compute(
    op: string,
    inputs: readonly Slot[],
    output: Slot,
    computation: (handles: readonly Handle[]) => Maybe<Handle>,
  ): void {
    const settle = (handle: Handle): void => {
      const before = output.handle;
      if (before === null) this.handles++;
      else this.backend.release(before);
      output.handle = handle;
    };
    const task = (): Maybe<void> => {
      const handle = computation(inputs.map(handleOf));
      if (handle instanceof Promise) return handle.then(settle);
      settle(handle);
    };
    this.backend.queue.push(task, (error) => {
      output.error = this.described(op, error);
      return output.error;
    });
  }

  private download(slot: Slot, size: number): Maybe<Float32Array> {
    const pinned = handleOf(slot).clone(); // later tasks run meanwhile, and one of them may free the slot
    const values = this.backend.gpu.download(pinned, size);
    const unpin = (): void => {
      this.backend.release(pinned);
    };
    if (values instanceof Promise) void values.then(unpin, unpin);
    else unpin();
    return values;
  }

  private release(slot: Slot): void {
    this.backend.queue.push(
      () => {
        if (slot.handle === null) return;
        this.backend.release(slot.handle);
        this.handles--;
        slot.handle = null;
      },
      (error) => error,
    );
  }

  private own(op: string, storage: Storage): GpuStorage {
    if (!(storage instanceof GpuStorage) || storage.home !== this) {
      throw new DeviceError(
        op,
        'memory of another device',
        'read the tensor, and make a new one on this device',
      );
    }
    if (!storage.freed) return storage;
    throw new DeviceError(
      op,
      `the tensor was freed on ${this.name}`,
      'to use it outside the scope() that computes it, return it from there',
    );
  }

  private expectAlive(op: string): void {
    const lost = this.backend.lost();
    if (lost !== null) throw this.lostError(op, lost);
  }

  private lostError(op: string, lost: string): DeviceLostError {
    return new DeviceLostError(
      op,
      `the GPU of ${this.name}, ${this.adapter}, was lost: ${lost}`,
      "its tensors are gone: resume from a checkpoint after useDevice('wasm'); fit({ fallback: true }) does so itself",
    );
  }

  /** Turns any failure into an error of this library. */
  private described(op: string, error: unknown): GammaBetaError {
    const lost = this.backend.lost();
    if (lost !== null) return this.lostError(op, lost);
    if (error instanceof GammaBetaError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new DeviceError(op, `failed on ${this.name}: ${message}`, "the device 'wasm' computes the same");
  }

  /**
   * Like `described`, one turn of the event loop later: a read fails shortly before the loss of the GPU is reported.
   */
  private async explained(op: string, error: unknown): Promise<GammaBetaError> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return this.described(op, error);
  }
}
