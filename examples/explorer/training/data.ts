/** The images that the networks are trained on: the built-in digits, or MNIST files from the reader. */
import { DataError, type Dataset, digits, parseIdx } from '../../../src/index.ts';

export interface TrainingData {
  readonly name: string;
  readonly train: Dataset;
  readonly test: Dataset;
}

const TRAINING = 2000;
const TEST = 400;

export function builtInDigits(): TrainingData {
  return {
    name: 'built-in digits',
    train: digits({ count: TRAINING, seed: 1 }),
    test: digits({ count: TEST, seed: 2 }),
  };
}

/** A file of the reader. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Finds images and their labels in IDX files, by rank and count. With one pair, the last images are the test.
 *
 * @throws {RangeError} What is wrong with the files, as a sentence.
 */
export function dataFromFiles(files: readonly GivenFile[]): TrainingData {
  const parsed = files.map(({ name, bytes }) => ({ name, ...read(name, bytes) }));
  const images = parsed.filter(({ shape }) => shape.length === 3).sort((a, b) => b.shape[0] - a.shape[0]);
  const labels = parsed.filter(({ shape }) => shape.length === 1);
  if (images.length === 0)
    throw new RangeError('None of the files has images: an image file of MNIST has three axes.');
  const pairs = images.map(({ name, shape, data }): Dataset => {
    const [count, height, width] = shape;
    if (height !== 28 || width !== 28) {
      throw new RangeError(`${name} has images of ${width}×${height} pixels: the networks need 28×28.`);
    }
    const found = labels.find((each) => each.shape[0] === count);
    if (found === undefined) {
      throw new RangeError(
        `${name} has ${count} images, and no file has as many labels: choose both files at once.`,
      );
    }
    return { x: data, shape: [784], labels: found.data, divisor: 255 };
  });
  const [first, second] = pairs;
  if (first.labels.length < 20)
    throw new RangeError(`${first.labels.length} images are too few to train on: use at least 20.`);
  if (first.labels.some((label) => label > 9)) throw new RangeError('A label is not a digit from 0 to 9.');
  const name = images.map((each) => each.name).join(', ');
  const test = pairs.length > 1 ? second : part(first, -Math.min(1000, Math.floor(first.labels.length / 5)));
  const train = pairs.length > 1 ? first : part(first, first.labels.length - test.labels.length);
  return { name, train, test: part(test, Math.min(TEST, test.labels.length)) };
}

/** The first examples, or the last ones for a negative count. */
function part({ x, labels, shape, divisor }: Dataset, count: number): Dataset {
  const [from, to] = count < 0 ? [labels.length + count, labels.length] : [0, count];
  return { x: x.slice(784 * from, 784 * to), labels: labels.slice(from, to), shape, divisor: divisor ?? 1 };
}

function read(
  name: string,
  bytes: Uint8Array,
): { readonly shape: readonly number[]; readonly data: Uint8Array } {
  try {
    const { shape, dtype, data } = parseIdx(bytes);
    if (dtype !== 'uint8')
      throw new RangeError(`${name} has ${dtype} values: the files of MNIST have bytes.`);
    return { shape, data };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RangeError(`${name} is not an MNIST file: ${error.problem}.`);
  }
}
