/**
 * Hands commands to a GPU's queue several at a time. gpu.js submits each kernel by itself, and before it writes the
 * kernel's numbers into a buffer of the kernel's, at every run and mostly the same bytes as before.
 *
 * What makes this exact: commands keep their order; a write that changes nothing is dropped; one that changes a
 * buffer which a collected command uses waits until that has been submitted; and a buffer that is destroyed is so
 * after the commands that are collected. A command uses the buffers that were written since the command before: gpu.js
 * writes what a kernel needs right before it submits it.
 */

/** What the queue itself does. */
export interface QueueCalls<Command, Buffer> {
  submit(commands: readonly Command[]): void;
  write(buffer: Buffer, offset: number, bytes: Uint8Array): void;
  destroy(buffer: Buffer): void;
}

export interface BatcherOptions {
  /** So many commands are submitted together, at most. */
  readonly together: number;
}

/** Larger writes are data, and are not compared with what was there. */
const SMALL = 1024;

export class SubmitBatcher<Command, Buffer extends object> {
  private readonly queue: QueueCalls<Command, Buffer>;
  private readonly together: number;
  private commands: Command[] = [];
  private doomed: Buffer[] = [];
  /** What collected commands use, of what is written. */
  private readonly used = new Set<Buffer>();
  /** What was last written from the beginning of a buffer. */
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

  /** Submits what was collected: before anything is read, and at the end. */
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
