/** A program that runs the fusions and products of WebGPU in Node, and prints where they differ from their references. */
import './poll-less.ts';
import fc from 'fast-check';
import { divide } from '../../../../kernels/gpu/wgsl/product.ts';
import * as kernels from '../../../../kernels/index.ts';
import type { Kernel } from '../../../../kernels/kernel.ts';
import { useDevice } from '../../../../src/index.ts';
import { currentDevice } from '../../../../src/tensor/device/current.ts';
import type { KernelCall } from '../../../laws/kernel-laws.ts';
import {
  composer,
  type FusionCase,
  held,
  resultNames,
  signatureOf,
  updatesOf,
} from '../../../kernels/fusion-cases/case.ts';
import { fusionCases } from '../../../kernels/fusion-cases/index.ts';

export interface FormsFound {
  /** One line for each result that differs. */
  readonly wrong: readonly string[];
  /** The number of results that were compared. */
  readonly compared: number;
  readonly refused: readonly string[] | undefined;
  /** The tiles of the products, and of those whose sum is split. */
  readonly tiles: readonly string[];
  readonly splitTiles: readonly string[];
}

const wrong: string[] = [];
let compared = 0;
await useDevice('webgpu', { products: 'tiled' });
const device = currentDevice();

const TOLERANCE = 4e-5;
/** In float32, x − mean loses its digits if the mean is much larger than the deviation. Calls with larger values are skipped. */
const LARGEST = 1200;

/**
 * Whether a result is near to `value`. `scale` is the size of the terms of a sum. What is not finite must not become
 * finite; whether it is NaN or infinite depends on the order of a sum.
 */
function isNear(found: number, value: number, scale = 0): boolean {
  if (!Number.isFinite(value)) return !Number.isFinite(found);
  const allowed = 1e-6 + TOLERANCE * Math.max(Math.abs(value), Number.isNaN(scale) ? 0 : scale);
  return Math.abs(found - value) <= allowed;
}

async function checkCall(fusionCase: FusionCase, call: KernelCall, spoilt: string): Promise<void> {
  const { fusion, magnitudes } = fusionCase;
  if (device.runFused === undefined) throw new Error('webgpu has no fused kernels');
  const updates = updatesOf(fusionCase, call);
  const names = resultNames(fusionCase, call);
  const shapes = call.inputs.map(({ shape }) => shape);
  const arrays = call.inputs.map(({ data }) => Float32Array.from(data));
  const inputs = arrays.map((data, k) => held(shapes[k], Float64Array.from(data)));
  const terms = magnitudes(inputs, call.params);
  const uploaded = arrays.map((data) => device.upload(data, 'float32'));
  const outputs = device.runFused(fusion, uploaded, shapes, call.params).map(({ storage }) => storage);
  const found = await Promise.all(
    [...outputs, ...updates.map((k) => uploaded[k])].map((y) => device.read(y)),
  );
  const results = fusion.compose(composer, inputs, call.params);
  const expected = [...results, ...updates.map((k) => inputs[k])].map(({ data }) => data);
  expected.forEach((values, k) => {
    compared++;
    const at = values.findIndex((value, i) => !isNear(found[k][i], value, terms[k]?.[i]));
    if (at < 0) return;
    const where = `${fusion.name} ${JSON.stringify(shapes)}${spoilt}`;
    wrong.push(`${where}: ${names[k]}[${at}] is ${found[k][at]}, not ${values[at]}`);
  });
  for (const storage of [...uploaded, ...outputs]) device.free(storage);
}

async function checkFusion(fusionCase: FusionCase, n: number, turn: number): Promise<void> {
  for (const call of fc.sample(fusionCase.calls(n, turn), { numRuns: 2, seed: n })) {
    const isLarge = call.inputs.some(({ data }) => data.some((value) => Math.abs(value) > LARGEST));
    if (!isLarge) await checkCall(fusionCase, call, '');
  }
}

/** The inputs whose values may be anything. Statistics and indices are not among them. */
const VALUES = ['x', 'g', 'dz', 'logits', 'gamma', 'w'];

