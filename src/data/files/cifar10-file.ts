import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CIFAR10_PIXELS, type Cifar10Images, parseCifar10 } from '../cifar10.ts';
import { DataError } from '../data-error.ts';
import {
  CHECKSUMS,
  type Cifar10Archive,
  cifar10Files,
  downloadCifar10,
  publicCifar10,
} from '../download/cifar10-archive.ts';
import type { TimeLimit } from '../download/download.ts';
import { namesIn, naming, readContents, sha256 } from './files.ts';
import { type DataOrigin, expectSource, find, type SourceOptions } from './source.ts';

/** The two parts of CIFAR-10: 50,000 and 10,000 color images; fewer for a subset. */
export interface Cifar10 {
  readonly train: Cifar10Images;
  readonly test: Cifar10Images;
  /** Where they were found. */
  readonly origin: DataOrigin;
}

/** The default of `dir` is the folder that CIFAR10_DIR names; `verify` compares with the folder's SHA256SUMS, if it has one. */
export type Cifar10Options = SourceOptions;

const [HOME] = publicCifar10.urls;
const HOW_TO_GET_IT = `download ${HOME} and unpack it`;

const HOW_TO_GO_ON =
  'check the connection and try again (behind a proxy, Node 24 uses HTTPS_PROXY with NODE_USE_ENV_PROXY=1); ' +
  `or get ${HOME} on another machine, unpack it, and set ` +
  'CIFAR10_DIR=path/to/cifar-10-batches-bin, or pass loadCifar10({ dir }) (--data in the examples)';

/** The largest file that is decompressed: all 60,000 images in one. */
const LARGEST = 60_000 * (1 + CIFAR10_PIXELS);

const AGAIN = 'the file is damaged or not the right one: get it again';

/**
 * Reads CIFAR-10 from the files of its binary version, gzipped or not: `data_batch_1.bin` … `data_batch_5.bin` and
 * `test_batch.bin`. A folder with only `data_batch_1.bin` and `test_batch.bin`, with any number of images, is read as a
 * subset. Node only.
 *
 * The folder is the option `dir`, else the one that the environment variable CIFAR10_DIR names, else the cache. With
 * `download: true`, https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (170 MB, unpacked 184 MB) is downloaded into
 * the cache, as by `loadMnist`. Without `download: true` the network is not used.
 *
 * The size and the SHA-256 of the archive are checked after the download, and the checksums of the unpacked files each
 * time they are read from the cache. In a folder of your own, only form and labels are checked, since no checksums of the
 * single files are published.
 *
 * @returns `train` and `test`, each with x of shape [3072]: the red, green and blue planes of 32×32 bytes, which are
 *   divided by 255 when batches are made; and labels 0 … 9, whose names are `cifar10Classes`. For pixels from −1 to 1:
 *   `{ ...train, mean: 0.5, deviation: 0.5 }`
 * @throws {DataError} if the named folder does not exist, or none is named and the cache is empty; for missing files,
 *   with the names of all; for a file that is an HTML page, truncated, of another format, or has labels above 9; if the
 *   archive cannot be downloaded, with the reason; if the cache cannot be written
 * @throws the signal's reason, if it is aborted
 * @see Krizhevsky 2009, Learning multiple layers of features from tiny images
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { DataLoader } from 'gammabeta';
 * import { loadCifar10 } from 'gammabeta/node';
 *
 * const dir = await mkdtemp(join(tmpdir(), 'gammabeta-')); // in place of the real one: three black images
 * await writeFile(join(dir, 'data_batch_1.bin'), new Uint8Array(2 * 3073));
 * await writeFile(join(dir, 'test_batch.bin'), new Uint8Array(3073));
 *
 * const { train, test } = await loadCifar10({ dir });
 * console.log(train.labels.length, test.labels.length); // 2 1
 * const [batch] = new DataLoader({ ...train, mean: 0.5, deviation: 0.5 }, { batchSize: 2 });
 * console.log(batch.shape, batch.x[0]); // [ 2, 3072 ] -1
 * ```
 */
