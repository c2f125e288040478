/** A program that runs the fusions and products of WebGPU in Node, and prints where they differ from their references. */
import fc from 'fast-check';
import { divide } from '../../../../kernels/gpu/wgsl/product.ts';
import * as kernels from '../../../../kernels/index.ts';
import type { Kernel } from '../../../../kernels/kernel.ts';
import { useDevice } from '../../../../src/index.ts';
import { currentDevice } from '../../../../src/tensor/device/current.ts';
import { composer, type FusionCase, held } from '../../../kernels/fusion-cases/case.ts';
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

async function checkFusion(
  { fusion, calls, magnitudes }: FusionCase,
  n: number,
  turn: number,
): Promise<void> {
  if (device.runFused === undefined) throw new Error('webgpu has no fused kernels');
  const { updates = [] } = fusion;
  const names = [...fusion.outputs, ...updates.map((k) => fusion.inputs[k])];
  for (const call of fc.sample(calls(n, turn), { numRuns: 2, seed: n })) {
    const shapes = call.inputs.map(({ shape }) => shape);
    const arrays = call.inputs.map(({ data }) => Float32Array.from(data));
    if (arrays.some((data) => data.some((value) => Math.abs(value) > LARGEST))) continue;
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
      const at = values.findIndex((value, i) => {
        const scale = terms[k]?.[i] ?? Math.abs(value);
        return !(Math.abs(found[k][i] - value) <= 1e-6 + TOLERANCE * Math.max(scale, Math.abs(value)));
      });
      if (at < 0) return;
      wrong.push(
        `${fusion.name} ${JSON.stringify(shapes)}: ${names[k]}[${at}] is ${found[k][at]}, not ${values[at]}`,
      );
    });
    for (const storage of [...uploaded, ...outputs]) device.free(storage);
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
}
const sizes = [
  [1, 1, 1],
  [2, 3, 4],
  [3, 5, 2],
  [5, 4, 7],
  [7, 9, 8],
  [17, 13, 16],
  [31, 33, 32],
  [65, 63, 64],
  [16, 784, 10],
  [33, 1000, 65],
  [10, 4097, 9],
  [49, 300, 1030],
  [193, 1700, 131],
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
