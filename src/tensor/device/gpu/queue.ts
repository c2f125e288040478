import type { Maybe } from './gpu-js.ts';

/** In which order, and when, work is handed to the GPU. */
export interface Queue {
  /** Adds a task. If it fails, `failed` is told, and gives the error that whoever added it is to get. */
  push(task: () => Maybe<void>, failed: (error: unknown) => unknown): void;
  /** What a task returns, when all before it have run. Those after it do not wait for a promise of its. */
  result<T>(task: () => Maybe<T>): Promise<T>;
}

/** WebGL's: its calls return at once, and take effect in their order. */
export const atOnce: Queue = {
  push(task, failed) {
    try {
      void task();
    } catch (error) {
      throw failed(error);
    }
  },
  result: async (task) => task(),
};

/**
 * WebGPU's: each task when the one before has been handed to the GPU, for which a kernel has to be compiled first.
 * A task that fails stops no other; what depends on its result fails with the same error.
 */
export function inOrder(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    push(task, failed) {
      last = last.then(task).catch(failed);
    },
    result<T>(task: () => Maybe<T>): Promise<T> {
      // In an array, the promise of a result is passed on as it is, and not waited for.
      const started = last.then((): [Maybe<T>] => [task()]);
      last = started.catch(() => undefined);
      return started.then(([result]) => result);
    },
  };
}
