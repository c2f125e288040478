/** jax-js on its WebAssembly backend. */
import { defaultDevice, init } from '@jax-js/jax';
import { workloads } from './jax-js-workloads.js';
import { serve, versionIn } from './serve.js';

await init('wasm');
defaultDevice('wasm');

const describe = () => ({
  version: versionIn('../node_modules/@jax-js/jax/package.json'),
  backend: 'wasm',
  // jax-js uses Web Workers as threads. Node has none.
  threads: typeof Worker === 'undefined' ? 1 : navigator.hardwareConcurrency,
});

await serve({ describe, workloads });
