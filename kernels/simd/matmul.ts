/**
 * The SIMD forms of `../matmul.ts`: matrix products.
 *
 * The product is blocked so that data stays in the cache while it is reused (Goto & van de Geijn 2008): a block of B,
 * `KC` terms deep, is copied into panels of 8 columns, a block of A into strips of 6 rows, both in the order in which
 * they are read. One strip times one panel is a tile of 6×8 sums, held in twelve registers.
 *
 *              NC                    8 8 8 …
 *          ┌────────┐  KC          ┌──┬──┬─┐
 *     A ·  │   B    │         B →  │  │  │ │ …   panels[j][p][8]       A → strips[i][p][6 or 4]
 *          └────────┘              └──┴──┴─┘
 */
import { scratch } from './instance';
import { areFinite, isSparse, sparseProduct, zeros } from './sparse';
import { addDoubles, at, at64, bytes, dotOf, FLOAT, floats, madd, storePair, VECTOR, zero } from './vector';

/** Rows of a tile. 12 sums, 2 vectors of b and 1 of a use 15 of the 16 registers of x64; V8 reserves the last. */
const HIGH = 6;
/** Rows of the last tiles, because 8 = 4 + 4 is less work than 6 + 2. */
const LOW = 4;
/** Columns of a tile. */
const NR = 8;
/** Columns of b that are packed together: each row of b is then read two cache lines at a time. */
const GROUP = 32;
/** Up to this many sums, packing costs more than it saves. The same holds for fewer rows than a tile. */
const SMALL = 64;
/** Up to this many rows, b is read in place: a panel is not reused often enough to be worth a copy. */
export const FEW = 64;
/** Except when the row stride is a multiple of 512 floats (2 kB): the panel would map to a few L1 sets. */
const ALIASED = 512;
/** Terms, rows and columns of a block. A panel is 13 kB (fits L1), a block of A 200 kB and of B 800 kB (fit L2). */
const KC = 400;
const MC = 126;
const NC = 512;

/** Memory for the packed blocks, and for a tile that extends beyond y. */
const strips: usize = scratch + memory.data((MC + 2) * KC * 4, 64);
const panels: usize = scratch + memory.data(NC * KC * 4, 64);
const edge: usize = scratch + memory.data(HIGH * NR * 4, 64);

/** Up to this many terms, a product is summed in float32. */
const LONG = 100000;
/** Terms of a long sum that are summed in float32: n terms of one sign lose at most n·2⁻²⁵ of their sum, here 8e-6. */
const PART = 256;
/** Such a part of a block of y, and the sum of the parts so far, in float64; with room for the last eight. */
const part: usize = scratch + memory.data((MC * NC + NR) * 4, 64);
const parts: usize = scratch + memory.data((MC * NC + NR) * 8, 64);

/** y[i,j] = Σₚ a[i,p]·b[p,j]. */
export function matmul(y: usize, a: usize, b: usize, m: i32, k: i32, n: i32): void {
  product(y, a, k, 1, b, n, 1, m, k, n);
}

/** y[i,j] = Σₚ a[i,p]·b[j,p]. */
export function matmulTransposedB(y: usize, a: usize, b: usize, m: i32, k: i32, n: i32): void {
  product(y, a, k, 1, b, 1, k, m, k, n);
}

/** y[i,j] = Σₚ a[p,i]·b[p,j]. */
export function matmulTransposedA(y: usize, a: usize, b: usize, m: i32, k: i32, n: i32): void {
  product(y, a, 1, m, b, n, 1, m, k, n);
}

/** y = A·B, with a(i,p) at a[i·ai + p·ap] and b(p,j) at b[p·bp + j·bj]. One stride of each is 1. */
export function product(
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  bj: i32,
  m: i32,
  k: i32,
  n: i32,
): void {
  let form = productForm(a, ai, ap, bj, m, k, n);
  if (form == SPARSE && !areFinite(b, k * n)) form = TILES;
  productPart(form, y, a, ai, ap, b, bp, bj, m, k, n, n);
}

/** How a product is computed. The form decides the order of the sums: all threads use that of the whole product. */
const DOTS = 0;
const LONG_SUMS = 1;
const SUMS = 2;
const TILES = 3;
export const SPARSE = 4;

