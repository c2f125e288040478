import type { Dataset } from './dataset.ts';
import { Draws } from './digits/draws.ts';
import { write } from './digits/hand.ts';
import { draw, SIDE } from './digits/ink.ts';
import { readStyles } from './digits/styles.ts';
import { DataError } from './errors.ts';
import { checkOptions } from './options.ts';
import { checkSeed, permutation } from './shuffle.ts';

export interface DigitsOptions {
  /** The number of digits, an integer in 1 … 1,000,000. Each takes 784 bytes. */
  readonly count: number;
  /** Says which digits, an integer in 0 … 2⁵³ − 1. Training and test data want two different seeds. */
  readonly seed: number;
}

const MOST = 1_000_000;

/**
 * Draws digits that look handwritten, in the form of MNIST: for programs that shall run without any file. They
 * are NOT MNIST, and results on them are no results on MNIST; the networks of `npm run mnist` find them nearly
 * as hard.
 *
 * An image is 28×28 gray values, row by row, as bytes: 0 is the background, 255 the ink; batches of it are
 * divided by 255. A label is the digit, 0 … 9; of each ten successive digits, every one has another label.
 *
 * Digit i is a function of the seed and of i, and of nothing else: more digits of a seed begin with the fewer
 * ones, and `manualSeed` is not asked. The bytes are the same on every machine: they are computed by
 * + − × ÷ and √ alone, which IEEE 754 defines to the last bit, as it does not sin, exp or pow.
 *
 * How: a class has several styles, strokes through a few points. The points are shaken, joined by cubic curves,
 * slanted, turned, stretched and bent by a random polynomial, brought to MNIST's size (about 20 pixels) and
 * place (centre of mass in the middle), and drawn with a line of varying width, blurred and rough at its edge.
 *
 * @returns `count` examples, with x of shape [784] and labels in Uint8Arrays
 * @throws {DataError} if count is not an integer in 1 … 1,000,000, or seed not one in 0 … 2⁵³ − 1; for unknown
 *   options
 * @see Simard, Steinkraus & Platt 2003, Best practices for convolutional neural networks applied to visual
 *   document analysis, for elastic distortions; LeCun, Bottou, Bengio & Haffner 1998, section III.A, for size
 *   and place of MNIST's digits; Lake, Salakhutdinov & Tenenbaum 2015, Human-level concept learning through
 *   probabilistic program induction, for characters as programs of strokes
 * @example
 * ```ts
 * import { digits } from 'gammabeta';
 *
 * const { x, shape, labels } = digits({ count: 10, seed: 1 });
 * console.log(x.length, shape); // 7840 [ 784 ]
 * console.log(labels.toSorted().join(' ')); // 0 1 2 3 4 5 6 7 8 9
 *
 * const more = digits({ count: 1000, seed: 1 });
 * console.log(more.labels.subarray(0, 10).join() === labels.join()); // true
 * ```
 */
export function digits(options: DigitsOptions): Dataset {
  checkOptions('digits', options, ['count', 'seed']);
  const { count, seed } = options;
  checkCount(count);
  checkSeed('digits', seed);
  const styles = readStyles();
  const size = SIDE * SIDE;
  const x = new Uint8Array(count * size);
  const labels = new Uint8Array(count);
  for (let begin = 0; begin < count; begin += 10) {
    labels.set(permutation(10, seed, begin / 10).subarray(0, count - begin), begin);
  }
  for (let i = 0; i < count; i++) {
    const draws = new Draws(seed, i);
    const segments = write(draws.oneOf(styles[labels[i]]), draws);
    draw(x.subarray(i * size, (i + 1) * size), segments, draws);
  }
  return { x, shape: [size], labels, divisor: 255 };
}

function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return;
  throw new DataError('digits', `count is ${count}`, `use an integer from 1 to ${MOST}`);
}
