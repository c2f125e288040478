import { expectInteger, expectNumber, expectOptions } from '../tensor/errors.ts';
import type { Dataset } from './dataset.ts';
import { Draws } from './digits/draws.ts';
import { write } from './digits/hand.ts';
import { draw, SIDE } from './digits/ink.ts';
import { readStyles } from './digits/styles.ts';
import { permutation } from './shuffle.ts';

export interface DigitsOptions {
  /** The number of digits, an integer in 1 … 1,000,000. Each uses 784 bytes. */
  readonly count: number;
  /** Determines the digits, an integer in 0 … 2⁵³ − 1. Use different seeds for training and test data. */
  readonly seed: number;
}

const MOST = 1_000_000;

/**
 * Draws digits that look handwritten, in the format of MNIST, for programs that run without any file. They are NOT
 * MNIST, and results on them are not results on MNIST; for the networks of `npm run mnist` they are nearly as hard.
 *
 * An image is 28×28 gray values, row by row, as bytes: 0 is the background, 255 the ink; they are divided by 255 when
 * batches are made. A label is the digit, 0 … 9; the labels 10k … 10k + 9 are the ten digits in random order.
 *
 * Digit i depends on the seed and on i only: a longer dataset begins with the digits of a shorter one with the same
 * seed, and `manualSeed` has no effect. The bytes are the same on every machine: they are computed with + − × ÷ and √
 * only, for which IEEE 754 prescribes every bit, unlike for sin, exp and pow.
 *
 * Method: a class has several styles; a style is a list of strokes through a few points. The points are moved at random
 * and joined by cubic curves; the curves are slanted, rotated, stretched and bent by a random polynomial, scaled and
 * moved to the size and place of MNIST's digits (about 20 pixels, centre of mass in the middle), and drawn with a line
 * of varying width with a blurred, rough edge.
 *
 * @returns `count` examples, with x of shape [784] and labels in Uint8Arrays
 * @throws {ValueError} if count is not an integer in 1 … 1,000,000, or seed is not an integer in 0 … 2⁵³ − 1; for
 *   unknown options
 * @see Simard, Steinkraus & Platt 2003, Best practices for convolutional neural networks applied to visual
 *   document analysis, for elastic distortions; LeCun, Bottou, Bengio & Haffner 1998, section III.A, for the size
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
  expectOptions('digits', options, ['count', 'seed']);
  const { count, seed } = options;
  expectNumber('digits', 'count', expectInteger('digits', 'count', count, 1), { to: MOST });
  expectInteger('digits', 'seed', seed, 0);
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