/** The form of a product; if it is SPARSE and b is not finite, the form is TILES. */
export function productForm(a: usize, ai: i32, ap: i32, bj: i32, m: i32, k: i32, n: i32): i32 {
  const few = isSmall(m, n);
  if (few && bj != 1) return DOTS;
  if (k > LONG) return LONG_SUMS;
  if (few) return SUMS;
  return bj == 1 && isSparse(a, ai, ap, m, k, n) ? SPARSE : TILES;
}

/**
 * `product` in a given form: of a whole product, or of some of the rows or columns of a larger one, whose rows are `yi`
 * numbers apart.
 */
export function productPart(
  form: i32,
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  bj: i32,
  m: i32,
  k: i32,
  n: i32,
  yi: i32,
): void {
  if (form == TILES) tiledProduct(y, a, ai, ap, b, bp, bj, m, k, n, yi);
  else if (form == SPARSE) sparseProduct(y, a, ai, ap, b, bp, m, k, n, yi);
  else if (form == SUMS) sumRows(y, a, ai, ap, b, bp, m, k, n, yi);
  else if (form == DOTS) dotRows(y, a, ai, b, bj, m, k, n, yi);
  else longProduct(y, a, ai, ap, b, bp, bj, m, k, n, yi);
}

/** Whether packing costs more than it saves. */
function isSmall(m: i32, n: i32): bool {
  return m < LOW || m * n <= SMALL;
}

/** `product` for many terms: parts in float32 are added in float64, for one block of y after the other. */
function longProduct(
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  bj: i32,
  m: i32,
  k: i32,
  n: i32,
  yi: i32,
): void {
  for (let j = 0; j < n; j += NC) {
    const columns = min(NC, n - j);
    for (let i = 0; i < m; i += MC) {
      const rows = min(MC, m - i);
      memory.fill(parts, 0, (<usize>(rows * columns)) << 3);
      for (let p = 0; p < k; p += PART) {
        const terms = min(PART, k - p);
        const ai0 = at(a, i * ai + p * ap);
        const bj0 = at(b, p * bp + j * bj);
        if (!isSmall(rows, columns))
          tiledProduct(part, ai0, ai, ap, bj0, bp, bj, rows, terms, columns, columns);
        else if (bj == 1) sumRows(part, ai0, ai, ap, bj0, bp, rows, terms, columns, columns);
        else dotRows(part, ai0, ai, bj0, bj, rows, terms, columns, columns);
        for (let q = 0; q < rows * columns; q += NR) {
          addDoubles(at64(parts, q), v128.load(at(part, q)), v128.load(at(part, q), VECTOR));
        }
      }
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c += NR) {
          const sums = at64(parts, r * columns + c);
          storePair(at(y, (i + r) * yi + j + c), floats(sums), floats(sums + 2 * VECTOR), columns - c);
        }
      }
    }
  }
}

/** `product` in blocks and tiles, summed in float32. */
function tiledProduct(
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  bj: i32,
  m: i32,
  k: i32,
  n: i32,
  yi: i32,
): void {
  if (k == 0) for (let i = 0; i < m; i++) memory.fill(at(y, i * yi), 0, bytes(n));
  const packed = bj != 1 || m > FEW || bp % ALIASED == 0;
  const step = packed ? bytes(NR) : bytes(bp);
  const depth = evenly(k, KC);
  const height = ((evenly(m, MC) + HIGH - 1) / HIGH) * HIGH;
  for (let j = 0; j < n; j += NC) {
    const columns = min(NC, n - j);
    for (let p = 0; p < k; p += depth) {
      const terms = min(depth, k - p);
      if (!packed) fetch(at(b, p * bp + j), bp, terms, columns);
      for (let i = 0; i < m; i += height) {
        const rows = min(height, m - i);
        packStrips(at(a, i * ai + p * ap), ai, ap, rows, terms);
        for (let jr = 0; jr < columns; jr += NR) {
          const from = at(b, p * bp + (j + jr) * bj);
          const panel = packed ? at(panels, jr * terms) : from;
          const width = min(NR, columns - jr);
          if (packed && i == 0 && jr % GROUP == 0) {
            packPanels(panel, from, bp, bj, min(GROUP, columns - jr), terms);
          }
          for (let ir = 0; ir < rows;) {
            const lanes = lanesOf(rows - ir);
            const corner = at(y, (i + ir) * yi + j + jr);
            const strip = at(strips, ir * terms);
            if (p > 0 || width < NR || rows - ir < lanes) {
              edgeTile(corner, yi, strip, panel, step, terms, lanes, min(lanes, rows - ir), width, p > 0);
            } else if (lanes == HIGH) highTile(corner, yi, strip, panel, step, terms);
            else lowTile(corner, yi, strip, panel, step, terms);
            ir += lanes;
          }
        }
      }
    }
  }
}