/** A call in which one value of each input is NaN or infinite. */
async function checkSpecial(fusionCase: FusionCase, special: number, n: number): Promise<void> {
  const { fusion, calls } = fusionCase;
  const drawn = fc.sample(calls(n, 0), { numRuns: 20, seed: n });
  const call = drawn.find(({ inputs }) => inputs.every(({ data }) => data.every((x) => Math.abs(x) <= 100)));
  if (call === undefined) throw new Error(`${fusion.name}: no call with small values`);
  for (const [k, name] of signatureOf(fusionCase).inputs.entries()) {
    if (!VALUES.includes(name)) continue;
    const spoilt = call.inputs.map(({ shape, data }, other) => ({
      shape,
      data: other === k ? data.with(data.length >> 1, special) : data,
    }));
    await checkCall(fusionCase, { ...call, inputs: spoilt }, `, ${special} in ${name}`);
  }
}

async function checkProduct(
  kernel: Kernel,
  m: number,
  k: number,
  n: number,
  special: boolean,
): Promise<void> {
  const shapes = {
    matmul: [[m, k], [k, n]],
    matmulTransposedA: [[k, m], [k, n]],
    matmulTransposedB: [[m, k], [n, k]],
  }[kernel.name] ?? []; // prettier-ignore
  const [a, b] = [m * k, k * n].map((size) =>
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * i + size)),
  );
  if (special) [a[0], b[b.length - 1]] = [NaN, Infinity];
  const expected = new Float64Array(m * n);
  kernel.reference(expected, [a, b].map((x) => Float64Array.from(x)), [m, k, n], {}); // prettier-ignore
  const inputs = [a, b].map((x) => device.upload(x, 'float32'));
  const y = device.run(kernel, inputs, shapes, [m, n], {}, false);
  const found = await device.read(y);
  compared++;
  const largest = expected.reduce((most, y) => (Number.isFinite(y) ? Math.max(most, Math.abs(y)) : most), 1);
  const at = expected.findIndex((value, i) => {
    if (!Number.isFinite(value)) return !Object.is(found[i], value);
    return !(Math.abs(found[i] - value) <= 3e-6 * largest);
  });
  if (at >= 0) wrong.push(`${kernel.name} ${m}×${k}×${n}: [${at}] is ${found[at]}, not ${expected[at]}`);
  for (const storage of [...inputs, y]) device.free(storage);
}

const extents = [1, 2, 3, 5, 8, 17, 33, 65, 300, 700];
for (const fusionCase of Object.values<FusionCase>(fusionCases)) {
  for (const [k, n] of extents.entries()) {
    if (!fusionCase.except?.includes(n)) await checkFusion(fusionCase, n, k % 3);
  }
  for (const [k, special] of [NaN, Infinity, -Infinity].entries()) {
    await checkSpecial(fusionCase, special, [5, 33, 300][k]);
  }
}
/** Around the edges of tiles: 1 … 17, 63 … 65, 784, 1000 and 4097, each along m, k and n. */
const turned = (m: number, k: number, n: number) => [
  [m, k, n],
  [n, m, k],
  [k, n, m],
];
const sizes = [
  ...Array.from({ length: 17 }, (_, n) => [n + 1, ((7 * n) % 17) + 1, ((11 * n) % 17) + 1]),
  [31, 33, 32],
  ...turned(63, 64, 65),
  ...turned(784, 3, 10),
  ...turned(1000, 5, 9),
  ...turned(4097, 2, 3),
  [16, 784, 10],
  [33, 1000, 65],
  [10, 4097, 9],
  [49, 300, 1030],
  [129, 2049, 131],
  [1290, 3, 1410],
];
for (const kernel of [kernels.matmul, kernels.matmulTransposedA, kernels.matmulTransposedB]) {
  for (const [k, [m, inner, n]] of sizes.entries()) await checkProduct(kernel, m, inner, n, k % 3 === 2);
}
const divisions = sizes.map(([m, k, n]) => divide(m, k, n));
const found: FormsFound = {
  wrong,
  compared,
  refused: device.refused,
  tiles: divisions.map(({ tile }) => tile),
  splitTiles: divisions.filter(({ parts }) => parts > 1).map(({ tile }) => tile),
};
console.log(JSON.stringify(found));
