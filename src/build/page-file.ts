/** Bundles the main entry into one file for pages without a bundler. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { packagesBeside } from './packages.ts';

export const PAGE_FILE = 'gammabeta.min.js';

/**
 * Writes `gammabeta.min.js` into `dist`. WebAssembly is inside; gpu.js stays in the file beside it, loaded on demand.
 *
 * @param modules The folder of the compiled modules.
 */
export async function bundlePageFile(modules: string, dist: string): Promise<void> {
  await build({
    entryPoints: [join(modules, 'src/index.js')],
    outfile: join(dist, PAGE_FILE),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8', // the texts of GPU kernels and messages have letters of mathematics
    banner: { js: '/*! gammabeta, MIT license */' },
    plugins: [packagesBeside('./')],
  });
}
