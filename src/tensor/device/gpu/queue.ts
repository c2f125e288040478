import type { Maybe } from './gpu-js.ts';

/** Hands work to the GPU in program order. */
export interface Queue {
  /** Adds a task. If it fails, `failed` turns its error into the one that is reported. */
  push(task: () => Maybe<void>, failed: (error: unknown) => unknown): void;
  /**
   * Runs a task after all earlier ones and returns its result. Later tasks do not wait for a promise that it returns.
   */
  result<T>(task: () => Maybe<T>): Promise<T>;
}

/** The queue for WebGL, whose calls return at once and take effect in order: each task runs immediately. */
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
 * The queue for WebGPU, where compiling a kernel is asynchronous: each task starts when the one before it has been
 * submitted. A task that fails stops no other; tasks that use its result fail with the same error.
 */
export function inOrder(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return {
    push(task, failed) {
      last = last.then(task).catch(failed);
    },
    result<T>(task: () => Maybe<T>): Promise<T> {
      // The array keeps `then` from waiting for a promise inside it.
      const started = last.then((): [Maybe<T>] => [task()]);
      last = started.catch(() => undefined);
      return started.then(([result]) => result);
    },
  };
}
