/** For tests that run in a page: what only Node can do, the same training there, and reading MNIST's files. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import type { BrowserCommand } from 'vitest/node';
import type { Trained } from './train.ts';

/** Relaxed SIMD, which Chromium has, is behind a flag in Node 20. */
const relaxed = Number.parseInt(process.versions.node) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

export const trainInNode: BrowserCommand = (): Trained => {
  const script = `
    import { trained } from ${JSON.stringify(join(import.meta.dirname, 'train.ts'))};
    console.log(JSON.stringify(await trained()));`;
  const args = [...relaxed, '--import', 'tsx', '--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Trained;
};

/** Where MNIST may be, as for the tests in Node. */
const folders = [process.env.MNIST_DIR, '../shared/data/mnist'];

/** The files of MNIST's training images and labels as base64, unzipped and cut; null where they are not. */
export const firstOfMnist: BrowserCommand<[count: number]> = (_context, count): MnistFiles | null => {
  const folder = folders.find((path) => path && existsSync(join(path, 'train-images-idx3-ubyte.gz')));
  if (folder === undefined) return null;
  const read = (name: string, from: number, bytes: number) =>
    gunzipSync(readFileSync(join(folder, `train-${name}-ubyte.gz`))).toString('base64', from, from + bytes);
  return { images: read('images-idx3', 16, 784 * count), labels: read('labels-idx1', 8, count) };
};

/** Bytes as base64. */
export interface MnistFiles {
  readonly images: string;
  readonly labels: string;
}

declare module 'vitest/browser' {
  interface BrowserCommands {
    firstOfMnist: (count: number) => Promise<MnistFiles | null>;
    trainInNode: () => Promise<Trained>;
  }
}
