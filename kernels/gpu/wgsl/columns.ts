/**
 * Sums over the rows of [m, C], one per column. A workgroup takes 32 columns and a block of rows: 8 threads share each
 * column. With several blocks, the outputs are [blocks, C], and the sum of the blocks is a second launch of the same
 * kind. So a tall matrix keeps a GPU busy, and no sum has more than a few hundred terms in a row.
 */
import { parts as ceil, type WgslForm, type Workgroups } from './form.ts';

/** Up to this many rows, one block is enough. */
export const BLOCK = 256;

export interface Blocks {
  /** The number of blocks, at most {@link BLOCK}, and the rows in each. */
  readonly blocks: number;
  readonly rows: number;
  readonly groups: Workgroups;
}

export function blocksOf(m: number, C: number): Blocks {
  const rows = Math.max(BLOCK, ceil(m, BLOCK));
  const blocks = ceil(m, rows);
  return { blocks, rows, groups: [ceil(C, 32), blocks, 1] };
}

/** The code that all forms of this file share: `total` sums a vector over the 8 threads of a column. */
const TOTAL = `
var<workgroup> shared_: array<vec2<f32>, 256>;
fn total(value: vec2<f32>, local: vec3<u32>) -> vec2<f32> {
  workgroupBarrier();
  shared_[local.y * 32u + local.x] = value;
  workgroupBarrier();
  var sum = shared_[local.x];
  for (var q = 1u; q < 8u; q++) { sum += shared_[q * 32u + local.x]; }
  return sum;
}`;

/** The head of `main`: column c, rows from … to, and `inside` for threads with a column. */
const HEAD = `
@compute @workgroup_size(32, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let c = group.x * 32u + local.x;
  let inside = c < u.C;
  let first = group.y * u.rows;
  let past = select(first, min(first + u.rows, u.m), inside);
  let out = group.y * u.C + c;`;

interface Sums {
  readonly reads: readonly string[];
  /** What it writes besides the sums: matrices [m, C]. */
  readonly matrices?: readonly string[];
  readonly sums: readonly [string] | readonly [string, string];
  readonly numbers?: readonly string[];
  /** Integers besides m, C and rows. */
  readonly integers?: readonly string[];
  /** WGSL that adds the terms of element `at`, in row i, to `sum`. */
  readonly terms: string;
}

function columnSums(
  name: string,
  { reads, matrices = [], sums, numbers = [], integers = [], terms }: Sums,
): WgslForm {
  return {
    name,
    reads,
    writes: [...matrices, ...sums],
    sizes: ['m', 'C', 'rows', ...integers],
    numbers,
    code: `${TOTAL}${HEAD}
  var sum = vec2<f32>();
  for (var i = first + local.y; i < past; i += 8u) {
    let at = i * u.C + c;
    ${terms}
  }
  let all = total(sum, local);
  if (local.y == 0u && inside) {
    ${sums.map((sum, k) => `${sum}[out] = all.${'xy'[k]};`).join('\n    ')}
  }
}`,
  };
}

/** Σᵢ x. x [m, C] → [C]. */
export const colSum: WgslForm = columnSums('colSum', {
  reads: ['x'],
  sums: ['sum0'],
  terms: 'sum.x += x[at];',
});

/** Σᵢ x and Σᵢ z. x, z [m, C] → [C], [C]: adds up the blocks of two sums. */
export const colSum2: WgslForm = columnSums('colSum', {
  reads: ['x', 'z'],
  sums: ['sum0', 'sum1'],
  terms: 'sum += vec2(x[at], z[at]);',
});

/** Σᵢ g·xhat. g, xhat [m, C] → [C]. */
export const colDot: WgslForm = columnSums('colDot', {
  reads: ['g', 'xhat'],
  sums: ['sum0'],
  terms: 'sum.x += g[at] * xhat[at];',
});

/** dgamma = Σᵢ g·xhat and dbeta = Σᵢ g, with xhat = (x − mean)·rstd. */
export const batchnormSums: WgslForm = columnSums('batchnormSums', {
  reads: ['g', 'x', 'mean', 'rstd'],
  sums: ['dgamma', 'dbeta'],
  terms: 'sum += vec2(g[at] * ((x[at] - mean[c]) * rstd[c]), g[at]);',
});

/** dgamma and dbeta of layer normalization: the same sums, with the mean and rstd of row i and the group of column c. */
export const layernormSums: WgslForm = columnSums('layernormSums', {
  reads: ['g', 'x', 'mean', 'rstd'],
  sums: ['dgamma', 'dbeta'],
  integers: ['G'],
  terms: `let r = i * u.G + c / (u.C / u.G);
    sum += vec2(g[at] * ((x[at] - mean[r]) * rstd[r]), g[at]);`,
});

