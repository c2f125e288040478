/**
 * Bundles the entries of the package for Node, Bun and Deno. Reading a hundred small files takes most of the time until the
 * first result; a bundle takes a third of it.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { packagesBeside } from './packages.ts';

const entries = ['index', 'node', 'onnx', 'networks'];

/**
 * Writes `src/index.js` and the other entries into `dist`, with the files that they share.
 *
 * @param modules The folder of the compiled modules.
 */
export async function bundleForNode(modules: string, dist: string): Promise<void> {
  await build({
    entryPoints: entries.map((entry) => join(modules, `src/${entry}.js`)),
    outdir: join(dist, 'src'),
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    target: 'node20.19',
    charset: 'utf8', // the texts of GPU kernels and messages have letters of mathematics
    legalComments: 'none', // the files of bundled packages have them
    plugins: [packagesBeside('../')],
  });
}
