/** Built-in digits as text, for a terminal. */
import { digits } from '../../../src/index.ts';

const SIDE = 28;
/** Pixels per half block in each direction: a character cell is twice as high as it is wide. */
const STEP = 2;
const WIDTH = SIDE / STEP;
/** A half block is drawn if the mean of its pixels is at least this, of 255. */
const INK = 80;
const GAP = '  ';
const IN_A_ROW = 5;

/** One digit of each class, in two rows of five: 78 columns. */
export function blockLetters(seed: number): string {
  const { x, labels } = digits({ count: 10, seed }); // ten consecutive digits have ten different labels
  const letters = Array.from({ length: 10 }, (_, label) => letter(x, labels.indexOf(label)));
  const rows = [letters.slice(0, IN_A_ROW), letters.slice(IN_A_ROW)];
  return rows
    .map((row) =>
      row[0]
        .map((_, line) => row.map((lines) => lines[line]).join(GAP))
        .map((line) => line.trimEnd())
        .join('\n'),
    )
    .join('\n');
}

/** The i-th image as lines of half blocks. */
function letter(images: ArrayLike<number>, i: number): string[] {
  const isInk = (column: number, row: number) => {
    let ink = 0;
    for (let y = row * STEP; y < (row + 1) * STEP; y++) {
      for (let x = column * STEP; x < (column + 1) * STEP; x++) ink += images[(i * SIDE + y) * SIDE + x];
    }
    return ink / STEP ** 2 >= INK;
  };
  return Array.from({ length: WIDTH / 2 }, (_, line) =>
    Array.from({ length: WIDTH }, (_, column) => {
      const [upper, lower] = [isInk(column, 2 * line), isInk(column, 2 * line + 1)];
      return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }).join(''),
  );
}
