/** A picture of the built-in digits, with one row for each class. */
import { encode } from 'fast-png';
import { type Dataset, digits } from '../../../src/index.ts';

const SAMPLES = 20;
const SIDE = 28;
const SCALE = 2;
const GAP = 4;
const CELL = SCALE * SIDE + GAP;

/** The picture as PNG. fast-png compresses in JavaScript, so the bytes do not depend on the zlib of the machine. */
export function contactSheet(seed: number): Uint8Array {
  const [width, height] = [CELL * SAMPLES + GAP, CELL * 10 + GAP];
  const data = new Uint8Array(width * height).fill(255);
  const shown = new Array<number>(10).fill(0);
  const dataset = digits({ count: 10 * SAMPLES, seed }); // the same number of each class
  dataset.labels.forEach((label, i) => {
    const [left, top] = [GAP + CELL * shown[label]++, GAP + CELL * label];
    for (let y = 0; y < SCALE * SIDE; y++) {
      for (let x = 0; x < SCALE * SIDE; x++) {
        data[(top + y) * width + left + x] = 255 - inkAt(dataset, i, x, y);
      }
    }
  });
  return encode({ width, height, data, channels: 1 });
}

function inkAt({ x: images }: Dataset, i: number, x: number, y: number): number {
  return images[(i * SIDE + Math.floor(y / SCALE)) * SIDE + Math.floor(x / SCALE)];
}
