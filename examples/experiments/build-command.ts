/**
 * Bundles the command `gammabeta` into `dist/command`, after tsc: the experiments and the packages that they need, with
 * their licenses, so that gpu.js remains the only dependency. The library itself is imported from `dist/src`, because a
 * second copy of its classes would break `instanceof`.
 *
 *     tsx examples/experiments/build-command.ts [output folder of tsc]
 */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licensesIn } from './build-licenses.ts';

const root = join(import.meta.dirname, '../..');
const [, , dist = join(root, 'dist')] = process.argv;
const out = join(dist, 'command');

/** Leaves imports of the library external. All files of the bundle are in one folder, so one relative path serves all. */
const library: Plugin = {
  name: 'library',
  setup: (bundling) => {
    bundling.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => {
      const file = relative(root, join(resolveDir, path)).replaceAll('\\', '/');
      if (!/^(?:src|kernels)\//.test(file)) return undefined;
      return { path: `../${file.replace(/\.ts$/, '.js')}`, external: true };
    });
  },
};

const worker = 'examples/experiments/lab/worker.ts'; // the program of the lab's threads, loaded from the folder of the bundle
rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['examples/experiments/gammabeta.ts', ...(existsSync(join(root, worker)) ? [worker] : [])],
  outdir: out,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [library],
  external: ['gpu.js', 'webgpu'],
  charset: 'utf8',
  minifyWhitespace: true, // identifiers are kept, for readable stack traces
  minifySyntax: true,
  legalComments: 'none', // the licenses are in LICENSES.txt
  // CommonJS packages load Node's modules with require, which does not exist in an ES module.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  metafile: true,
});
chmodSync(join(out, 'gammabeta.js'), 0o755);
writeFileSync(join(out, 'LICENSES.txt'), licensesIn(metafile, root));
