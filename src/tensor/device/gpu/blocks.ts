/** GPU memory for WebGPU: buffers that are used again when they are free, since making one takes long. */
import type { Commands } from './commands.ts';
import { type GpuBuffer, USAGE, type WebGpuDevice } from './web-gpu.ts';

/** The most bytes of free buffers. Beyond, the oldest are destroyed. */
const MOST_FREE = 2 ** 28;

/** A tensor's memory: a buffer that goes back to its pool when its last holder frees it. */
export class Block {
  readonly buffer: GpuBuffer;
  private readonly pool: BlockPool;
  private holders = 1;

  constructor(buffer: GpuBuffer, pool: BlockPool) {
    this.buffer = buffer;
    this.pool = pool;
  }

  clone(): Block {
    this.holders++;
    return this;
  }

  delete(): void {
    if (--this.holders === 0) this.pool.take(this.buffer);
  }
}

interface Free {
  readonly buffer: GpuBuffer;
  /** The submit before which commands may use the buffer. */
  readonly submit: number;
}

/** The free buffers of a device. */
export class BlockPool {
  private readonly device: WebGpuDevice;
  private readonly commands: Commands;
  /** By size; the one that was freed last is used first. */
  private readonly free = new Map<number, Free[]>();
  private bytes = 0;

  constructor(device: WebGpuDevice, commands: Commands) {
    this.device = device;
    this.commands = commands;
  }

  /** Memory for commands to write. Its contents are arbitrary. */
  make(bytes: number): Block {
    const size = sizeFor(bytes);
    const found = this.free.get(size)?.pop();
    if (found === undefined) return this.fresh(size);
    this.bytes -= size;
    return new Block(found.buffer, this);
  }

  /**
   * Memory that no collected command uses, so that values can be written before these are submitted. If all that is free
   * is used by them, they are submitted first: otherwise a loop without reads would need more and more memory.
   */
  makeUnused(bytes: number): Block {
    const size = sizeFor(bytes);
    const isUnused = ({ submit }: Free): boolean => submit < this.commands.next;
    const listed = this.free.get(size) ?? [];
    if (listed.length > 0 && !listed.some(isUnused)) this.commands.submit(); // which may destroy free buffers
    const list = this.free.get(size) ?? [];
    if (list.length === 0) return this.fresh(size);
    const [{ buffer }] = list.splice(list.findIndex(isUnused), 1);
    this.bytes -= size;
    return new Block(buffer, this);
  }

  /** Gets a buffer back. */
  take(buffer: GpuBuffer): void {
    const list = this.free.get(buffer.size) ?? [];
    this.free.set(buffer.size, list);
    list.push({ buffer, submit: this.commands.next });
    this.bytes += buffer.size;
  }

  /** Destroys free buffers beyond the limit. Called after a submit, when no collected command uses any. */
  trim(): void {
    for (const [size, list] of this.free) {
      while (this.bytes > MOST_FREE && list.length > 0) {
        list.shift()?.buffer.destroy();
        this.bytes -= size;
      }
      if (list.length === 0) this.free.delete(size);
    }
  }

  private fresh(size: number): Block {
    const usage = USAGE.storage | USAGE.copyFrom | USAGE.copyTo;
    return new Block(this.device.createBuffer({ size, usage }), this);
  }
}

/** Sizes are multiples of 256 bytes, so that a few sizes are enough for many tensors. */
function sizeFor(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 256)) * 256;
}
