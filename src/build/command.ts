/**
 * Bundles the command `gammabeta` into `dist/command`: the experiments and the packages that only they need, with the
 * licenses of those packages. The library is not bundled: the command imports it from `dist/src`, so that each of its
 * classes exists once.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { licensesOfFiles } from './licenses.ts';

const root = join(import.meta.dirname, '../..');

/** Imports of the library become imports of `dist`. All files of the bundle are in one folder, so one path fits all. */
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

/** Writes the folder `command` into `dist`. */
export async function buildCommand(dist: string): Promise<void> {
  const out = join(dist, 'command');
  const { metafile } = await build({
    absWorkingDir: root,
    // The second is the program of a thread: the lab looks for it in its own folder.
    entryPoints: ['examples/experiments/gammabeta.ts', 'examples/experiments/lab/worker.ts'],
    outdir: out,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    plugins: [library],
    alias: {
      'echarts/dist/echarts.esm.min.mjs': join(root, 'examples/experiments/report/echarts-parts.ts'),
    },
    charset: 'utf8',
    minify: true,
    keepNames: true, // for the stack traces of bug reports
    legalComments: 'none', // LICENSES.txt has them
    // CommonJS packages load the modules of Node with `require`, which ES modules do not have.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    metafile: true,
  });
  chmodSync(join(out, 'gammabeta.js'), 0o755);
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  writeFileSync(join(out, 'LICENSES.txt'), licensesOfFiles(inputs.map((input) => join(root, input))));
}
