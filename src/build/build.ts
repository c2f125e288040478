/**
 * Builds what the package contains into a folder, by default `dist`:
 *
 * - `modules`: the library, compiled by tsc file by file, from which bundlers take what a program uses;
 * - `src`, `kernels`: its types; and its entries for Node, bundled so that they load fast;
 * - `gpu.js`: the package gpu.js in one file, which the library imports when a GPU is first requested;
 * - `pbf.js`: the package pbf, which `gammabeta/onnx` imports;
 * - `gammabeta.min.js`: the main entry in one file, for pages without a bundler;
 * - `command`: the command `gammabeta`, with the packages that only the experiments need;
 * - `explorer.html`: the page.
 *
 *     npm run build -- [folder]
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildCommand } from './command.ts';
import { bundleForNode } from './node-files.ts';
import { bundlePackages, importBundledPackages } from './packages.ts';
import { bundlePageFile } from './page-file.ts';

const root = join(import.meta.dirname, '../..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

/** The Python programs that `exportPyTorch` copies. */
const PYTHON = 'src/training/pytorch/python';
const modules = join(dist, 'modules');

/** Runs a program of the repository in a process of its own. */
const run = (program: string, ...options: string[]) =>
  promisify(execFile)(process.execPath, [join(root, program), ...options], { cwd: root });

async function compile(): Promise<void> {
  await run(
    'node_modules/typescript/bin/tsc',
    '-p',
    'src/tsconfig.build.json',
    '--outDir',
    modules,
    '--declarationDir',
    dist,
  );
  importBundledPackages(modules, dist);
  nameWorkerFile(modules);
  for (const folder of [join(modules, PYTHON), join(dist, 'src/python')]) {
    cpSync(join(root, PYTHON), folder, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  }
  await Promise.all([bundleForNode(modules, dist), bundlePageFile(modules, dist)]);
}
/** tsc changes the extensions of imports, but not that of the file that a worker is started from. */
function nameWorkerFile(modules: string): void {
  const path = join(modules, 'src/tensor/device/wasm/threads/start-worker.js');
  const parts = readFileSync(path, 'utf8').split("'./worker-file.ts'");
  if (parts.length !== 2)
    throw new Error(`${path} names ./worker-file.ts ${parts.length - 1} times, not once`);
  writeFileSync(path, parts.join("'./worker-file.js'"));
}

await Promise.all([
  compile(),
  bundlePackages(dist),
  buildCommand(dist),
  run('node_modules/tsx/dist/cli.mjs', 'examples/explorer/build.ts', dist),
]);