/** The rows of the next strip, if `rows` are left. */
function lanesOf(rows: i32): i32 {
  return rows <= LOW || rows == 7 || rows == 8 ? LOW : HIGH;
}

/**
 * Reads a block row by row, into the cache. Panels are read down the columns, which the processor does not prefetch.
 */
function fetch(b: usize, bp: i32, terms: i32, columns: i32): void {
  let read = zero();
  for (let p = 0; p < terms; p++) {
    const row = at(b, p * bp);
    for (let x: usize = 0; x < bytes(columns); x += LINE) read = v128.or(read, v128.load(row + x));
  }
  v128.store(edge, read); // otherwise the compiler would remove the loop
}

/** A cache line. */
const LINE: usize = 64;

// Each tile is a function with two callers, so that the compiler does not inline it: inside the loops above, V8 in
// Node 22 and earlier would spill registers. Tiles only store; a variant that also adds was slower.

/**
 * A tile of 6×8 sums: y[i,j] = Σₚ strip[p][i]·b(p,j). The rows of y are `yi` numbers apart, those of b `step` bytes.
 */
function highTile(y: usize, yi: i32, strip: usize, b: usize, step: usize, terms: i32): void {
  const row = bytes(yi);
  let s00 = zero(), s01 = zero(); // prettier-ignore
  let s10 = zero(), s11 = zero(); // prettier-ignore
  let s20 = zero(), s21 = zero(); // prettier-ignore
  let s30 = zero(), s31 = zero(); // prettier-ignore
  let s40 = zero(), s41 = zero(); // prettier-ignore
  let s50 = zero(), s51 = zero(); // prettier-ignore
  for (let p = 0; p < terms; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, VECTOR);
    let a = v128.load32_splat(strip);
    s00 = madd(a, b0, s00);
    s01 = madd(a, b1, s01);
    a = v128.load32_splat(strip, 4);
    s10 = madd(a, b0, s10);
    s11 = madd(a, b1, s11);
    a = v128.load32_splat(strip, 8);
    s20 = madd(a, b0, s20);
    s21 = madd(a, b1, s21);
    a = v128.load32_splat(strip, 12);
    s30 = madd(a, b0, s30);
    s31 = madd(a, b1, s31);
    a = v128.load32_splat(strip, 16);
    s40 = madd(a, b0, s40);
    s41 = madd(a, b1, s41);
    a = v128.load32_splat(strip, 20);
    s50 = madd(a, b0, s50);
    s51 = madd(a, b1, s51);
    strip += 24;
    b += step;
  }
  v128.store(y, s00);
  v128.store(y, s01, VECTOR);
  y += row;
  v128.store(y, s10);
  v128.store(y, s11, VECTOR);
  y += row;
  v128.store(y, s20);
  v128.store(y, s21, VECTOR);
  y += row;
  v128.store(y, s30);
  v128.store(y, s31, VECTOR);
  y += row;
  v128.store(y, s40);
  v128.store(y, s41, VECTOR);
  y += row;
  v128.store(y, s50);
  v128.store(y, s51, VECTOR);
}

/** A tile of 4×8 sums. */
function lowTile(y: usize, yi: i32, strip: usize, b: usize, step: usize, terms: i32): void {
  const row = bytes(yi);
  let s00 = zero(), s01 = zero(); // prettier-ignore
  let s10 = zero(), s11 = zero(); // prettier-ignore
  let s20 = zero(), s21 = zero(); // prettier-ignore
  let s30 = zero(), s31 = zero(); // prettier-ignore
  for (let p = 0; p < terms; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, VECTOR);
    let a = v128.load32_splat(strip);
    s00 = madd(a, b0, s00);
    s01 = madd(a, b1, s01);
    a = v128.load32_splat(strip, 4);
    s10 = madd(a, b0, s10);
    s11 = madd(a, b1, s11);
    a = v128.load32_splat(strip, 8);
    s20 = madd(a, b0, s20);
    s21 = madd(a, b1, s21);
    a = v128.load32_splat(strip, 12);
    s30 = madd(a, b0, s30);
    s31 = madd(a, b1, s31);
    strip += 16;
    b += step;
  }
  v128.store(y, s00);
  v128.store(y, s01, VECTOR);
  y += row;
  v128.store(y, s10);
  v128.store(y, s11, VECTOR);
  y += row;
  v128.store(y, s20);
  v128.store(y, s21, VECTOR);
  y += row;
  v128.store(y, s30);
  v128.store(y, s31, VECTOR);
}