export function loadCifar10(options: Cifar10Options = {}): Promise<Cifar10> {
  return loadCifar10From(publicCifar10, options);
}

/** {@link loadCifar10} with another archive and other time limits, for tests. */
export async function loadCifar10From(
  archive: Cifar10Archive,
  options: Cifar10Options,
  timeLimit?: TimeLimit,
): Promise<Cifar10> {
  expectSource('loadCifar10', options);
  const { signal, onProgress } = options;
  const downloading = { op: 'loadCifar10', hint: HOW_TO_GO_ON, signal, onProgress, timeLimit };
  return find(
    {
      op: 'loadCifar10',
      name: 'cifar10',
      variable: 'CIFAR10_DIR',
      hint: HOW_TO_GET_IT,
      read: readCifar10,
      isComplete: async (dir) => (await namesIn(reader, dir).catch((): string[] => [])).includes(CHECKSUMS),
      download: (dir) => downloadCifar10(dir, archive, downloading),
    },
    options,
  );
}

const reader = { op: 'loadCifar10', hint: HOW_TO_GET_IT };

async function readCifar10(dir: string, verify: boolean): Promise<Omit<Cifar10, 'origin'>> {
  const names = await namesIn(reader, dir);
  const paths = findFiles(dir, names);
  const sums =
    verify && names.includes(CHECKSUMS) ? await readSums(join(dir, CHECKSUMS)) : new Map<string, string>();
  const parts: Cifar10Images[] = [];
  for (const [name, path] of paths) {
    // One after the other, so that only one file is in memory together with the images copied from it.
    const bytes = await readContents({ op: 'loadCifar10', hint: AGAIN }, path, () => LARGEST);
    parts.push(naming('loadCifar10', path, () => parseCifar10(bytes)));
    checkSum(path, bytes, sums.get(name));
  }
  return { train: joined(parts.slice(0, -1)), test: parts[parts.length - 1] };
}

/** The files to read, with their paths; the last one has the test images. */
function findFiles(dir: string, names: readonly string[]): [name: string, path: string][] {
  const found = cifar10Files.map((name) => [name, `${name}.gz`].find((spelling) => names.includes(spelling)));
  // All six, or the two of a subset. If only some of the batches 2 … 5 are missing, the folder is incomplete.
  const isSubset =
    !names.includes(CHECKSUMS) && found.slice(1, 5).every((spelling) => spelling === undefined);
  const needed = isSubset ? [0, 5] : [0, 1, 2, 3, 4, 5];
  const missing = needed.filter((i) => found[i] === undefined).map((i) => cifar10Files[i]);
  if (missing.length > 0) {
    const unpacked = 'name the folder cifar-10-batches-bin that it contains';
    throw new DataError(
      'loadCifar10',
      `missing in ${dir}: ${missing.join(', ')} (each as it is, or with .gz)`,
      `${HOW_TO_GET_IT}; ${unpacked}`,
    );
  }
  return needed.map((i) => [cifar10Files[i], join(dir, found[i] ?? '')]);
}

/** The checksum of each name, from lines of the form `<sha256>  <name>`. */
async function readSums(path: string): Promise<Map<string, string>> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(/\s+\*?/));
  return new Map(lines.map(([sum, name]) => [name, sum]));
}

function checkSum(path: string, bytes: Uint8Array, expected: string | undefined): void {
  if (expected === undefined) return;
  const found = sha256(bytes);
  if (found === expected) return;
  throw new DataError(
    'loadCifar10',
    `${path} does not match ${CHECKSUMS} in its folder: expected SHA-256 ${expected}, found ${found}`,
    AGAIN,
  );
}

function joined(parts: readonly Cifar10Images[]): Cifar10Images {
  if (parts.length === 1) return parts[0];
  const count = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const x = new Uint8Array(count * CIFAR10_PIXELS);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    x.set(part.x, at * CIFAR10_PIXELS);
    labels.set(part.labels, at);
    at += part.labels.length;
  }
  return { ...parts[0], x, labels };
}