/** dz = g·activation′, from y = activation(z), and db = Σᵢ dz. */
export const denseDz: WgslForm = columnSums('denseDz', {
  reads: ['g', 'y'],
  matrices: ['dz'],
  sums: ['db'],
  numbers: ['slope'],
  terms: `var d = g[at];
    if (u.slope == 0.0) {
      if (y[at] <= 0.0) { d = 0.0; }
    } else if (!(y[at] > 0.0)) {
      d = u.slope * d;
    }
    dz[at] = d;
    sum.x += d;`,
});

// ── the mean and the variance of each column ───────────────────────────────────────────────────────────

/**
 * The mean of a block and Σ (x − mean)² of it, in two passes: the differences are small, so float32 holds them well.
 * The sum of the differences from the rounded mean, which would be 0 without rounding, corrects the squares.
 */
const MOMENTS = `
  let origin = select(0.0, x[first * u.C + min(c, u.C - 1u)], inside);
  var sum = vec2<f32>();
  for (var i = first + local.y; i < past; i += 8u) { sum.x += x[i * u.C + c] - origin; }
  let count = f32(min(u.rows, u.m - first));
  let mu = origin + total(sum, local).x / count;
  sum = vec2<f32>();
  for (var i = first + local.y; i < past; i += 8u) {
    let d = x[i * u.C + c] - mu;
    sum += vec2(d * d, d);
  }
  let all = total(sum, local);
  let excess = all.y * all.y / count;
  let squares = select(all.x, all.x - excess, excess < all.x);`;

/** From mu and squares: what is written for column c. */
const FINISH = {
  statistics: `
    var v = squares / f32(u.m);
    if (v < 0.0) { v = 0.0; }
    mean[c] = mu;
    variance[c] = v;
    rstd[c] = 1.0 / sqrt(v + u.eps);`,
  tracking: `
    var v = squares / f32(u.m);
    if (v < 0.0) { v = 0.0; }
    mean[c] = mu;
    rstd[c] = 1.0 / sqrt(v + u.eps);
    runningMean[c] = u.keep * runningMean[c] + u.alpha * mu;
    runningVar[c] = u.keep * runningVar[c] + u.alpha * (u.correction * v);`,
};
const writes = {
  statistics: ['mean', 'variance', 'rstd'],
  tracking: ['mean', 'rstd', 'runningMean', 'runningVar'],
};
const numbers = { statistics: ['eps'], tracking: ['eps', 'alpha', 'keep', 'correction'] };
type Finish = keyof typeof FINISH;

/** Mean, variance and rstd of columns in one block; or mean, rstd and the update of the running statistics. */
const inOneBlock = (finish: Finish): WgslForm => ({
  name: 'the statistics of the columns',
  reads: ['x'],
  writes: writes[finish],
  sizes: ['m', 'C', 'rows'],
  numbers: numbers[finish],
  code: `${TOTAL}${HEAD}${MOMENTS}
  if (local.y == 0u && inside) {${FINISH[finish]}
  }
}`,
});

/** The same from the means and squares of the blocks: Chan, Golub & LeVeque 1979. */
const ofBlocks = (finish: Finish): WgslForm => ({
  name: 'the statistics of the columns from those of blocks',
  reads: ['means', 'squaresOf'],
  writes: writes[finish],
  sizes: ['m', 'C', 'rows', 'blocks'],
  numbers: numbers[finish],
  code: `${TOTAL}
@compute @workgroup_size(32, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let c = group.x * 32u + local.x;
  let inside = c < u.C;
  let past = select(0u, u.blocks, inside);
  let origin = select(0.0, means[min(c, u.C - 1u)], inside);
  var sum = vec2<f32>();
  for (var q = local.y; q < past; q += 8u) {
    sum.x += f32(min(u.rows, u.m - q * u.rows)) * (means[q * u.C + c] - origin);
  }
  let mu = origin + total(sum, local).x / f32(u.m);
  sum = vec2<f32>();
  for (var q = local.y; q < past; q += 8u) {
    let count = f32(min(u.rows, u.m - q * u.rows));
    let d = means[q * u.C + c] - mu;
    sum += vec2(squaresOf[q * u.C + c] + count * d * d, count * d);
  }
  let all = total(sum, local);
  let excess = all.y * all.y / f32(u.m);
  let squares = select(all.x, all.x - excess, excess < all.x);
  if (local.y == 0u && inside) {${FINISH[finish]}
  }
}`,
});

export const statistics: WgslForm = inOneBlock('statistics');
export const statisticsTracking: WgslForm = inOneBlock('tracking');
export const statisticsOfBlocks: WgslForm = ofBlocks('statistics');
export const statisticsTrackingOfBlocks: WgslForm = ofBlocks('tracking');

/** The mean and Σ (x − mean)² of each block of rows. x [m, C] → [blocks, C], [blocks, C]. */
export const moments: WgslForm = {
  name: 'the moments of blocks of rows',
  reads: ['x'],
  writes: ['means', 'squaresOf'],
  sizes: ['m', 'C', 'rows'],
  code: `${TOTAL}${HEAD}${MOMENTS}
  if (local.y == 0u && inside) {
    means[out] = mu;
    squaresOf[out] = squares;
  }
}`,
};
