/** Commands that tests in a page run in Node: the same training, and reading the MNIST files. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import type { BrowserCommand } from 'vitest/node';
import type { Trained } from './train.ts';

/** Node 20 needs a flag for relaxed SIMD, which Chromium supports by default. */
const relaxed = Number.parseInt(process.versions.node) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

export const trainInNode: BrowserCommand = (): Trained => {
  const script = `
    import { trained } from ${JSON.stringify(join(import.meta.dirname, 'train.ts'))};
    console.log(JSON.stringify(await trained()));`;
  const args = [...relaxed, '--import', 'tsx', '--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Trained;
};

/** The folders that may hold MNIST, as in the tests in Node. */
const folders = [process.env.MNIST_DIR, '../shared/data/mnist'];

/** The first `count` training images and labels of MNIST as base64, or null if the files are missing. */
export const firstOfMnist: BrowserCommand<[count: number]> = (_context, count): MnistFiles | null => {
  const folder = folders.find((path) => path && existsSync(join(path, 'train-images-idx3-ubyte.gz')));
  if (folder === undefined) return null;
  const read = (name: string, from: number, bytes: number) =>
    gunzipSync(readFileSync(join(folder, `train-${name}-ubyte.gz`))).toString('base64', from, from + bytes);
  return { images: read('images-idx3', 16, 784 * count), labels: read('labels-idx1', 8, count) };
};

/** Images and labels, base64. */
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
