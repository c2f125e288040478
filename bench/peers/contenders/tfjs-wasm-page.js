/** TensorFlow.js on WebAssembly, in a page that is cross-origin isolated, where it has threads. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import threadedSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm';
import { workloadsOf } from './tfjs-workloads.js';

export async function open(threads) {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': threadedSimd,
  });
  // TensorFlow.js has at most half as many threads as the page reports cores, whatever is asked for.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * threads, configurable: true });
  setThreadsCount(threads);
  if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js cannot open its WebAssembly backend');
  const [hasSimd, hasThreads] = ['SIMD', 'MULTITHREAD'].map((feature) =>
    tf.env().get(`WASM_HAS_${feature}_SUPPORT`),
  );
  return {
    version: tf.version_core,
    backend: ['wasm', ...(hasSimd ? ['SIMD'] : [])].join(', '),
    threads: hasThreads ? getThreadsCount() : 1,
    workloads: workloadsOf(tf),
  };
}
