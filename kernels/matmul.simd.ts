/**
 * Matrix products: the SIMD form of `matmul.ts`.
 *
 * The work is cut so that what is used again stays near (Goto & van de Geijn 2008): a block of B, `KC` terms
 * deep, is copied into panels of 8 columns, a block of A into strips of 4 rows, both in the order in which
 * they are read. One strip times one panel is a tile of 4×8 sums, held in eight registers.
 *
 *              NC                    8 8 8 …
 *          ┌────────┐  KC          ┌──┬──┬─┐
 *     A ·  │   B    │         B →  │  │  │ │ …   panels[j][p][8]       A → strips[i][p][4]
 *          └────────┘              └──┴──┴─┘
 */
import { at, dotOf, FLOAT, madd, storePair, VECTOR, zero } from './vector.simd';

/** Rows and columns of a tile: 8 sums + 2 of b + 1 of a fit the 16 registers of x64. */
const MR = 4;
const NR = 8;
/** Columns of b that are packed in one go: each row of b then is read two cache lines at a time. */
const GROUP = 32;
/** The most sums for which packing takes longer than it saves; fewer rows than a tile are not worth it either. */
const SMALL = 64;
/** Terms, rows and columns of a block: a panel is 12 kB (L1), a block of A 192 kB and of B 768 kB (L2). */
const KC = 384;
const MC = 128;
const NC = 512;

/** Memory of the packed blocks, and of a tile that is not whole. */
const strips: usize = memory.data(MC * KC * 4, 64);
const panels: usize = memory.data(NC * KC * 4, 64);
const edge: usize = memory.data(MR * NR * 4, 64);

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

/** y = A·B with a(i,p) at a[i·ai + p·ap] and b(p,j) at b[p·bp + j·bj]; one stride of each is 1. */
function product(
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
  if (m < MR || m * n <= SMALL) {
    if (bj == 1) sumRows(y, a, ai, ap, b, bp, m, k, n);
    else dotRows(y, a, ai, b, bj, m, k, n);
    return;
  }
  if (k == 0) memory.fill(y, 0, <usize>m * n * FLOAT);
  const depth = evenly(k, KC);
  const height = (evenly(m, MC) + MR - 1) & -MR;
  for (let j = 0; j < n; j += NC) {
    const columns = min(NC, n - j);
    for (let p = 0; p < k; p += depth) {
      const terms = min(depth, k - p);
      for (let i = 0; i < m; i += height) {
        const rows = min(height, m - i);
        pack(strips, at(a, i * ai + p * ap), ai, ap, rows, terms, MR);
        for (let jr = 0; jr < columns; jr += NR) {
          const panel = at(panels, jr * terms);
          const width = min(NR, columns - jr);
          if (i == 0 && jr % GROUP == 0) {
            packPanels(panel, at(b, p * bp + (j + jr) * bj), bp, bj, min(GROUP, columns - jr), terms);
          }
          for (let ir = 0; ir < rows; ir += MR) {
            const corner = at(y, (i + ir) * n + j + jr);
            const strip = at(strips, ir * terms);
            if (width == NR && rows - ir >= MR) tile(corner, n, strip, panel, terms, p > 0);
            else edgeTile(corner, n, strip, panel, terms, p > 0, min(MR, rows - ir), width);
          }
        }
      }
    }
  }
}

/** The sums of a tile: y[i,j] (+)= Σₚ strip[p][i]·panel[p][j]. */
function tile(y: usize, n: i32, strip: usize, panel: usize, terms: i32, add: bool): void {
  const row = <usize>n * FLOAT;
  const y1 = y + row;
  const y2 = y1 + row;
  const y3 = y2 + row;
  let s00 = zero(), s01 = zero(); // prettier-ignore
  let s10 = zero(), s11 = zero(); // prettier-ignore
  let s20 = zero(), s21 = zero(); // prettier-ignore
  let s30 = zero(), s31 = zero(); // prettier-ignore
  for (let p = 0; p < terms; p++) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, VECTOR);
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
    panel += 32;
  }
  if (add) {
    s00 = f32x4.add(s00, v128.load(y));
    s01 = f32x4.add(s01, v128.load(y, VECTOR));
    s10 = f32x4.add(s10, v128.load(y1));
    s11 = f32x4.add(s11, v128.load(y1, VECTOR));
    s20 = f32x4.add(s20, v128.load(y2));
    s21 = f32x4.add(s21, v128.load(y2, VECTOR));
    s30 = f32x4.add(s30, v128.load(y3));
    s31 = f32x4.add(s31, v128.load(y3, VECTOR));
  }
  v128.store(y, s00);
  v128.store(y, s01, VECTOR);
  v128.store(y1, s10);
  v128.store(y1, s11, VECTOR);
  v128.store(y2, s20);
  v128.store(y2, s21, VECTOR);
  v128.store(y3, s30);
  v128.store(y3, s31, VECTOR);
}

