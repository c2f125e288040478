/**
 * The three matrix products in tiles. A workgroup computes a tile of y: it copies a strip of a and a strip of b, of
 * `depth` terms, to the memory of the workgroup, from which each thread adds to its T × T sums in registers. So each
 * element is read from memory once for every tile instead of once for every output.
 *
 * With few tiles and many terms, the sum over p is split: workgroup z sums the terms of part z, and `productSum` adds
 * the parts. Both apply bias and activation at the end: y = activation(Σₚ … + bias), with the activation given by its
 * slope below 0, as in `../../fused/dense.ts`.
 */
import { parts as ceil, type WgslForm, type Workgroups } from './form.ts';

export type ProductName = 'matmul' | 'matmulTransposedA' | 'matmulTransposedB';

/** The shape of a tile. */
export interface Tile {
  /** Threads along each side of a workgroup. */
  readonly side: number;
  /** T: each thread computes T × T sums. A multiple of 4. */
  readonly each: number;
}

export const tiles: Readonly<Record<'large' | 'medium' | 'small', Tile>> = {
  /** 128 × 128: the fastest where there are many outputs. */
  large: { side: 16, each: 8 },
  /** 64 × 64. */
  medium: { side: 16, each: 4 },
  /** 32 × 32, for small products. */
  small: { side: 8, each: 4 },
};

export type TileName = keyof typeof tiles;

/** Whether the activation, which may be none, is applied to a sum z. NaN stays NaN: every comparison with it is false. */
const ACTIVATION = `
fn activated(z: f32) -> f32 {
  if (u.slope == 0.0) {
    if (z <= 0.0) { return 0.0; }
    return z;
  }
  if (z > 0.0) { return z; }
  return u.slope * z;
}`;

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k);
const XYZW = ['x', 'y', 'z', 'w'];

/** The product of a kernel, in tiles of a shape. a, b → y [m, n], or [parts, m, n] without bias and activation. */
export function product(name: ProductName, { side, each }: Tile): WgslForm {
  const size = side * each; // of a tile
  const depth = (4 * side) / each; // so that each thread copies one vector of each strip
  const quads = depth / 4;
  const padded = quads + 1; // spreads rows over the banks of the memory
  const aDown = name === 'matmulTransposedA'; // a is stored with p along its rows, so rows of y are neighbours
  const bDown = name !== 'matmulTransposedB'; // likewise b and the columns of y

  const row = (r: number) => (aDown ? `4u * (ty + ${side * Math.floor(r / 4)}u) + ${r % 4}u` : `ty + ${side * r}u`); // prettier-ignore
  const column = (s: number) => (bDown ? `4u * (tx + ${side * Math.floor(s / 4)}u) + ${s % 4}u` : `tx + ${side * s}u`); // prettier-ignore

  /** Four neighbours of a strip, and their place in the workgroup's memory. `t` is the number of the thread. */
  const strip = (down: boolean, first: string) =>
    down
      ? {
          /** Four columns (or rows) of y at one p. */
          p: `t / ${size / 4}u`,
          at: `${first} + 4u * (t % ${size / 4}u)`,
          place: 't',
        }
      : {
          /** Four p in one row (or column) of y. */
          p: `4u * (t % ${quads}u)`,
          at: `${first} + t / ${quads}u`,
          place: `(t / ${quads}u) * ${padded}u + t % ${quads}u`,
        };
  const a = strip(aDown, 'top');
  const b = strip(bDown, 'left');
  const memory = (down: boolean) => (down ? side * side : size * padded);

  /** The terms of four p, from q on: vectors of a and b are read, and c{r}_{s} holds four sums of row r. */
  const lines: string[] = [];
  if (!aDown)
    for (const r of range(each)) lines.push(`let a${r} = sa[(ty + ${side * r}u) * ${padded}u + q];`);
  if (!bDown)
    for (const s of range(each)) lines.push(`let b${s} = sb[(tx + ${side * s}u) * ${padded}u + q];`);
  for (const e of range(4)) {
    const at = `(4u * q + ${e}u) * ${size / 4}u`;
    if (aDown) for (const r of range(each / 4)) lines.push(`let a${r}_${e} = sa[${at} + ty + ${side * r}u];`);
    for (const s of range(each / 4)) {
      const four = range(4).map((f) => `b${4 * s + f}.${XYZW[e]}`);
      lines.push(
        bDown
          ? `let b${s}_${e} = sb[${at} + tx + ${side * s}u];`
          : `let b${s}_${e} = vec4(${four.join(', ')});`,
      );
    }
    for (const r of range(each)) {
      const left = aDown ? `a${Math.floor(r / 4)}_${e}.${XYZW[r % 4]}` : `a${r}.${XYZW[e]}`;
      for (const s of range(each / 4)) lines.push(`c${r}_${s} += ${left} * b${s}_${e};`);
    }
  }

  return {
    name: `${name}, tiles of ${size} × ${size}`,
    reads: ['a', 'b', 'bias'],
    writes: ['y'],
    sizes: ['m', 'k', 'n', 'chunk', 'finish', 'biased'],
    numbers: ['slope'],
    code: `
var<workgroup> sa: array<vec4<f32>, ${memory(aDown)}>;
var<workgroup> sb: array<vec4<f32>, ${memory(bDown)}>;
${ACTIVATION}
/** a at four neighbours: ${aDown ? 'rows i … i+3 of y at p' : 'p … p+3 in row i of y'}; 0 outside. */
fn loadA(i: u32, p: u32, end: u32) -> vec4<f32> {
  var v = vec4<f32>();
  ${loads('a', aDown, 'i', 'u.m', 'u.m', 'u.k')}
  return v;
}
fn loadB(j: u32, p: u32, end: u32) -> vec4<f32> {
  var v = vec4<f32>();
  ${loads('b', bDown, 'j', 'u.n', 'u.n', 'u.k')}
  return v;
}
fn store(part: u32, i: u32, j: u32, sum: f32) {
  if (i >= u.m || j >= u.n) { return; }
  var z = sum;
  if (u.finish == 1u) {
    if (u.biased == 1u) { z += bias[j]; }
    z = activated(z);
  }
  y[(part * u.m + i) * u.n + j] = z;
}
@compute @workgroup_size(${side}, ${side})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let tx = local.x;
  let ty = local.y;
  let left = group.x * ${size}u;
  let top = group.y * ${size}u;
  let begin = group.z * u.chunk;
  let end = min(begin + u.chunk, u.k);
  ${range(each).flatMap((r) => range(each / 4).map((s) => `var c${r}_${s} = vec4<f32>();`)).join('\n  ')}
  var va = loadA(${a.at}, begin + ${a.p}, end);
  var vb = loadB(${b.at}, begin + ${b.p}, end);
  for (var start = begin; start < end; start += ${depth}u) {
    sa[${a.place}] = va;
    sb[${b.place}] = vb;
    workgroupBarrier();
    va = loadA(${a.at}, start + ${depth}u + ${a.p}, end);
    vb = loadB(${b.at}, start + ${depth}u + ${b.p}, end);
    for (var q = 0u; q < ${quads}u; q++) {
      ${lines.join('\n      ')}
    }
    workgroupBarrier();
  }
  ${range(each).flatMap((r) => range(each).map((s) => `store(group.z, top + ${row(r)}, left + ${column(s)}, c${r}_${Math.floor(s / 4)}.${XYZW[s % 4]});`)).join('\n  ')}
}`, // prettier-ignore
  };
}

