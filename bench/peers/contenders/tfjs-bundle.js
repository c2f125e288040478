/**
 * Loads the core of TensorFlow.js with gradients. Its bundle for Node has none, and Node cannot import the modules that
 * register them, so esbuild bundles them here, as it would for an application.
 */
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import { buildSync } from 'esbuild';

/** @param {'cpu' | 'wasm'} backend @returns {{ tf: any, backend: any }} */
export function loadTfjs(backend) {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `
        export * as tf from '@tensorflow/tfjs-core';
        import '@tensorflow/tfjs-core/dist/register_all_gradients';
        export * as backend from '@tensorflow/tfjs-backend-${backend}';`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    format: 'cjs',
    logLevel: 'error',
    write: false,
  });
  const module = { exports: {} };
  const parameters = ['module', 'exports', 'require', '__dirname', '__filename'];
  const evaluate = compileFunction(outputFiles[0].text, parameters, { filename: 'tfjs-bundle.cjs' });
  const { dirname, filename, url } = import.meta;
  evaluate(module, module.exports, createRequire(url), dirname, filename);
  return module.exports;
}
