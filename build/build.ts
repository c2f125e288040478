/**
 * Builds what the package contains into a folder, by default `dist`:
 *
 * - `src`, `kernels`: the library, compiled by tsc file by file, with types;
 * - `gpu.js`: the package gpu.js in one file, which the library imports when a GPU is first requested;
 * - `gammabeta.min.js`: the main entry in one file, for pages without a bundler;
 * - `command`: the command `gammabeta`, with the packages that only the experiments need;
 * - `explorer.html`: the page.
 *
 *     npm run build -- [folder]
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildCommand } from './command.ts';
import { bundle as bundleExplorer } from '../examples/explorer/bundle.ts';
import { bundlePackages, importBundledPackages } from './packages.ts';
import { bundlePageFile } from './page-file.ts';

const root = join(import.meta.dirname, '..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const options = ['-p', join(root, 'src/tsconfig.build.json'), '--outDir', dist];

async function compile(): Promise<void> {
  await promisify(execFile)(process.execPath, [tsc, ...options]);
  importBundledPackages(dist);
  await bundlePageFile(dist);
}
await Promise.all([compile(), bundlePackages(dist), buildCommand(dist), bundleExplorer(dist)]);