/** A tile that extends beyond y, or is added to sums already in y: computed in `edge`, then copied or added. */
function edgeTile(
  y: usize,
  yi: i32,
  strip: usize,
  b: usize,
  step: usize,
  terms: i32,
  lanes: i32,
  rows: i32,
  columns: i32,
  add: bool,
): void {
  if (lanes == HIGH) highTile(edge, NR, strip, b, step, terms);
  else lowTile(edge, NR, strip, b, step, terms);
  let sums = edge;
  for (let i = 0; i < rows; i++) {
    let s0 = v128.load(sums);
    let s1 = v128.load(sums, VECTOR);
    if (add) {
      s0 = f32x4.add(s0, v128.load(y));
      s1 = f32x4.add(s1, v128.load(y, VECTOR));
    }
    storePair(y, s0, s1, columns);
    sums += bytes(NR);
    y += bytes(yi);
  }
}

/** Packs a block of A into strips. */
function packStrips(a: usize, ai: i32, ap: i32, rows: i32, terms: i32): void {
  for (let i = 0; i < rows;) {
    const lanes = lanesOf(rows - i);
    pack(at(strips, i * terms), at(a, i * ai), ai, ap, min(lanes, rows - i), terms, lanes);
    i += lanes;
  }
}

/**
 * Copies `lanes` × `terms` numbers, with x(lane, p) at x[lane·laneStride + p·termStride], to [group][p][width]. A group
 * has `width` lanes (4, 6 or 8) and is copied four lanes at a time; in a group of 6, the second four overlap the first.
 * The last group is padded with zeros.
 */
function pack(
  packed: usize,
  x: usize,
  laneStride: i32,
  termStride: i32,
  lanes: i32,
  terms: i32,
  width: i32,
): void {
  for (let lane = 0; lane < lanes; lane += width) {
    const group = at(packed, lane * terms);
    packFour(group, at(x, lane * laneStride), laneStride, termStride, lanes - lane, terms, width);
    if (width == 4) continue;
    const next = lane + width - 4;
    packFour(
      at(group, width - 4),
      at(x, next * laneStride),
      laneStride,
      termStride,
      lanes - next,
      terms,
      width,
    );
  }
}

/** Packs four lanes, or fewer at the end. */
function packFour(
  packed: usize,
  x: usize,
  laneStride: i32,
  termStride: i32,
  lanes: i32,
  terms: i32,
  width: i32,
): void {
  if (lanes < 4) packRest(packed, x, laneStride, termStride, lanes, terms, width);
  else if (laneStride == 1) packAlong(packed, x, termStride, terms, width);
  else packAcross(packed, x, laneStride, terms, width);
}

/** Packs up to `GROUP` columns of b into panels. */
function packPanels(packed: usize, b: usize, bp: i32, bj: i32, columns: i32, terms: i32): void {
  const whole = bj == 1 ? columns & -NR : 0;
  const row = <usize>bp * FLOAT;
  const end = <usize>whole * FLOAT;
  const size = <usize>(terms * NR) * FLOAT;
  let from = b;
  let to = packed;
  for (let p = 0; whole > 0 && p < terms; p++) {
    for (let x = from, panel = to; x < from + end; x += 2 * VECTOR, panel += size) {
      v128.store(panel, v128.load(x));
      v128.store(panel, v128.load(x, VECTOR), VECTOR);
    }
    from += row;
    to += 2 * VECTOR;
  }
  if (whole < columns) pack(at(packed, whole * terms), at(b, whole * bj), bj, bp, columns - whole, terms, NR);
}

