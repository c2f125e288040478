/**
 * Completes what tsc has written: puts pbf, with its license, into the one module that imports it, so that the package does
 * not depend on it, and copies the Python files that `exportPyTorch` copies.
 *
 *     tsx src/build.ts [folder that tsc wrote to]
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const [, , dist = join(root, 'dist')] = process.argv;

/** All other modules of the library stay as they are, so that each of its classes exists once. */
const others: Plugin = {
  name: 'others',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^\./ }, ({ path }) => ({ path, external: true }));
  },
};

const module = join(dist, 'src/io/onnx/protobuf.js');
await build({
  absWorkingDir: root,
  entryPoints: [module],
  outfile: module,
  allowOverwrite: true,
  bundle: true,
  plugins: [others],
  nodePaths: [join(root, 'node_modules')], // `dist` may be outside the repository
  format: 'esm',
  target: 'es2023',
  charset: 'utf8',
  banner: { js: `/*! pbf\n\n${readFileSync(join(root, 'node_modules/pbf/LICENSE'), 'utf8').trim()}\n*/` },
});

const python = 'src/training/pytorch/python';
cpSync(join(root, python), join(dist, python), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
