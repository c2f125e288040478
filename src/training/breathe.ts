/** Milliseconds of computation between two pauses. */
const BREATH = 50;

let last = 0;

/**
 * Gives the event loop a turn, at most every 50 ms, so that aborts, Ctrl-C and clicks are handled. Training on the
 * CPU never waits for anything, so without these pauses a page would freeze until training ends.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - last < BREATH) return;
  await nextTask();
  last = performance.now();
}

/** Waits for the next task. Timers, the last resort, take at least 1 ms in Node and 4 ms in browsers. */
function nextTask(): Promise<void> {
  if ('setImmediate' in globalThis) return new Promise((resolve) => setImmediate(resolve));
  if (!('MessageChannel' in globalThis)) return new Promise((resolve) => setTimeout(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
