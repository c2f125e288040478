/** Replaces methods of WebGPU's queue and buffers, to count and to batch submits. Used only for measurements. */
import { SubmitBatcher } from './submit-batcher.ts';

type Bytes = ArrayBuffer | ArrayBufferView;

interface QueuePrototype {
  submit: (this: QueuePrototype, commands: Iterable<object>) => void;
  writeBuffer: (
    this: QueuePrototype,
    buffer: object,
    offset: number,
    data: Bytes,
    ...range: readonly number[]
  ) => void;
}

interface BufferPrototype {
  destroy: (this: BufferPrototype) => void;
  mapAsync: (this: BufferPrototype, ...args: unknown[]) => Promise<void>;
}

export interface WebGpuClasses {
  readonly GPUQueue: { readonly prototype: QueuePrototype };
  readonly GPUBuffer: { readonly prototype: BufferPrototype };
}

/** The number of calls of the queue. */
export interface Counts {
  submits: number;
  writes: number;
}

export interface Interposed {
  readonly counts: Counts;
  /** Submits the collected commands and restores the original methods. */
  readonly restore: () => void;
}

/** In a page the classes are global; in Node the package `webgpu` has them. */
export async function webGpuClasses(): Promise<WebGpuClasses> {
  if ('GPUQueue' in globalThis) return globalThis as unknown as WebGpuClasses;
  const name = 'webgpu'; // a variable, so that the page's bundler does not resolve it
  const { globals } = (await import(name)) as { readonly globals: WebGpuClasses };
  return globals;
}

/**
 * Counts the calls of the queue. Unless `together` is null, it also collects commands: see {@link SubmitBatcher}. A
 * program that uses gpu.js has one queue.
 */
export function interpose({ GPUQueue, GPUBuffer }: WebGpuClasses, together: number | null): Interposed {
  const [queues, buffers] = [GPUQueue.prototype, GPUBuffer.prototype];
  const { submit, writeBuffer } = queues;
  const { destroy, mapAsync } = buffers;
  const counts = { submits: 0, writes: 0 };
  const last = { queue: queues };
  const batcher = new SubmitBatcher<object, object>(
    {
      submit: (commands) => {
        counts.submits++;
        submit.call(last.queue, commands);
      },
      write: (buffer, offset, bytes) => {
        counts.writes++;
        writeBuffer.call(last.queue, buffer, offset, bytes);
      },
      destroy: (buffer) => destroy.call(buffer as BufferPrototype),
    },
    { together: together ?? 1 },
  );

  queues.submit = function (commands) {
    last.queue = this;
    if (together !== null) {
      batcher.submit([...commands]);
    } else {
      counts.submits++;
      submit.call(this, commands);
    }
  };
  queues.writeBuffer = function (buffer, offset, data, ...range) {
    last.queue = this;
    if (together !== null && range.length === 0) {
      batcher.write(buffer, offset, bytesOf(data));
    } else {
      counts.writes++;
      writeBuffer.call(this, buffer, offset, data, ...range);
    }
  };
  if (together !== null) {
    buffers.destroy = function () {
      batcher.destroy(this);
    };
    buffers.mapAsync = function (...args) {
      batcher.flush();
      return mapAsync.apply(this, args);
    };
  }
  return {
    counts,
    restore: () => {
      batcher.flush();
      Object.assign(queues, { submit, writeBuffer });
      Object.assign(buffers, { destroy, mapAsync });
    },
  };
}

function bytesOf(data: Bytes): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