/** A tile that y has not wholly room for: computed beside it, of which the part that belongs to y is copied. */
function edgeTile(
  y: usize,
  n: i32,
  strip: usize,
  panel: usize,
  terms: i32,
  add: bool,
  rows: i32,
  columns: i32,
): void {
  tile(edge, NR, strip, panel, terms, false);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const place = at(y, i * n + j);
      const sum = load<f32>(at(edge, i * NR + j));
      store<f32>(place, add ? load<f32>(place) + sum : sum);
    }
  }
}

/**
 * Copies `lanes` × `terms` numbers, x(lane, p) at x[lane·lane stride + p·term stride], to [group][p][width],
 * `width` lanes a group (4 or 8). The last group is filled up with zeros.
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
    for (let first = 0; first < width; first += 4) {
      const from = at(x, (lane + first) * laneStride);
      const rest = lanes - lane - first;
      if (rest < 4) packRest(at(group, first), from, laneStride, termStride, rest, terms, width);
      else if (laneStride == 1) packAlong(at(group, first), from, termStride, terms, width);
      else packAcross(at(group, first), from, laneStride, terms, width);
    }
  }
}

/** Up to `GROUP` columns of b to panels. */
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

/** Four lanes that lie side by side. */
function packAlong(packed: usize, x: usize, termStride: i32, terms: i32, width: i32): void {
  const step = <usize>termStride * FLOAT;
  const stride = <usize>width * FLOAT;
  for (let p = 0; p < terms; p++) {
    v128.store(packed, v128.load(x));
    x += step;
    packed += stride;
  }
}

/** Four lanes whose terms lie side by side: 4×4 numbers at a time, transposed. */
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

/** Number by number; lanes that are not there are 0. */
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

/** A row of y as a sum of rows of b, 16 columns at a time; nothing is packed. */
function sumRows(y: usize, a: usize, ai: i32, ap: i32, b: usize, bp: i32, m: i32, k: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j += 16) {
      let s0 = zero();
      let s1 = zero();
      let s2 = zero();
      let s3 = zero();
      for (let p = 0; p < k; p++) {
        const factor = v128.load32_splat(at(a, i * ai + p * ap));
        const row = at(b, p * bp + j);
        s0 = madd(factor, v128.load(row), s0);
        s1 = madd(factor, v128.load(row, VECTOR), s1);
        s2 = madd(factor, v128.load(row, 2 * VECTOR), s2);
        s3 = madd(factor, v128.load(row, 3 * VECTOR), s3);
      }
      const place = at(y, i * n + j);
      storePair(place, s0, s1, n - j);
      if (n - j > 8) storePair(place + 2 * VECTOR, s2, s3, n - j - 8);
    }
  }
}

/** Each sum as the dot product of a row of a and a row of b; nothing is packed. */
function dotRows(y: usize, a: usize, ai: i32, b: usize, bj: i32, m: i32, k: i32, n: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      store<f32>(at(y, i * n + j), <f32>dotOf(at(a, i * ai), at(b, j * bj), k, FLOAT));
    }
  }
}

/** The largest block ≤ limit that divides n into blocks of nearly one size: 784 in 262, not 384 + 384 + 16. */
function evenly(n: i32, limit: i32): i32 {
  const blocks = max(1, (n + limit - 1) / limit);
  return max(1, (n + blocks - 1) / blocks);
}
