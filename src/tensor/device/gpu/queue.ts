import type { Maybe } from './engine.ts';

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
 * The queue for WebGPU, where compiling a kernel is asynchronous: a task runs immediately, unless an earlier one is
 * waiting; then it runs after that one. A task that fails stops no other; tasks that use its result fail with the same
 * error.
 */
export function inOrder(): Queue {
  /** Settles when no task is waiting. Null if none is. */
  let waiting: Promise<unknown> | null = null;
  const wait = (promise: Promise<unknown>): void => {
    const mine: Promise<unknown> = promise.then(() => {
      if (waiting === mine) waiting = null;
    });
    waiting = mine;
  };
  return {
    push(task, failed) {
      if (waiting !== null) {
        wait(waiting.then(task).catch(failed));
        return;
      }
      try {
        const result = task();
        if (result instanceof Promise) wait(result.catch(failed));
      } catch (error) {
        failed(error);
      }
    },
    async result<T>(task: () => Maybe<T>): Promise<T> {
      if (waiting === null) return task();
      // The array keeps `then` from waiting for a promise inside it.
      const started = waiting.then((): [Maybe<T>] => [task()]);
      wait(started.catch(() => undefined));
      const [result] = await started;
      return result;
    },
  };
}
