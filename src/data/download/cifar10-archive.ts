import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseTar } from 'nanotar';
import { reasonOf, sha256 } from '../files/files.ts';
import { download, type DownloadOptions, MirrorError } from './download.ts';

/** The six files, in the order of their images. */
export const cifar10Files: readonly string[] = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
  'test_batch.bin',
];

/** The checksums of the six files, in the format of sha256sum(1). It is written last, so it marks a complete folder. */
export const CHECKSUMS = 'SHA256SUMS';

/** An archive with the six files. */
export interface Cifar10Archive {
  readonly urls: readonly string[];
  readonly size: number;
  readonly sha256: string;
}

/**
 * The binary version of CIFAR-10 at its home. Its author publishes the MD5 c32a1d4ab5d03f1284b67883e8d87530; the size and
 * the SHA-256 are those of the same archive in TensorFlow Datasets (tensorflow_datasets/url_checksums/cifar10.txt). No
 * checksums of the six files are published: ours are computed when they are unpacked from the archive with this SHA-256.
 */
export const publicCifar10: Cifar10Archive = {
  urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
  size: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
};

/** Downloads the archive, and unpacks the six files with their checksums into a folder of the cache. */
export function downloadCifar10(
  folder: string,
  archive: Cifar10Archive,
  options: DownloadOptions,
): Promise<void> {
  const { urls, size } = archive;
  const name = 'cifar-10-binary.tar.gz';
  const store = async (temporary: string, url: string) => {
    const bytes = await readFile(temporary);
    if (bytes.length !== size) throw new MirrorError(`it has ${bytes.length} bytes instead of ${size}`);
    const sum = sha256(bytes);
    if (sum !== archive.sha256)
      throw new MirrorError(`it has the SHA-256 ${sum} instead of ${archive.sha256}`);
    options.onProgress?.({ state: 'unpacking', file: name, url, received: size, total: size });
    await write(folder, await unpack(bytes), options.signal);
  };
  return download(folder, { name, urls, most: size, store }, options);
}

/** The contents of the six files, in their order. */
async function unpack(archive: Uint8Array): Promise<Uint8Array[]> {
  let entries: Map<string, Uint8Array>;
  try {
    // A copy, since parseTar reads a view's whole buffer, and that of a Buffer may hold other bytes too.
    const tar = new Uint8Array(await promisify(gunzip)(archive));
    const isWanted = ({ name }: { name: string }) => cifar10Files.includes(basename(name));
    entries = new Map(
      parseTar(tar, { filter: isWanted }).map(({ name, data = new Uint8Array() }) => [basename(name), data]),
    );
  } catch (error) {
    throw new MirrorError(`it cannot be unpacked: ${reasonOf(error)}`);
  }
  return cifar10Files.map((name) => {
    const data = entries.get(name);
    if (data === undefined) throw new MirrorError(`the archive has no ${name}`);
    return data;
  });
}

/** Writes the files into a temporary folder, then renames them into place: none is ever there in part. */
async function write(
  folder: string,
  contents: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const temporary = await mkdtemp(join(folder, 'unpacking-'));
  try {
    const sums = contents.map((bytes, i) => `${sha256(bytes)}  ${cifar10Files[i]}\n`).join('');
    const files = [
      ...cifar10Files.map((name, i) => [name, contents[i]] as const),
      [CHECKSUMS, sums] as const,
    ];
    for (const [name, data] of files) {
      signal?.throwIfAborted();
      await writeFile(join(temporary, name), data, { flush: true });
    }
    for (const [name] of files) await rename(join(temporary, name), join(folder, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
