/** The SIMD form of `layout.ts`. */
import { at, bytes, VECTOR } from './vector';

/** Columns that are transposed together: one cache line of x, and 16 cache lines of y. */
const WIDTH = 16;

/** y[o,j,i] = x[o,i,j], in blocks of 4×4. The last blocks overlap those before them. */
export function transpose(y: usize, x: usize, outer: i32, rows: i32, columns: i32): void {
  for (let o = 0; o < outer; o++) {
    if (rows < 4 || columns < 4) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) store<f32>(at(y, j * rows + i), load<f32>(at(x, i * columns + j)));
      }
    } else {
      for (let first = 0; first < columns; first += WIDTH) {
        const end = min(first + WIDTH, columns);
        for (let i = 0; i < rows; i += 4) {
          const row = min(i, rows - 4);
          for (let j = first; j < end; j += 4) {
            const column = min(j, columns - 4);
            transposeBlock(
              at(y, column * rows + row),
              at(x, row * columns + column),
              bytes(rows),
              bytes(columns),
            );
          }
        }
      }
    }
    x += bytes(rows * columns);
    y += bytes(rows * columns);
  }
}

/** Transposes 4×4 elements; `yRow` and `xRow` are the row strides in bytes. */
function transposeBlock(y: usize, x: usize, yRow: usize, xRow: usize): void {
  const r0 = v128.load(x);
  const r1 = v128.load(x + xRow);
  const r2 = v128.load(x + 2 * xRow);
  const r3 = v128.load(x + 3 * xRow);
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5); // 00 10 01 11
  const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7); // 02 12 03 13
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store64_lane(y, t0, 0);
  v128.store64_lane(y, t1, 0, 8);
  y += yRow;
  v128.store64_lane(y, t0, 1);
  v128.store64_lane(y, t1, 1, 8);
  y += yRow;
  v128.store64_lane(y, t2, 0);
  v128.store64_lane(y, t3, 0, 8);
  y += yRow;
  v128.store64_lane(y, t2, 1);
  v128.store64_lane(y, t3, 1, 8);
}

/** The bytes of one copy: enough to be worth a call, and few enough to stay in the cache. */
const CHUNK: usize = 4096;

/** y[o,r,i] = x[o,0,i]. */
export function repeatAxis(y: usize, x: usize, outer: i32, count: i32, inner: i32): void {
  const row = bytes(inner);
  const size = bytes(count * inner);
  if (size == 0) return;
  for (let o = 0; o < outer; o++) {
    if (inner == 1) fillRow(y, x, count);
    else {
      memory.copy(y, x, row);
      let chunk = row;
      for (let done = row; done < size; done += chunk) {
        if (chunk < CHUNK) chunk = done; // doubles each time
        memory.copy(y + done, y, min(chunk, size - done));
      }
    }
    y += size;
    x += row;
  }
}

/** Sets all `count` elements of y to the element of x. */
function fillRow(y: usize, x: usize, count: i32): void {
  const value = v128.load32_splat(x);
  let r = 0;
  for (; r + 4 <= count; r += 4) v128.store(at(y, r), value);
  for (; r < count; r++) v128.store_lane<f32>(at(y, r), value, 0);
}
