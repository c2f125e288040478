/**
 * Collects launches of kernels and submits them together: a submit costs more than a launch. What was collected is
 * submitted before values are read, when the program waits for something, or when there is no room for more.
 */
import {
  type BindGroupLayout,
  type Binding,
  type CommandEncoder,
  type ComputePass,
  type GpuBuffer,
  MAP_READ,
  type Pipeline,
  USAGE,
  type WebGpuDevice,
} from './web-gpu.ts';

/** The most launches in one submit, and the bytes for the numbers of each: WebGPU aligns them so. */
const LAUNCHES = 256;
const BYTES = 256;

/** What is launched. */
export interface Compiled {
  readonly pipeline: Pipeline;
  readonly layout: BindGroupLayout;
}

interface Group {
  readonly layout: BindGroupLayout;
  readonly buffers: readonly GpuBuffer[];
  readonly group: object;
}

export class Commands {
  private readonly device: WebGpuDevice;
  private readonly afterSubmit: () => void;
  private readonly uniforms: GpuBuffer;
  private readonly bytes = new ArrayBuffer(LAUNCHES * BYTES);
  private readonly view = new DataView(this.bytes);
  private encoder: CommandEncoder | null = null;
  private pass: ComputePass | null = null;
  private launches = 0;
  /** The bindings of the last launch at each place in a submit. */
  private readonly groups: Group[] = [];
  /** Buffers for reading, by size. */
  private readonly staging = new Map<number, GpuBuffer[]>();
  /** The number of the next submit. */
  next = 1;

  constructor(device: WebGpuDevice, afterSubmit: () => void) {
    this.device = device;
    this.afterSubmit = afterSubmit;
    this.uniforms = device.createBuffer({ size: LAUNCHES * BYTES, usage: USAGE.uniform | USAGE.copyTo });
  }

  /**
   * Adds a launch. `write` writes its numbers, which are binding 0; `buffers` are the other bindings.
   */
  launch(
    { pipeline, layout }: Compiled,
    write: (view: DataView, at: number) => void,
    size: number,
    buffers: readonly GpuBuffer[],
    [x, y, z]: readonly [number, number, number],
  ): void {
    if (this.launches === LAUNCHES) this.submit();
    const at = this.launches++ * BYTES;
    write(this.view, at);
    const pass = (this.pass ??= this.encoding().beginComputePass());
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.groupFor(at, size, layout, buffers));
    pass.dispatchWorkgroups(x, y, z);
  }

  /**
   * The bindings of a launch. Training repeats the same launches on the same buffers, so those of the same place in the
   * submit before are often right.
   */
  private groupFor(at: number, size: number, layout: BindGroupLayout, buffers: readonly GpuBuffer[]): object {
    const place = at / BYTES;
    const before = this.groups.at(place);
    if (before?.layout === layout && before.buffers.every((buffer, k) => buffer === buffers[k]))
      return before.group;
    const entries: Binding[] = [{ binding: 0, resource: { buffer: this.uniforms, offset: at, size } }];
    for (let k = 0; k < buffers.length; k++)
      entries.push({ binding: k + 1, resource: { buffer: buffers[k] } });
    const group = this.device.createBindGroup({ layout, entries });
    this.groups[place] = { layout, buffers, group };
    return group;
  }

  /** Copies `size` floats. */
  copy(from: GpuBuffer, to: GpuBuffer, size: number): void {
    this.endPass();
    this.encoding().copyBufferToBuffer(from, 0, to, 0, 4 * size);
  }

  /** The first `size` floats of a buffer, after all launches so far. */
  async read(buffer: GpuBuffer, size: number): Promise<Float32Array> {
    const bytes = 4 * size;
    const staging = this.staging.get(bytes)?.pop() ?? this.newStaging(bytes);
    this.endPass();
    this.encoding().copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    this.submit();
    try {
      await staging.mapAsync(MAP_READ);
    } catch (error) {
      staging.destroy();
      throw error;
    }
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.unmap();
    this.keepStaging(bytes, staging);
    return values;
  }

  /** Submits what was collected. */
  submit(): void {
    this.endPass();
    const { encoder } = this;
    if (encoder === null) return;
    this.encoder = null;
    const { queue } = this.device;
    if (this.launches > 0) queue.writeBuffer(this.uniforms, 0, this.bytes, 0, this.launches * BYTES);
    this.launches = 0;
    queue.submit([encoder.finish()]);
    this.next++;
    this.afterSubmit();
  }

  /** The open encoder. A new one is submitted at the latest when the running code waits for something. */
  private encoding(): CommandEncoder {
    if (this.encoder === null) {
      this.encoder = this.device.createCommandEncoder();
      const { next } = this;
      void Promise.resolve().then(() => {
        if (this.next === next) this.submit();
      });
    }
    return this.encoder;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
  }

  private newStaging(bytes: number): GpuBuffer {
    return this.device.createBuffer({ size: bytes, usage: USAGE.mapRead | USAGE.copyTo });
  }

  /** Keeps a buffer for the next read of this size; of large ones, only one. */
  private keepStaging(bytes: number, staging: GpuBuffer): void {
    const list = this.staging.get(bytes) ?? [];
    if (this.staging.size >= 64 || list.length >= (bytes > 65_536 ? 1 : 8)) {
      staging.destroy();
      return;
    }
    list.push(staging);
    this.staging.set(bytes, list);
  }
}
