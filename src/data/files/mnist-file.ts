import { DataError } from '../data-error.ts';
import { checkClassLabels } from '../dataset.ts';
import { type IdxArray, sizeOfIdx, viewIdx } from '../idx.ts';
import { naming, readContents, reasonOf, sha256 } from './files.ts';

/** One of the four files of MNIST. */
export interface MnistFile {
  readonly name: string;
  readonly kind: 'images' | 'labels';
  /** The size of the decompressed contents in bytes; compressed sizes may differ between mirrors. */
  readonly size: number;
  /** The SHA-256 of the decompressed contents. */
  readonly sha256: string;
}

/** Training images and labels, test images and labels. */
export const mnistFiles: readonly MnistFile[] = [
  {
    name: 'train-images-idx3-ubyte',
    kind: 'images',
    size: 47_040_016,
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  {
    name: 'train-labels-idx1-ubyte',
    kind: 'labels',
    size: 60_008,
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  {
    name: 't10k-images-idx3-ubyte',
    kind: 'images',
    size: 7_840_016,
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  {
    name: 't10k-labels-idx1-ubyte',
    kind: 'labels',
    size: 10_008,
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
];

/** The decompressed bytes of a file, and its data in the same memory: n·784 pixels or n labels. */
interface MnistContents {
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * Reads one file and checks its form: images [n, 28, 28], or n labels in 0 … 9. Decompression ends at the size that the
 * file's header announces, and at `most` bytes.
 */
export async function readMnistFile(file: MnistFile, path: string, most: number): Promise<MnistContents> {
  const bytes = await readContents({ op: 'loadMnist', hint: AGAIN }, path, (start) =>
    Math.min(sizeOfIdx(start), most),
  );
  return { bytes, data: naming('loadMnist', path, () => ofKind(file.kind, viewIdx(bytes))) };
}

function ofKind(kind: MnistFile['kind'], { shape, dtype, data }: IdxArray): Uint8Array {
  const bytes = dtype === 'uint8';
  const holds = {
    images: bytes && shape.length === 3 && shape[1] === 28 && shape[2] === 28,
    labels: bytes && shape.length === 1,
  };
  if (bytes && holds[kind]) {
    if (kind === 'labels') checkClassLabels('loadMnist', data, 10);
    return data;
  }
  const swapped = holds.images || holds.labels;
  const wanted = { images: 'images, uint8 [n, 28, 28]', labels: 'labels, uint8 [n]' }[kind];
  throw new DataError(
    'loadMnist',
    `expected ${wanted}, found ${swapped ? (holds.images ? 'images, ' : 'labels, ') : ''}${dtype} [${shape.join(', ')}]`,
    swapped ? 'images and labels were swapped, or a file was renamed: look at the names' : AGAIN,
  );
}

/** Compares a downloaded file with the expected size and checksum. Returns the problem, or null if it is right. */
export async function wrongWith(file: MnistFile, path: string): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readContents({ op: 'loadMnist', hint: AGAIN }, path, () => file.size);
  } catch (error) {
    return `its bytes cannot be unpacked: ${reasonOf(error instanceof DataError ? error.cause : error)}`;
  }
  if (bytes.length !== file.size) return `it has ${bytes.length} bytes unpacked instead of ${file.size}`;
  const found = sha256(bytes);
  return found === file.sha256 ? null : `it has the SHA-256 ${found} instead of ${file.sha256}`;
}

/** Throws {@link DataError} if the bytes are not those of the MNIST file. */
export function checkHash(file: MnistFile, path: string, bytes: Uint8Array): void {
  const found = sha256(bytes);
  if (found === file.sha256) return;
  const other = mnistFiles.find(({ sha256 }) => sha256 === found);
  const isOther = other === undefined ? '' : `, which is ${other.name}`;
  throw new DataError(
    'loadMnist',
    `${path} is not MNIST's ${file.name}: expected SHA-256 ${file.sha256}, found ${found}${isOther}`,
    `${AGAIN}; for data that only has the form of MNIST (Fashion-MNIST), pass { verify: false }`,
  );
}

const AGAIN = 'the file is damaged or not the right one: download it again';
