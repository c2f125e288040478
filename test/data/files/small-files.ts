import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type MnistFile, mnistFiles } from '../../../src/data/files/mnist-file.ts';
import { encodeIdx } from '../encode-idx.ts';

const images = (n: number) => {
  // Bytes that do not compress, so that half of a file is not empty.
  const data = Uint8Array.from({ length: n * 784 }, (_, i) => Math.imul(i ^ (i >>> 7), 0x9e3779b1) >>> 24);
  return encodeIdx({ shape: [n, 28, 28], dtype: 'uint8', data });
};
const labels = (...data: number[]) =>
  encodeIdx({ shape: [data.length], dtype: 'uint8', data: Uint8Array.from(data) });

const contents = [images(3), labels(5, 0, 9), images(2), labels(7, 2)];

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Four files of MNIST's form with five images, with their own sizes and checksums. */
export const smallFiles: readonly MnistFile[] = mnistFiles.map((file, i) => ({
  ...file,
  size: contents[i].length,
  sha256: sha256(contents[i]),
}));

/** The files as mirrors serve them: gzipped. */
export const served: ReadonlyMap<string, Uint8Array> = new Map(
  smallFiles.map(({ name }, i) => [`${name}.gz`, gzipSync(contents[i])]),
);

/** The name of the first of them. */
export const firstFile: string = [...served.keys()][0];