/** WGSL that reads four neighbours of a matrix into v: along its rows of `width`, or along p, of which there are `end`. */
function loads(x: string, down: boolean, i: string, most: string, width: string, k: string): string {
  return down
    ? `if (p < end) {
    let at = p * ${width} + ${i};
    ${XYZW.map((c, e) => `if (${i} + ${e}u < ${most}) { v.${c} = ${x}[at + ${e}u]; }`).join('\n    ')}
  }`
    : `if (${i} < ${most}) {
    let at = ${i} * ${k} + p;
    ${XYZW.map((c, e) => `if (p + ${e}u < end) { v.${c} = ${x}[at + ${e}u]; }`).join('\n    ')}
  }`;
}

/** y = activation(Σ_z x[z] + bias), elementwise: the last step of a product whose sums were split in parts. */
export const productSum: WgslForm = {
  name: 'the sum of the parts of a product',
  reads: ['x', 'bias'],
  writes: ['y'],
  sizes: ['parts', 'elements', 'n', 'biased'],
  numbers: ['slope'],
  code: `${ACTIVATION}
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var at = id.x; at < u.elements; at += 256u * groups.x) {
    var z = 0.0;
    for (var part = 0u; part < u.parts; part++) { z += x[part * u.elements + at]; }
    if (u.biased == 1u) { z += bias[at % u.n]; }
    y[at] = activated(z);
  }
}`,
};

/** How a product is divided among workgroups. */
export interface Division {
  readonly tile: TileName;
  readonly groups: Workgroups;
  /** The number of parts of the sum over p, and the number of terms in each. */
  readonly parts: number;
  readonly chunk: number;
}

/** Enough workgroups for the largest GPUs, which have about this many multiprocessors. */
const BUSY = 128;
/** A part of a sum has at least this many terms: fewer cost more to add up than they save. */
const FEWEST = 256;

/** The largest tile with which a product [m, k]·[k, n] keeps a GPU busy. */
export function divide(m: number, k: number, n: number): Division {
  const whole = (tile: TileName) => {
    const size = tiles[tile].side * tiles[tile].each;
    const [x, y] = [ceil(n, size), ceil(m, size)];
    const wanted = x * y >= BUSY ? 1 : ceil(BUSY, x * y);
    const most = Math.max(1, Math.floor(k / FEWEST));
    const chunk = 4 * ceil(ceil(k, Math.min(wanted, most, 16)), 4);
    const parts = ceil(k, chunk);
    return { tile, groups: [x, y, parts] as const, parts, chunk };
  };
  const [large, medium, small] = [whole('large'), whole('medium'), whole('small')];
  const count = ({ groups: [x, y, z] }: Division) => x * y * z;
  if (m >= 96 && n >= 96 && count(large) >= BUSY) return large;
  if (m >= 48 && n >= 48 && count(medium) >= BUSY / 2) return medium;
  return small;
}
