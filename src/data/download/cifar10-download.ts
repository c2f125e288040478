import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download, type DownloadOptions, filling } from './download.ts';
import { DataError } from '../errors.ts';
import { reasonOf } from '../files/files.ts';
import { unpack } from './vendor.ts';

/** The six files, in the order of their images. */
export const cifar10Files: readonly string[] = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
  'test_batch.bin',
];

/** The checksums of the six files, in the form of sha256sum(1): written after all of them, so that it says they are there. */
export const CHECKSUMS = 'SHA256SUMS';

/** An archive with the six files. */
export interface Cifar10Archive {
  readonly urls: readonly string[];
  readonly size: number;
  readonly sha256: string;
}

/**
 * CIFAR-10's binary version at its home. Its author publishes the MD5 c32a1d4ab5d03f1284b67883e8d87530; size and SHA-256
 * are those of the same archive in TensorFlow Datasets (tensorflow_datasets/url_checksums/cifar10.txt). Of the six
 * files in it nobody publishes checksums: ours are taken when they come out of an archive that has this one.
 */
export const publicCifar10: Cifar10Archive = {
  urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
  size: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
};

/** Makes a folder of the cache hold the six files and their checksums: from the archive, which is then removed. */
export function downloadCifar10(
  folder: string,
  archive: Cifar10Archive,
  isRight: (folder: string) => Promise<boolean>,
  options: DownloadOptions,
): Promise<void> {
  const { urls, size } = archive;
  const { op, hint, signal, onProgress } = options;
  return filling(folder, options, async () => {
    if (await isRight(folder)) return; // another has just downloaded it
    const path = join(folder, 'cifar-10-binary.tar.gz');
    const wrong = (file: string) => wrongWith(archive, file);
    if ((await wrong(path)) !== null) await download(path, { urls, most: size, wrong }, options);
    onProgress?.({ state: 'unpacking', file: basename(path), url: urls[0], received: size, total: size });
    // Beside their places, then renamed: a file of the archive is there as a whole or not at all.
    const unfinished = join(folder, 'unpacking');
    await rm(unfinished, { recursive: true, force: true });
    try {
      await mkdir(unfinished);
      await unpack(path, unfinished, cifar10Files).catch((cause: unknown) => {
        if (cause instanceof Error && 'errno' in cause) throw cause; // the disk's
        throw new DataError(op, `${path} cannot be unpacked: ${reasonOf(cause)}`, hint, { cause });
      });
      const sums: string[] = [];
      for (const name of cifar10Files) sums.push(await flushed(op, join(unfinished, name), hint));
      await writeFile(
        join(unfinished, CHECKSUMS),
        cifar10Files.map((name, i) => `${sums[i]}  ${name}\n`).join(''),
      );
      signal?.throwIfAborted();
      for (const name of [...cifar10Files, CHECKSUMS])
        await rename(join(unfinished, name), join(folder, name));
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    await rm(path);
  });
}

async function wrongWith({ size, sha256 }: Cifar10Archive, path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found?.size !== size) return `it has ${found?.size ?? 0} bytes instead of ${size}`;
  const sum = await sha256Of(path);
  return sum === sha256 ? null : `it has the SHA-256 ${sum} instead of ${sha256}`;
}

/** The checksum of a file that came out of the archive, after it was flushed to the disk. */
async function flushed(op: string, path: string, hint: string): Promise<string> {
  const file = await open(path, 'r+').catch((cause: unknown) => {
    throw new DataError(op, `the archive has no ${basename(path)}`, hint, { cause });
  });
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  return sha256Of(path);
}

/** As it stands on the disk, without holding all of it in memory. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
