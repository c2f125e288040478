/**
 * Bundles the command `gammabeta` into `dist/command`, after tsc: the examples and the packages that they need, with
 * their licenses, so that gpu.js stays the only package to install. The library is not bundled once more, for there
 * must be one of each of its classes: it is imported from `dist/src`.
 *
 *     tsx examples/experiments/build-command.ts [folder that tsc wrote to]
 */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licensesIn } from './build-licenses.ts';

const root = join(import.meta.dirname, '../..');
const [, , dist = join(root, 'dist')] = process.argv;
const out = join(dist, 'command');

/** All files of the bundle lie in one folder, so the way to the library is the same from each. */
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

const worker = 'examples/experiments/lab/worker.ts'; // a thread's program, which the lab looks for beside its own file
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
  minifyWhitespace: true, // names stay, for the stack that a bug's report has
  minifySyntax: true,
  legalComments: 'none', // licenses have a file of their own
  // Packages that are CommonJS ask for Node's modules with require, which an ES module does not have.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
  },
  metafile: true,
});
chmodSync(join(out, 'gammabeta.js'), 0o755);
writeFileSync(join(out, 'LICENSES.txt'), licensesIn(metafile, root));
