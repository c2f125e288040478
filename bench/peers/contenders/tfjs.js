/** TensorFlow.js on the backend of the command line: `node tfjs.js cpu` or `node tfjs.js wasm`. */
import { fileURLToPath } from 'node:url';
import { serve, versionIn } from './serve.js';
import { loadTfjs } from './tfjs-bundle.js';
import { workloadsOf } from './tfjs-workloads.js';

const backendName = process.argv[2];
const { tf, backend } = loadTfjs(backendName);
if (backendName === 'wasm') {
  const binaries = new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url);
  backend.setWasmPaths(fileURLToPath(binaries));
  backend.setThreadsCount(1);
}
await tf.setBackend(backendName);
await tf.ready();

const describe = () => ({
  version: versionIn('../node_modules/@tensorflow/tfjs-core/package.json'),
  backend: backendName === 'wasm' && tf.env().get('WASM_HAS_SIMD_SUPPORT') ? 'wasm, SIMD' : backendName,
  threads: backendName === 'wasm' ? backend.getThreadsCount() : 1,
});

await serve({ describe, workloads: workloadsOf(tf) });
