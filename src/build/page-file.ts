/** Bundles the main entry into one file for pages without a bundler. */
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundled } from './packages.ts';

export const PAGE_FILE = 'gammabeta.min.js';

/** The files of bundled packages are in the folder of this file. */
const packagesBeside: Plugin = {
  name: 'packages-beside',
  setup: (bundling) => {
    bundling.onResolve({ filter: /^\.\.\/.*\.js$/ }, ({ path }) => {
      const beside = bundled.find(({ file }) => path.endsWith(`/${file}`));
      return beside && { path: `./${beside.file}`, external: true };
    });
  },
};

/** Writes `gammabeta.min.js` into `dist`. WebAssembly is inside; gpu.js stays in the file beside it, loaded on demand. */
export async function bundlePageFile(dist: string): Promise<void> {
  await build({
    entryPoints: [join(dist, 'src/index.js')],
    outfile: join(dist, PAGE_FILE),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8', // the texts of GPU kernels and messages have letters of mathematics
    banner: { js: '/*! gammabeta, MIT license */' },
    plugins: [packagesBeside],
  });
}
