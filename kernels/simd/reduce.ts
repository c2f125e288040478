/** The SIMD forms of `../reduce.ts`. */
import { scratch } from './instance';
import { at, bytes, dotOf, narrow, pair, sumOf, take, VECTOR } from './vector';

/** y[o,0,i] = Σₖ x[o,k,i]. */
export function sumAxis(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    if (inner >= 4) sumColumns(y, x, 0, n, inner, false);
    else for (let i = 0; i < inner; i++) store<f32>(at(y, i), <f32>sumOf(at(x, i), n, bytes(inner)));
    y += bytes(inner);
    x += bytes(n * inner);
  }
}

/** y[o,0,i] = maxₖ x[o,k,i]; NaN if any is NaN. */
export function maxAxis(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  const row = bytes(inner);
  for (let o = 0; o < outer; o++) {
    if (inner >= 4) {
      for (let i = 0; i < inner; i += 4) {
        const first = min(i, inner - 4); // the last vector overlaps the one before it
        let p = at(x, first);
        let max = f32x4.splat(-Infinity);
        for (let k = 0; k < n; k++) {
          max = f32x4.max(max, v128.load(p));
          p += row;
        }
        v128.store(at(y, first), max);
      }
    } else for (let i = 0; i < inner; i++) store<f32>(at(y, i), maxOf(at(x, i), n, row));
    y += row;
    x += bytes(n * inner);
  }
}

/** maxₖ xₖ; NaN if any is NaN, −∞ for n = 0. */
function maxOf(x: usize, n: i32, step: usize): f32 {
  let top = f32x4.splat(-Infinity);
  for (; n > 0; n -= 4) {
    top = f32x4.max(top, take(x, step, n, -Infinity));
    x += 4 * step;
  }
  top = f32x4.max(top, v128.shuffle<f32>(top, top, 2, 3, 2, 3));
  return max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1));
}

/** y[o,0,i] = the first k at which x[o,k,i] is largest; NaN counts as largest. */
export function argmaxAxis(y: usize, x: usize, outer: i32, n: i32, inner: i32): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let best = 0;
      let max = load<f32>(at(x, i));
      for (let k = 1; k < n && max == max; k++) {
        const value = load<f32>(at(x, k * inner + i));
        if (value <= max) continue;
        best = k;
        max = value;
      }
      store<f32>(at(y, i), <f32>best);
    }
    y += bytes(inner);
    x += bytes(n * inner);
  }
}

/** dbeta[c] = Σᵢ g[i,c]. */
export function colSum(dbeta: usize, g: usize, m: i32, C: i32): void {
  sumAxis(dbeta, g, 1, m, C);
}

/** dgamma[c] = Σᵢ g[i,c]·xhat[i,c]. */
export function colDot(dgamma: usize, g: usize, xhat: usize, m: i32, C: i32): void {
  if (C >= 4) sumColumns(dgamma, g, xhat, m, C, true);
  else for (let c = 0; c < C; c++) store<f32>(at(dgamma, c), <f32>dotOf(at(g, c), at(xhat, c), m, bytes(C)));
}

/** Columns that are summed together, and their sums in float64. */
const COLUMNS = 1024;
const sums: usize = scratch + memory.data(COLUMNS * 8, 64);
/** Rows that are added while the sums of four columns stay in registers. */
const RUN = 16;

/**
 * y[c] = Σᵢ a[i,c], or Σᵢ a[i,c]·b[i,c] if `dot`, for C ≥ 4 columns, in one pass over memory. The last vector overlaps
 * the one before it; each has sums of its own.
 */
function sumColumns(y: usize, a: usize, b: usize, m: i32, C: i32, dot: bool): void {
  const row = bytes(C);
  const toB = b - a;
  for (let first = 0; first < C; first += COLUMNS) {
    const end = min(first + COLUMNS, C);
    memory.fill(sums, 0, (<usize>((end - first + 3) & -4)) << 3);
    for (let i = 0; i < m; i += RUN) {
      let sum = sums;
      for (let c = first; c < end; c += 4) {
        let p = at(a, i * C + min(c, C - 4));
        let s0 = v128.load(sum);
        let s1 = v128.load(sum, VECTOR);
        for (let rows = min(RUN, m - i); rows > 0; rows--) {
          let v0 = pair(p);
          let v1 = pair(p + 8);
          if (dot) {
            v0 = f64x2.mul(v0, pair(p + toB));
            v1 = f64x2.mul(v1, pair(p + toB + 8));
          }
          s0 = f64x2.add(s0, v0);
          s1 = f64x2.add(s1, v1);
          p += row;
        }
        v128.store(sum, s0);
        v128.store(sum, s1, VECTOR);
        sum += 32;
      }
    }
    let sum = sums;
    for (let c = first; c < end; c += 4) {
      v128.store(at(y, min(c, C - 4)), narrow(v128.load(sum), v128.load(sum, VECTOR)));
      sum += 32;
    }
  }
}
