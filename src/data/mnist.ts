import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDataset, type Dataset } from './dataset.ts';
import { DataError } from './errors.ts';
import { checkHash, mnistFiles, naming, readMnistFile } from './mnist-file.ts';
import { checkOptions } from './options.ts';

/** The two parts of MNIST: 60,000 and 10,000 images of handwritten digits. */
export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
}

export interface MnistOptions {
  /** The folder of the four files. Default: the environment variable MNIST_DIR. */
  readonly dir?: string;
  /** Compare SHA-256 checksums. Default true; false for data of the same form, such as Fashion-MNIST. */
  readonly verify?: boolean;
}

const HOW_TO_GET_IT =
  `download ${mnistFiles.map(({ name }) => `${name}.gz`).join(', ')} from ` +
  'https://storage.googleapis.com/cvdf-datasets/mnist/ or https://ossci-datasets.s3.amazonaws.com/mnist/ ' +
  'into one folder';

/**
 * Reads MNIST from the four IDX files in a folder, gzipped or not, and checks them against known SHA-256
 * checksums. Node only; nothing is downloaded.
 *
 * An image is 28×28 gray values, row by row, as bytes: 0 is the background, 255 the ink; batches of it are
 * divided by 255. A label is the digit, 0 … 9.
 *
 * @returns `train`, 60,000 examples, and `test`, 10,000, each with x of shape [784] and labels, Uint8Arrays
 * @throws {DataError} if no folder is named, or it is not there; for missing files, naming all of them; for a
 *   file that is an HTML page, truncated, labels in the place of images, or different from MNIST's
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
export async function loadMnist(options: MnistOptions = {}): Promise<Mnist> {
  checkOptions('loadMnist', options, ['dir', 'verify']);
  const { dir = process.env.MNIST_DIR, verify = true } = options;
  if (dir === undefined || dir === '') {
    throw new DataError(
      'loadMnist',
      'no folder is named: neither the option dir nor the environment variable MNIST_DIR is set',
      `${HOW_TO_GET_IT}, then set MNIST_DIR=path/to/it, or pass loadMnist({ dir }) (--data in the examples)`,
    );
  }
  const paths = await findFiles(dir);
  const results = await Promise.allSettled(mnistFiles.map((file, i) => readMnistFile(file, paths[i])));
  const contents = results.map((result) => {
    // The first in the order of the list, not in time: the same files always give the same message.
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  // Checksums after the form of all files, because they are right about every damage and helpful about none:
  // that one of the files is an HTML page, or cut short, says more.
  if (verify) contents.forEach(({ bytes }, i) => checkHash(mnistFiles[i], paths[i], bytes));
  const [trainX, trainY, testX, testY] = contents.map(({ data }) => data);
  return { train: digits('train', trainX, trainY), test: digits('test', testX, testY) };
}

function digits(part: string, x: Uint8Array, labels: Uint8Array): Dataset {
  const dataset = { x, shape: [784], labels, divisor: 255 };
  naming(part, () => checkDataset('loadMnist', dataset));
  return dataset;
}

/** The paths of the four files, in the order of `mnistFiles`. */
async function findFiles(dir: string): Promise<string[]> {
  const entries = await list(dir);
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

/** The names of what is in a folder and is no folder itself: some unpackers make one for each file. */
async function list(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError('loadMnist', `the folder ${dir} cannot be read: ${reason}`, HOW_TO_GET_IT, { cause });
  }
}

/** Both names that are around, `…-idx3-ubyte` and `….idx3-ubyte`, plain (quicker to read) or gzipped. */
function spellings(name: string): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [name, `${name}.gz`, dotted, `${dotted}.gz`];
}
