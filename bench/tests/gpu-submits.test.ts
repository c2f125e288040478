import { describe, expect, it } from 'vitest';
import { SubmitBatcher } from '../gpu/submit-batcher.ts';
import { interpose } from '../gpu/web-gpu-queue.ts';

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

describe('SubmitBatcher', () => {
  /** A batcher, and the calls that reach its queue. */
  const batching = (together = 100) => {
    const calls: string[] = [];
    const batcher = new SubmitBatcher<string, { readonly name: string }>(
      {
        submit: (commands) => calls.push(`submit ${commands.join('+')}`),
        write: ({ name }, _, data) => calls.push(`write ${name} ${data.join()}`),
        destroy: ({ name }) => calls.push(`destroy ${name}`),
      },
      { together },
    );
    return { calls, batcher };
  };
  const [p, q] = [{ name: 'p' }, { name: 'q' }];

  it('submits in order, at a flush or when enough commands are collected', () => {
    const { calls, batcher } = batching(3);
    for (const command of 'abcd') batcher.submit([command]);
    expect(calls).toEqual(['submit a+b+c']);
    batcher.flush();
    batcher.flush();
    expect(calls).toEqual(['submit a+b+c', 'submit d']);
  });

  it('drops writes that change nothing', () => {
    const { calls, batcher } = batching();
    for (const command of 'ab') {
      batcher.write(p, 0, bytes(1, 2));
      batcher.submit([command]);
    }
    batcher.flush();
    expect(calls).toEqual(['write p 1,2', 'submit a+b']);
  });

  it('submits before a write to a buffer that a collected command uses, and before no other write', () => {
    const { calls, batcher } = batching();
    batcher.write(p, 0, bytes(1));
    batcher.submit(['a']);
    batcher.write(q, 0, bytes(1));
    batcher.submit(['b']);
    batcher.write(p, 0, bytes(2));
    batcher.submit(['c']);
    batcher.write(q, 0, bytes(2)); // c does not use q
    batcher.submit(['d']);
    batcher.flush();
    expect(calls).toEqual(['write p 1', 'write q 1', 'submit a+b', 'write p 2', 'write q 2', 'submit c+d']);
  });

  it('counts a dropped write as a use of the buffer', () => {
    const { calls, batcher } = batching();
    batcher.write(p, 0, bytes(1));
    batcher.submit(['a']);
    batcher.flush();
    batcher.write(p, 0, bytes(1));
    batcher.submit(['b']);
    batcher.write(p, 0, bytes(2));
    batcher.submit(['c']);
    batcher.flush();
    expect(calls).toEqual(['write p 1', 'submit a', 'submit b', 'write p 2', 'submit c']);
  });

  it('compares new writes with copies of earlier small writes', () => {
    const { calls, batcher } = batching();
    const data = bytes(1);
    batcher.write(p, 0, data);
    data[0] = 2;
    batcher.write(p, 0, data);
    const large = new Uint8Array(2000);
    batcher.write(q, 0, large);
    batcher.write(q, 0, large);
    batcher.write(p, 1, bytes(2));
    batcher.write(p, 0, bytes(2));
    expect(calls.map((call) => call.slice(0, 9))).toEqual([
      'write p 1',
      'write p 2',
      'write q 0',
      'write q 0',
      'write p 2',
      'write p 2',
    ]);
  });

  it('submits before a buffer is destroyed', () => {
    const { calls, batcher } = batching();
    batcher.destroy(p);
    batcher.submit(['a']);
    batcher.destroy(q);
    batcher.flush();
    expect(calls).toEqual(['destroy p', 'submit a', 'destroy q']);
  });
});

describe('interpose', () => {
  /** WebGPU classes that record their calls. */
  const recording = () => {
    const calls: string[] = [];
    class GPUQueue {
      submit(commands: Iterable<object>): void {
        calls.push(`submit ${[...commands].length}`);
      }
      writeBuffer(): void {
        calls.push('write');
      }
    }
    class GPUBuffer {
      destroy(): void {
        calls.push('destroy');
      }
      mapAsync(): Promise<void> {
        calls.push('map');
        return Promise.resolve();
      }
    }
    return { calls, GPUQueue, GPUBuffer };
  };

  it('submits before a read, and restores the original methods', async () => {
    const { calls, GPUQueue, GPUBuffer } = recording();
    const before = [GPUQueue.prototype, GPUBuffer.prototype].map((each) =>
      Object.getOwnPropertyDescriptors(each),
    );
    const { counts, restore } = interpose({ GPUQueue, GPUBuffer }, 10);
    const queue: { submit: (commands: object[]) => void; writeBuffer: (...args: unknown[]) => void } =
      new GPUQueue();
    const buffer = new GPUBuffer();
    queue.writeBuffer(buffer, 0, new Float32Array(1));
    queue.submit([{}]);
    queue.writeBuffer(buffer, 0, new Float32Array(1).buffer);
    queue.submit([{}]);
    buffer.destroy();
    expect(calls).toEqual(['write']);
    await buffer.mapAsync();
    expect(calls).toEqual(['write', 'submit 2', 'destroy', 'map']);
    queue.submit([{}]);
    restore();
    expect(calls.at(-1)).toBe('submit 1');
    expect(counts).toEqual({ submits: 2, writes: 1 });
    const after = [GPUQueue.prototype, GPUBuffer.prototype].map((each) =>
      Object.values(Object.getOwnPropertyDescriptors(each)).map(({ value }) => value as unknown),
    );
    expect(after).toEqual(before.map((each) => Object.values(each).map(({ value }) => value as unknown)));
  });

  it('only counts calls if it collects no commands', () => {
    const { calls, GPUQueue, GPUBuffer } = recording();
    const { counts, restore } = interpose({ GPUQueue, GPUBuffer }, null);
    new GPUQueue().submit([{}]);
    restore();
    expect(calls).toEqual(['submit 1']);
    expect(counts).toEqual({ submits: 1, writes: 0 });
  });
});
