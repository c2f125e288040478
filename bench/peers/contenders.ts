/** The libraries that are compared, and how to start each. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GammaBetaError } from '../../src/index.ts';

export const contenderNames = ['gammabeta', 'pytorch', 'jax-js', 'tfjs-wasm', 'tfjs-cpu'] as const;

export type ContenderName = (typeof contenderNames)[number];

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, '../..');
const implementation = (file: string): string => join(import.meta.dirname, 'contenders', file);

/** WebAssembly flags of this process, which all contenders in Node get as well. */
export const nodeFlags: readonly string[] = process.execArgv.filter((flag) => /^--[\w-]*wasm/.test(flag));

/** How contenders run. */
export interface Running {
  /** gammabeta's device; by default the one that every program starts with. */
  readonly device?: string | undefined;
  /** Threads of gammabeta, and of the matrix products of PyTorch. The others have one thread in Node. Default 1. */
  readonly threads?: number | undefined;
}

/**
 * Returns the command that starts a contender.
 *
 * @throws {GammaBetaError} It is not installed, or not built.
 */
export function launchOf(name: ContenderName, running: Running): Launch {
  switch (name) {
    case 'gammabeta':
      return gammabeta(running);
    case 'pytorch':
      return pytorch(running);
    case 'jax-js':
      return fromPackages(name, ['@jax-js/jax'], ['jax-js.js']);
    case 'tfjs-wasm':
      return fromPackages(
        name,
        ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
        ['tfjs.js', 'wasm'],
      );
    case 'tfjs-cpu':
      return fromPackages(
        name,
        ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'],
        ['tfjs.js', 'cpu'],
      );
  }
}

function node([file, ...args]: readonly string[], env: Launch['env'] = {}): Launch {
  return { command: process.execPath, args: [...nodeFlags, implementation(file), ...args], env };
}

function gammabeta(running: Running): Launch {
  const built = join(root, 'dist/src/index.js');
  if (!existsSync(built)) {
    throw new GammaBetaError('gammabeta', `not built: no ${relative(root, built)}`, 'npm run build');
  }
  return launchOfEntry(pathToFileURL(built).href, running);
}

/** Starts gammabeta from the URL of its main module. The default device is the one that every program starts with. */
export function launchOfEntry(entry: string, { device, threads }: Running): Launch {
  return node(['gammabeta.js', entry], {
    ...(device !== undefined && { GAMMABETA_DEVICE: device }),
    ...(threads !== undefined && { GAMMABETA_THREADS: String(threads) }),
  });
}

/** A source file that is newer than dist, if there is one. */
export function newerThanBuilt(): string | undefined {
  const built = statSync(join(root, 'dist/src/index.js')).mtimeMs;
  return ['kernels', 'src']
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).mtimeMs > built)
    .map((file) => relative(root, file))[0];
}

function fromPackages(name: ContenderName, packages: readonly string[], args: readonly string[]): Launch {
  expectInstalled(name, packages);
  return node(args);
}

/** @throws {GammaBetaError} A package of a contender is not installed. */
export function expectInstalled(name: ContenderName, packages: readonly string[]): void {
  const missing = packages.filter((each) => !existsSync(join(import.meta.dirname, 'node_modules', each)));
  if (missing.length === 0) return;
  throw new GammaBetaError(name, `not installed: ${missing.join(', ')}`, 'npm ci --prefix bench/peers');
}

/** Uses the first Python that can import torch: `python3` on the PATH may differ from the system's Python. */
function pytorch({ threads: count = 1 }: Running): Launch {
  const { PYTHON } = process.env;
  const candidates = PYTHON === undefined ? ['python3', '/usr/bin/python3'] : [PYTHON];
  const python = candidates.find((each) => spawnSync(each, ['-c', 'import torch']).status === 0);
  if (python === undefined) {
    throw new GammaBetaError(
      'pytorch',
      `not installed: no torch in ${candidates.join(', ')}`,
      'apt-get install python3-torch, or set PYTHON to a Python that has torch',
    );
  }
  // OpenMP stays on one thread: with more, the steps were several times slower.
  const threads = ['OMP', 'MKL', 'OPENBLAS', 'BLIS', 'NUMEXPR'].map((library) => [
    `${library}_NUM_THREADS`,
    library === 'OPENBLAS' ? String(count) : '1',
  ]);
  return {
    command: python,
    args: ['-B', implementation('pytorch.py')], // -B writes no bytecode into this folder
    env: Object.fromEntries(threads) as Record<string, string>,
  };
}
