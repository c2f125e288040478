/** jax-js on WebAssembly, in a page. It starts one Web Worker for each core that the page reports. */
import { version } from '../node_modules/@jax-js/jax/package.json';

export async function open(threads) {
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads, configurable: true });
  const { blockUntilReady, defaultDevice, init, numpy: np } = await import('@jax-js/jax');
  const { workloads } = await import('./jax-js-workloads.js');
  await init('wasm');
  defaultDevice('wasm');
  const workers = await workersOf(async () => {
    const sum = np.array(new Float32Array(2 ** 20)).add(1); // enough elements for all workers
    await blockUntilReady(sum);
    sum.dispose();
  });
  return { version, backend: 'wasm', threads: Math.max(1, workers), workloads };
}

/** The number of Web Workers that were started by `work` and have answered. */
async function workersOf(work) {
  const { Worker } = globalThis;
  const answered = new Set();
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', () => answered.add(this));
    }
  };
  try {
    await work();
  } finally {
    globalThis.Worker = Worker;
  }
  return answered.size;
}
