import { join } from 'node:path';
import { checkDataset, type Dataset } from '../dataset.ts';
import type { Patience } from '../download/transfer.ts';
import { DataError } from '../errors.ts';
import { allInOrder, namesIn, naming } from './files.ts';
import { downloadMnist, type MnistMirrors, publicMnist } from '../download/mnist-download.ts';
import { checkHash, mnistFiles, readMnistFile } from './mnist-file.ts';
import { checkOptions } from '../options.ts';
import { type DataOrigin, find, sourceOptions, type SourceOptions } from './source.ts';

/** The two parts of MNIST: 60,000 and 10,000 images of handwritten digits. */
export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Where they were found. */
  readonly origin: DataOrigin;
}

/**
 * `dir`'s default is the folder that MNIST_DIR names; `verify: false` is for data of the same form, such as
 * Fashion-MNIST.
 */
export type MnistOptions = SourceOptions;

const HOW_TO_GET_IT =
  `download ${mnistFiles.map(({ name }) => `${name}.gz`).join(', ')} from ` +
  `${publicMnist.mirrors.join(' or ')} into one folder`;

const HOW_TO_GO_ON =
  'look at the connection and try again, which goes on where this broke off (behind a proxy, Node 24 heeds ' +
  'HTTPS_PROXY with NODE_USE_ENV_PROXY=1); or get the files on another machine, and set MNIST_DIR=path/to/them, or ' +
  'pass loadMnist({ dir }) (--data in the examples)';

/**
 * Reads MNIST from its four IDX files, gzipped or not, and checks them against known SHA-256 checksums. Node only.
 *
 * The folder is the option `dir`, else that which the environment variable MNIST_DIR names, else the cache, which
 * `download: true` fills: from two mirrors, four files, 11.6 MB. They are kept in the user's cache folder
 * (`~/.cache/gammabeta`, `~/Library/Caches/gammabeta` or `%LOCALAPPDATA%\gammabeta\Cache`; the environment variable
 * GAMMABETA_CACHE names another), where no file appears before all of it is there and right. A download that was
 * interrupted goes on where it broke off; two processes that need it share one. Without `download: true` the network
 * is never touched.
 *
 * An image is 28×28 gray values, row by row, as bytes: 0 is the background, 255 the ink; batches of it are
 * divided by 255. A label is the digit, 0 … 9.
 *
 * @returns `train`, 60,000 examples, and `test`, 10,000, each with x of shape [784] and labels, Uint8Arrays
 * @throws {DataError} if a folder that is named is not there, or none is and the cache is empty; for missing files, naming
 *   all of them; for a file that is an HTML page, truncated, labels in the place of images, or different from
 *   MNIST's; if no mirror has a file, naming each and why; if the cache cannot be written
 * @throws the signal's reason, once it is aborted
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

/** The same with other mirrors and other files, and other times to wait: for tests. */
export async function loadMnistFrom(
  mirrors: MnistMirrors,
  options: MnistOptions,
  patience?: Patience,
): Promise<Mnist> {
  checkOptions('loadMnist', options, sourceOptions);
  const { signal, onProgress } = options;
  const downloading = {
    op: 'loadMnist',
    hint: HOW_TO_GO_ON,
    signal,
    onProgress,
    ...(patience && { patience }),
  };
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

async function readMnist(
  dir: string,
  verify: boolean,
  { files }: MnistMirrors,
): Promise<Omit<Mnist, 'origin'>> {
  const paths = await findFiles(dir);
  const contents = await allInOrder(files.map((file, i) => readMnistFile(file, paths[i])));
  // Checksums after the form of all files, because they are right about every damage and helpful about none:
  // that one of the files is an HTML page, or cut short, says more.
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

/** Both names that are around, `…-idx3-ubyte` and `….idx3-ubyte`, plain (quicker to read) or gzipped. */
function spellings(name: string): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [name, `${name}.gz`, dotted, `${dotted}.gz`];
}
