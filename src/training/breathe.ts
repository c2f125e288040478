/** Milliseconds of computing between two pauses. */
const BREATH = 50;

let last = 0;

/**
 * Lets waiting events through, at most every 50 ms: a signal to be aborted by, Ctrl-C, a click. On the CPU, training
 * awaits nothing that takes time, and without a pause a page would be frozen until it ends.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - last < BREATH) return;
  await nextTask();
  last = performance.now();
}

/** Without a timer, which takes a millisecond in Node and four in browsers. */
function nextTask(): Promise<void> {
  if ('setImmediate' in globalThis) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