/** Packs four lanes that are adjacent in memory. */
function packAlong(packed: usize, x: usize, termStride: i32, terms: i32, width: i32): void {
  const step = <usize>termStride * FLOAT;
  const stride = <usize>width * FLOAT;
  for (let p = 0; p < terms; p++) {
    v128.store(packed, v128.load(x));
    x += step;
    packed += stride;
  }
}

/** Packs four lanes whose terms are adjacent in memory: transposes 4×4 numbers at a time. */
function packAcross(packed: usize, x: usize, laneStride: i32, terms: i32, width: i32): void {
  const x1 = at(x, laneStride) - x;
  const x2 = x1 + x1;
  const x3 = x2 + x1;
  const stride = <usize>width * FLOAT;
  let p = 0;
  for (; p + 4 <= terms; p += 4) {
    const r0 = v128.load(x);
    const r1 = v128.load(x + x1);
    const r2 = v128.load(x + x2);
    const r3 = v128.load(x + x3);
    const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5); // 00 10 01 11
    const t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const t2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7); // 02 12 03 13
    const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    v128.store(packed, v128.shuffle<f64>(t0, t1, 0, 2));
    packed += stride;
    v128.store(packed, v128.shuffle<f64>(t0, t1, 1, 3));
    packed += stride;
    v128.store(packed, v128.shuffle<f64>(t2, t3, 0, 2));
    packed += stride;
    v128.store(packed, v128.shuffle<f64>(t2, t3, 1, 3));
    packed += stride;
    x += 16;
  }
  packRest(packed, x, laneStride, 1, 4, terms - p, width);
}

/** Packs up to four lanes one number at a time; missing lanes are 0. */
function packRest(
  packed: usize,
  x: usize,
  laneStride: i32,
  termStride: i32,
  lanes: i32,
  terms: i32,
  width: i32,
): void {
  for (let p = 0; p < terms; p++) {
    for (let lane = 0; lane < 4; lane++) {
      const value = lane < lanes ? load<f32>(at(x, lane * laneStride + p * termStride)) : <f32>0;
      store<f32>(at(packed, p * width + lane), value);
    }
  }
}

/** Each row of y as a sum of rows of b, without packing. */
function sumRows(
  y: usize,
  a: usize,
  ai: i32,
  ap: i32,
  b: usize,
  bp: i32,
  m: i32,
  k: i32,
  n: i32,
  yi: i32,
): void {
  for (let i = 0; i < m; i++) sumRow(at(y, i * yi), zeros, 0, at(a, i * ai), ap, b, bp, k, n);
}

/** y = `before` + a·B for one row a, 16 columns at a time. `before` moves by `step` for each float of y. */
export function sumRow(
  y: usize,
  before: usize,
  step: usize,
  a: usize,
  ap: i32,
  b: usize,
  bp: i32,
  k: i32,
  n: i32,
): void {
  for (let j = 0; j < n; j += 16) {
    let s0 = v128.load(before);
    let s1 = v128.load(before, VECTOR);
    let s2 = v128.load(before, 2 * VECTOR);
    let s3 = v128.load(before, 3 * VECTOR);
    for (let p = 0; p < k; p++) {
      const factor = v128.load32_splat(at(a, p * ap));
      const row = at(b, p * bp + j);
      s0 = madd(factor, v128.load(row), s0);
      s1 = madd(factor, v128.load(row, VECTOR), s1);
      s2 = madd(factor, v128.load(row, 2 * VECTOR), s2);
      s3 = madd(factor, v128.load(row, 3 * VECTOR), s3);
    }
    storePair(at(y, j), s0, s1, n - j);
    if (n - j > 8) storePair(at(y, j + 8), s2, s3, n - j - 8);
    before += 16 * step;
  }
}

/** Each element of y as the dot product of a row of a and a row of b, without packing. */
function dotRows(y: usize, a: usize, ai: i32, b: usize, bj: i32, m: i32, k: i32, n: i32, yi: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      store<f32>(at(y, i * yi + j), <f32>dotOf(at(a, i * ai), at(b, j * bj), k, FLOAT));
    }
  }
}

/** The block size ≤ limit that divides n into the fewest blocks of nearly equal size: 784 as 2 × 392, not 400 + 384. */
function evenly(n: i32, limit: i32): i32 {
  const blocks = max(1, (n + limit - 1) / limit);
  return max(1, (n + blocks - 1) / blocks);
}
