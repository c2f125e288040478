import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { checkClassLabels } from './dataset.ts';
import { DataError } from './errors.ts';
import { parseIdx, type IdxArray } from './idx.ts';

/** One of the four files of MNIST. */
export interface MnistFile {
  readonly name: string;
  readonly kind: 'images' | 'labels';
  /** Of the uncompressed contents: a gzip wrapper differs between mirrors. */
  readonly sha256: string;
}

/** In the order: training images and labels, test images and labels. */
export const mnistFiles: readonly MnistFile[] = [
  {
    name: 'train-images-idx3-ubyte',
    kind: 'images',
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  {
    name: 'train-labels-idx1-ubyte',
    kind: 'labels',
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  {
    name: 't10k-images-idx3-ubyte',
    kind: 'images',
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  {
    name: 't10k-labels-idx1-ubyte',
    kind: 'labels',
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
];

/** The bytes of a file, decompressed, and what it holds: n·784 pixels or n labels. */
interface MnistContents {
  readonly bytes: Uint8Array;
  readonly data: Uint8Array;
}

/** Reads one file and checks its form: images [n, 28, 28], or n labels in 0 … 9. */
export async function readMnistFile(file: MnistFile, path: string): Promise<MnistContents> {
  const bytes = await contents(path);
  return { bytes, data: naming(path, () => ofKind(file.kind, parseIdx(bytes))) };
}

/** Whether to gunzip is seen from the bytes: some programs decompress a download and leave its name. */
async function contents(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? await promisify(gunzip)(bytes) : bytes;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError('loadMnist', `${path} cannot be read: ${reason}`, AGAIN, { cause });
  }
}

/** Says which file or part it was that a check refused. */
export function naming<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError('loadMnist', `${what}: ${cause.problem}`, cause.hint, { cause });
  }
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

/** Throws {@link DataError} where the bytes are not those of MNIST. */
export function checkHash(file: MnistFile, path: string, bytes: Uint8Array): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === file.sha256) return;
  const other = mnistFiles.find(({ sha256 }) => sha256 === found);
  const isOther = other === undefined ? '' : `, which is ${other.name}`;
  throw new DataError(
    'loadMnist',
    `${path} is not MNIST's ${file.name}: expected SHA-256 ${file.sha256}, found ${found}${isOther}`,
    `${AGAIN}; for data that only has the form of MNIST (Fashion-MNIST), pass { verify: false }`,
  );
}

const AGAIN = 'the file is damaged or another: download it again';
