/** The GPU devices: tensors are textures (WebGL) or buffers (WebGPU); kernels run in program order. */
import type { Composer, Fusion } from '../../../../kernels/fused/fusion.ts';
import type { FloatArray, Kernel, Params, Shape } from '../../../../kernels/kernel.ts';
import { sizeOf } from '../../../../kernels/shape.ts';
import type { Device, DType, Output, ProductForm, Products, Storage } from '../device.ts';
import { DeviceError, DeviceLostError, GammaBetaError } from '../../errors.ts';
import { resultsOf } from '../outputs.ts';
import type { Engine, FusedEngine, GpuName, Handle, Maybe } from './engine.ts';
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
  readonly engine: Engine;
  readonly queue: Queue;
  /** Why the GPU was lost; null while it works. */
  lost(): string | null;
  /** Throws {@link DeviceError} if the GPU cannot start this many threads, or cannot hold an output of this size. */
  expectFits(op: string, threads: readonly number[]): void;
}

export class GpuDevice implements Device {
  readonly name: GpuName;
  readonly dtypes: readonly DType[] = ['float32'];
  readonly adapter: string;
  readonly software: boolean;
  /** Only where the GPU has fused kernels. */
  readonly runFused?: NonNullable<Device['runFused']>;
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
    const { fused } = backend.engine;
    if (fused !== undefined) {
      this.runFused = (fusion, inputs, shapes, params) => this.fuse(fused, fusion, inputs, shapes, params);
    }
  }

  get products(): Products | undefined {
    return this.backend.engine.fused?.products;
  }

  get refused(): readonly string[] | undefined {
    return this.backend.engine.fused?.refused;
  }

  chooseProducts(form: ProductForm | undefined): void {
    this.backend.engine.fused?.choose(form);
  }

  /** The number of textures or buffers in use, and of compiled kernels. */
  get live(): { readonly handles: number; readonly programs: number } {
    return { handles: this.handles, programs: this.backend.engine.compiled };
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
      this.backend.engine.upload(copy.length > 0 ? copy : new Float32Array(1)),
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
        this.backend.engine.launch('assign', handles, sizes, {}),
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
    this.compute(op, [], output, () => this.backend.engine.upload(new Float32Array(1)));
  }

  private launch<P extends Params>(
    kernel: Kernel<P>,
    inputs: readonly Slot[],
    shapes: readonly Shape[],
    output: Slot,
    params: P,
  ): void {
    const { engine } = this.backend;
    const sizes = kernel.sizes(shapes, params);
    this.backend.expectFits(kernel.name, engine.threads(kernel.name, sizes));
    this.compute(kernel.name, inputs, output, (handles) =>
      engine.launch(kernel.name, handles, sizes, params),
    );
  }

  /** Runs a fusion: as a few launches if the GPU has them for these shapes, otherwise kernel by kernel. */
  private fuse<P extends Params>(
    fused: FusedEngine,
    fusion: Fusion<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    params: P,
  ): readonly Output[] {
    this.expectAlive(fusion.name);
    const { outputs, updates } = resultsOf(fusion, shapes, params);
    // A launch cannot read an array that it writes.
    const isShared = updates.some((k) => inputs.some((input, other) => other !== k && input === inputs[k]));
    if (isShared || !fused.has(fusion, shapes)) return this.compose(fusion, inputs, shapes, params);
    const operands = inputs.map((input) => this.own(fusion.name, input));
    for (const operand of operands) if (operand.size > SMALL) operand.host = null;
    for (const { shape } of outputs) this.backend.expectFits(fusion.name, [sizeOf(shape)]);
    const results = outputs.map(({ shape }) => this.storage(sizeOf(shape)));
    for (const k of updates) {
      operands[k].version++;
      operands[k].host = null;
    }
    const [from, to] = [operands, results].map((storages) => storages.map(({ slot }) => slot));
    const written = [...to, ...updates.map((k) => operands[k].slot)];
    this.computeAll(fusion.name, from, to, written, (handles) => fused.run(fusion, handles, shapes, params));
    return results.map((storage, k) => ({ storage, shape: outputs[k].shape }));
  }

  /** Runs the kernels of a fusion one by one. */
  private compose<P extends Params>(
    fusion: Fusion<P>,
    inputs: readonly Storage[],
    shapes: readonly Shape[],
    params: P,
  ): readonly Output[] {
    const made: Output[] = [];
    const apply = (kernel: Kernel, from: readonly Output[], numbers: Params, inPlace: boolean): Output => {
      const fromShapes = from.map(({ shape }) => shape);
      const shape = kernel.shape(fromShapes, numbers);
      const storages = from.map(({ storage }) => storage);
      return { storage: this.run(kernel, storages, fromShapes, shape, numbers, inPlace), shape };
    };
    const composer: Composer<Output> = {
      run: (kernel, from, ...[numbers]) => {
        const output = apply(kernel, from, numbers ?? {}, false);
        made.push(output);
        return output;
      },
      update: (kernel, from, ...[numbers]) => void apply(kernel, from, numbers ?? {}, true),
    };
    const given = inputs.map((storage, k) => ({ storage, shape: shapes[k] }));
    const results = fusion.compose(composer, given, params);
    for (const output of made) if (!results.includes(output)) this.free(output.storage);
    return results;
  }

  /** Queues a computation whose result replaces the handle of `output`. */
  private compute(
    op: string,
    inputs: readonly Slot[],
    output: Slot,
    computation: (handles: readonly Handle[]) => Maybe<Handle>,
  ): void {
    const all = (handles: readonly Handle[]): Maybe<readonly Handle[]> => {
      const handle = computation(handles);
      return handle instanceof Promise ? handle.then((found) => [found]) : [handle];
    };
    this.computeAll(op, inputs, [output], [output], all);
  }

  /**
   * Queues a computation whose results replace the handles of `outputs`. If it fails, all that it was to write has its
   * error.
   */
  private computeAll(
    op: string,
    inputs: readonly Slot[],
    outputs: readonly Slot[],
    written: readonly Slot[],
    computation: (handles: readonly Handle[]) => Maybe<readonly Handle[]>,
  ): void {
    const settle = (handles: readonly Handle[]): void => {
      outputs.forEach((output, k) => {
        const before = output.handle;
        if (before === null) this.handles++;
        else this.backend.engine.release(before);
        output.handle = handles[k];
      });
    };
    const task = (): Maybe<void> => {
      const handles = computation(inputs.map(handleOf));
      if (handles instanceof Promise) return handles.then(settle);
      settle(handles);
    };
    this.backend.queue.push(task, (error) => {
      const described = this.described(op, error);
      for (const slot of written) slot.error = described;
      return described;
    });
  }

  private download(slot: Slot, size: number): Maybe<Float32Array> {
    const pinned = handleOf(slot).clone(); // later tasks run meanwhile, and one of them may free the slot
    const values = this.backend.engine.download(pinned, size);
    const unpin = (): void => {
      this.backend.engine.release(pinned);
    };
    if (values instanceof Promise) void values.then(unpin, unpin);
    else unpin();
    return values;
  }

  private release(slot: Slot): void {
    this.backend.queue.push(
      () => {
        if (slot.handle === null) return;
        this.backend.engine.release(slot.handle);
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
