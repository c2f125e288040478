import { bytesOf } from './bytes.ts';
import { DataError } from './data-error.ts';
import type { Dataset } from './dataset.ts';
import { isGzip, isHtml } from './signatures.ts';

/** The names of CIFAR-10's classes: label k is `cifar10Classes[k]`. */
export const cifar10Classes: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** The number of values in an image: 32·32 red values, then 32·32 green ones, then 32·32 blue ones. */
export const CIFAR10_PIXELS = 3072;
const RECORD = 1 + CIFAR10_PIXELS;

/** The dataset that {@link parseCifar10} returns: images and labels in bytes. */
export interface Cifar10Images extends Dataset {
  readonly x: Uint8Array;
  readonly labels: Uint8Array;
  readonly divisor: 255;
}

/**
 * Reads a file of CIFAR-10's binary version, such as `data_batch_1.bin`. Runs in browsers too.
 *
 * The file consists of records of 3,073 bytes: a label, 0 … 9, and an image of 32×32 pixels: the red values row by
 * row, then the green ones, then the blue ones.
 *
 * @param file the bytes of the whole file, not compressed: a Uint8Array or an ArrayBuffer
 * @returns a dataset that shares no memory with `file`: x with examples of shape [3072], which are divided by 255 when
 *   batches are made, and the labels. For pixels from −1 to 1: `{ ...data, mean: 0.5, deviation: 0.5 }`
 * @throws {DataError} if the file is neither of these, is empty or truncated, has a label above 9, or is another file:
 *   compressed, the archive, the Python version, CIFAR-100, or an HTML page that a server sent in place of the file
 * @see Krizhevsky 2009, Learning multiple layers of features from tiny images; "Binary version" in
 *   https://www.cs.toronto.edu/~kriz/cifar.html
 * @example
 * ```ts
 * import { cifar10Classes, parseCifar10 } from 'gammabeta';
 *
 * const file = new Uint8Array(2 * 3073);
 * file.set([6, 255, 128], 0); // the first image: its label, its first two red values
 * file.set([9], 3073);
 * const { x, labels, shape } = parseCifar10(file);
 * console.log(x.length, shape); // 6144 [ 3072 ]
 * console.log(Array.from(labels, (label) => cifar10Classes[label])); // [ 'frog', 'truck' ]
 * ```
 */
export function parseCifar10(file: Uint8Array | ArrayBuffer): Cifar10Images {
  const bytes = bytesOf('parseCifar10', file);
  refuseOtherFiles(bytes);
  const count = bytes.length / RECORD;
  const x = new Uint8Array(count * CIFAR10_PIXELS);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = bytes[i * RECORD];
    if (label >= cifar10Classes.length) {
      throw refused(
        `label ${i} of ${count} is not a class: ${label}`,
        'labels are 0 to 9: the file is damaged or not CIFAR-10, get it again',
      );
    }
    labels[i] = label;
    x.set(bytes.subarray(i * RECORD + 1, (i + 1) * RECORD), i * CIFAR10_PIXELS);
  }
  return { x, shape: [CIFAR10_PIXELS], labels, divisor: 255 };
}

/** Recognizes the files that are often passed by mistake, and refuses each with its own message. */
function refuseOtherFiles(bytes: Uint8Array): void {
  if (bytes.length === 0) throw refused('the file is empty: 0 bytes', 'get it again');
  if (isHtml(bytes)) {
    throw refused(
      'this is an HTML page, not a file of CIFAR-10: the server, or a proxy, sent it instead',
      'download it again, and look at the file',
    );
  }
  if (isGzip(bytes)) {
    throw refused(
      'these bytes are still compressed: they begin with 1f 8b, as gzip does',
      "gunzip them first: gunzipSync of node:zlib, or DecompressionStream('gzip') in a browser",
    );
  }
  if (new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar') {
    throw refused(
      'this is the tar archive, not a file from it',
      'unpack it, and use data_batch_1.bin … data_batch_5.bin and test_batch.bin',
    );
  }
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) {
    throw refused(
      'this is a Python pickle, from the Python version of CIFAR-10',
      'get the binary version, cifar-10-binary.tar.gz',
    );
  }
  if (bytes.length % RECORD === 0) return;
  if (bytes.length % (RECORD + 1) === 0) {
    throw refused(
      `these are records of 3074 bytes, as CIFAR-100 has them: ${bytes.length} bytes`,
      'get the binary version of CIFAR-10, which has one label for each image instead of two',
    );
  }
  throw refused(
    `the file does not consist of records of ${RECORD} bytes: ${bytes.length} bytes are ` +
      `${Math.floor(bytes.length / RECORD)} records and ${bytes.length % RECORD} bytes`,
    'the file was cut short, or is not CIFAR-10: get it again',
  );
}

function refused(problem: string, hint: string): DataError {
  return new DataError('parseCifar10', problem, hint);
}
