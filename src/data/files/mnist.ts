import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../data-error.ts';
import { checkDataset, type Dataset } from '../dataset.ts';
import { download, type DownloadOptions, MirrorError, type TimeLimit } from '../download/download.ts';
import { namesIn, naming } from './files.ts';
import { checkHash, type MnistFile, mnistFiles, readMnistFile, wrongWith } from './mnist-file.ts';
import { type DataOrigin, expectSource, find, type SourceOptions } from './source.ts';

/** The two parts of MNIST: 60,000 and 10,000 images of handwritten digits. */
export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Where they were found. */
  readonly origin: DataOrigin;
}

/**
 * The default of `dir` is the folder that MNIST_DIR names; `verify: false` is for data of the same form, such as
 * Fashion-MNIST.
 */
export type MnistOptions = SourceOptions;

/** Four files of MNIST's form, and where to download them. */
export interface MnistMirrors {
  readonly files: readonly MnistFile[];
  /** Addresses of folders, ending in a slash, in the order in which they are tried. */
  readonly mirrors: readonly string[];
}

/** Two public mirrors of MNIST. Its original host is gone: it answers with an HTML page and status 200. */
const publicMnist: MnistMirrors = {
  files: mnistFiles,
  mirrors: [
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
  ],
};

const HOW_TO_GET_IT =
  `download ${mnistFiles.map(({ name }) => `${name}.gz`).join(', ')} from ` +
  `${publicMnist.mirrors.join(' or ')} into one folder`;

const HOW_TO_GO_ON =
  'check the connection and try again (behind a proxy, Node 24 uses HTTPS_PROXY with NODE_USE_ENV_PROXY=1); or get ' +
  'the files on another machine, and set MNIST_DIR=path/to/them, or pass loadMnist({ dir }) (--data in the examples)';

/**
 * Reads MNIST from its four IDX files, gzipped or not, and checks their SHA-256 checksums. Node only.
 *
 * The folder is the option `dir`, else the one that the environment variable MNIST_DIR names, else the cache. With
 * `download: true`, files that are not in the cache are downloaded into it: four files, 11.6 MB, from one of two
 * mirrors. Without `download: true` the network is not used.
 *
 * The cache is the user's cache folder (`~/.cache/gammabeta`, `~/Library/Caches/gammabeta` or
 * `%LOCALAPPDATA%\gammabeta\Cache`), or the one that the environment variable GAMMABETA_CACHE names. A file is
 * downloaded under a temporary name, checked, and renamed. If a mirror fails, is too slow, or sends another file, the
 * next one is tried.
 *
 * An image is 28×28 gray values, row by row, as bytes: 0 is the background, 255 the ink; they are divided by 255 when
 * batches are made. A label is the digit, 0 … 9.
 *
 * @returns `train`, 60,000 examples, and `test`, 10,000, each with x of shape [784] and labels, in Uint8Arrays
 * @throws {DataError} if the named folder does not exist, or none is named and the cache is empty; for missing files,
 *   with the names of all; for a file that is an HTML page, truncated, labels in the place of images, or different from
 *   MNIST's; if no mirror sends a file, with the reason for each; if the cache cannot be written
 * @throws the signal's reason, if it is aborted
 * @see LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition
 * @example
 * ```ts
 * import { loadMnist } from 'gammabeta/node';
 *
 * const { train, test } = await loadMnist(); // from the folder that MNIST_DIR names
 * console.log(train.labels.length, test.labels.length); // 60000 10000
 * console.log(train.labels.subarray(0, 5)); // Uint8Array(5) [ 5, 0, 4, 1, 9 ]
 * ```
 */
export function loadMnist(options: MnistOptions = {}): Promise<Mnist> {
  return loadMnistFrom(publicMnist, options);
}

/** {@link loadMnist} with other files, mirrors and time limits, for tests. */
export async function loadMnistFrom(
  mirrors: MnistMirrors,
  options: MnistOptions,
  timeLimit?: TimeLimit,
): Promise<Mnist> {
  expectSource('loadMnist', options);
  const { signal, onProgress } = options;
  const downloading = { op: 'loadMnist', hint: HOW_TO_GO_ON, signal, onProgress, timeLimit };
  return find(
    {
      op: 'loadMnist',
      name: 'mnist',
      variable: 'MNIST_DIR',
      hint: HOW_TO_GET_IT,
      read: (dir, verify) => readMnist(dir, verify, mirrors),
      isComplete: async (dir) => (await findFiles(dir).catch(() => null)) !== null,
      download: (dir) => downloadMnist(dir, mirrors, downloading),
    },
    options,
  );
}

/** Downloads the files that are missing or damaged in a folder of the cache. They stay compressed. */
async function downloadMnist(
  folder: string,
  { files, mirrors }: MnistMirrors,
  options: DownloadOptions,
): Promise<void> {
  for (const file of files) {
    const name = `${file.name}.gz`;
    if ((await wrongWith(file, join(folder, name))) === null) continue;
    const store = async (temporary: string) => {
      const problem = await wrongWith(file, temporary);
      if (problem !== null) throw new MirrorError(problem);
      await rename(temporary, join(folder, name));
    };
    const urls = mirrors.map((mirror) => mirror + name);
    const most = file.size + 10_000; // gzip makes a file that it cannot compress slightly larger
    await download(folder, { name, urls, most, store }, options);
  }
}

async function readMnist(
  dir: string,
  verify: boolean,
  { files }: MnistMirrors,
): Promise<Omit<Mnist, 'origin'>> {
  const paths = await findFiles(dir);
  // Settled, so that the first wrong file is reported, whichever file is read first.
  const most = verify ? Math.max(...files.map(({ size }) => size)) : Infinity;
  const settled = await Promise.allSettled(files.map((file, i) => readMnistFile(file, paths[i], most)));
  const contents = settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  // Checksums last: "this is an HTML page" or "truncated" is more helpful than a wrong checksum.
  if (verify) contents.forEach(({ bytes }, i) => checkHash(files[i], paths[i], bytes));
  const [trainX, trainY, testX, testY] = contents.map(({ data }) => data);
  return { train: digits('train', trainX, trainY), test: digits('test', testX, testY) };
}

function digits(part: string, x: Uint8Array, labels: Uint8Array): Dataset {
  const dataset = { x, shape: [784], labels, divisor: 255 };
  naming('loadMnist', part, () => checkDataset('loadMnist', dataset));
  return dataset;
}

/** The paths of the four files, in the order of `mnistFiles`. */
async function findFiles(dir: string): Promise<string[]> {
  const entries = await namesIn({ op: 'loadMnist', hint: HOW_TO_GET_IT }, dir);
  const found = mnistFiles.map(({ name }) => spellings(name).find((spelling) => entries.includes(spelling)));
  const missing = mnistFiles.filter((_, i) => found[i] === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    throw new DataError(
      'loadMnist',
      `missing in ${dir}: ${missing.join(', ')} (each as it is, or with .gz)`,
      HOW_TO_GET_IT,
    );
  }
  return found.filter((name) => name !== undefined).map((name) => join(dir, name));
}

/** The names under which the file is found: with `-idx` or `.idx`, plain (first, since it is faster to read) or gzipped. */
function spellings(name: string): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [name, `${name}.gz`, dotted, `${dotted}.gz`];
}
