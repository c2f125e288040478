/**
 * Submits several commands to a GPU's queue at once. gpu.js submits each kernel separately, and before each submit it
 * writes the kernel's numbers into the kernel's buffer, although they are mostly the same as before.
 *
 * The results stay exact because commands keep their order, and because
 * - a write that changes nothing is dropped;
 * - before a write to a buffer that a collected command uses, the collected commands are submitted;
 * - a buffer is destroyed only after the collected commands are submitted.
 *
 * A command uses the buffers that were written since the previous command: gpu.js writes a kernel's buffers right before
 * it submits the kernel.
 */

/** The calls of the GPU's queue. */
export interface QueueCalls<Command, Buffer> {
  submit(commands: readonly Command[]): void;
  write(buffer: Buffer, offset: number, bytes: Uint8Array): void;
  destroy(buffer: Buffer): void;
}

export interface BatcherOptions {
  /** The largest number of commands in one submit. */
  readonly together: number;
}

/** Larger writes are data, and are not compared with the buffer's contents. */
const SMALL = 1024;

export class SubmitBatcher<Command, Buffer extends object> {
  private readonly queue: QueueCalls<Command, Buffer>;
  private readonly together: number;
  private commands: Command[] = [];
  private doomed: Buffer[] = [];
  /** The written buffers that collected commands use. */
  private readonly used = new Set<Buffer>();
  /** The bytes last written at the start of each buffer. */
  private readonly written = new WeakMap<Buffer, Uint8Array>();

  constructor(queue: QueueCalls<Command, Buffer>, { together }: BatcherOptions) {
    this.queue = queue;
    this.together = together;
  }

  submit(commands: readonly Command[]): void {
    this.commands.push(...commands);
    if (this.commands.length >= this.together) this.flush();
  }

  write(buffer: Buffer, offset: number, bytes: Uint8Array): void {
    if (offset !== 0 || !same(this.written.get(buffer), bytes)) {
      if (this.used.has(buffer)) this.flush();
      this.queue.write(buffer, offset, bytes);
      if (offset === 0 && bytes.length <= SMALL) this.written.set(buffer, bytes.slice());
      else this.written.delete(buffer);
    }
    this.used.add(buffer);
  }

  destroy(buffer: Buffer): void {
    if (this.commands.length === 0) this.queue.destroy(buffer);
    else this.doomed.push(buffer);
  }

  /** Submits the collected commands. Has to be called before a read, and at the end. */
  flush(): void {
    if (this.commands.length > 0) this.queue.submit(this.commands);
    for (const buffer of this.doomed) this.queue.destroy(buffer);
    this.commands = [];
    this.doomed = [];
    this.used.clear();
  }
}

function same(before: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return before?.length === bytes.length && before.every((byte, k) => byte === bytes[k]);
}
