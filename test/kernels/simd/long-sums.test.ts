/**
 * Long sums on `wasm`. Products add up float32 numbers, in blocks of at most 400 terms; above 100,000 terms, they add
 * up parts in float64. All other sums are float64, or float32 over a few rows only.
 */
import { describe, expect, it } from 'vitest';
import { batchnormForward, denseDz } from '../../../kernels/fused/index.ts';
import type { Fusion } from '../../../kernels/fused/fusion.ts';
import * as kernels from '../../../kernels/index.ts';
import type { Kernel, Params, Shape } from '../../../kernels/kernel.ts';
import { seededStream } from '../../../src/tensor/seed.ts';
import { openWasm } from '../../../src/tensor/device/wasm/open-wasm.ts';
import { wasmBuilds } from '../../laws/kernel-laws.ts';

/** A matrix of float32 numbers. */
interface Matrix {
  readonly shape: Shape;
  readonly data: Float32Array;
}

function matrix(rows: number, columns: number, value: (i: number, j: number) => number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j] = value(i, j);
  return { shape: [rows, columns], data };
}

const transposed = ({ shape: [m, n], data }: Matrix) => matrix(n, m, (j, i) => data[i * n + j]);

/** The three forms of a·b. */
const forms: readonly [kernel: Kernel, operands: (a: Matrix, b: Matrix) => [Matrix, Matrix]][] = [
  [kernels.matmul, (a, b) => [a, b]],
  [kernels.matmulTransposedA, (a, b) => [transposed(a), b]],
  [kernels.matmulTransposedB, (a, b) => [a, transposed(b)]],
];

describe('up to 100,000 terms, the bits are those of blocks of float32 sums', () => {
  const device = openWasm(['simd']);
  const float = Math.fround;

  /** The sums of equally long blocks of at most `limit` terms, added up one after the other. */
  function inBlocks(a: Matrix, b: Matrix, limit: number): number[] {
    const [m, k] = a.shape;
    const [, n] = b.shape;
    const depth = Math.ceil(k / Math.ceil(k / limit));
    return Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let start = 0; start < k; start += depth) {
        let block = 0;
        for (let p = start; p < Math.min(k, start + depth); p++) {
          block = float(block + float(a.data[i * k + p] * b.data[p * n + j]));
        }
        sum = float(sum + block);
      }
      return sum;
    });
  }

  const terms = [1, 399, 400, 401, 1201, 4097, 65_537, 99_999, 100_000];
  it.each(terms)('%i terms', (k) => {
    const stream = seededStream(k);
    const drawn = () => stream.uniform() - 0.5;
    for (const [m, n] of [
      [3, 20], // fewer rows than a tile
      [5, 16],
    ]) {
      const [a, b] = [matrix(m, k, drawn), matrix(k, n, drawn)];
      const expected = inBlocks(a, b, m < 4 ? k : 400);
      for (const [kernel, operands] of forms) {
        if (m < 4 && kernel === kernels.matmulTransposedB) continue; // in float64
        const inputs = operands(a, b);
        const storages = inputs.map(({ data }) => device.upload(data, 'float32'));
        const shapes = inputs.map(({ shape }) => shape);
        const y = device.run(kernel, storages, shapes, [m, n], {}, false);
        expect(Array.from(device.readSync(y))).toEqual(expected);
        for (const storage of [...storages, y]) device.free(storage);
      }
    }
  });
});

describe.each(wasmBuilds.filter((build) => 'device' in build))('on $name', ({ device }) => {
  const k = 1_000_003;

  /** Results computed from float32 matrices, freed afterwards. */
  function compute(kernel: Kernel | Fusion, inputs: readonly Matrix[], params: Params = {}): Float64Array[] {
    const shapes = inputs.map(({ shape }) => shape);
    const storages = inputs.map(({ data }) => device.upload(data, 'float32'));
    const made =
      'compose' in kernel
        ? (device.runFused?.(kernel, storages, shapes, params).map(({ storage }) => storage) ?? [])
        : [device.run(kernel, storages, shapes, kernel.shape(shapes, params), params, false)];
    const results = made.map((storage) => Float64Array.from(device.readSync(storage)));
    for (const storage of [...storages, ...made]) device.free(storage);
    return results;
  }

  /** Expects |found − Σ terms| ≤ 1e-5·Σ |terms|. */
  function expectSum(found: number, terms: (p: number) => number, count = k): void {
    let [sum, size] = [0, 0];
    for (let p = 0; p < count; p++) {
      const term = terms(p);
      sum += term;
      size += Math.abs(term);
    }
    expect(Math.abs(found - sum)).toBeLessThanOrEqual(1e-5 * size);
  }

  const stream = seededStream(1);
  /** Terms whose rounding errors add up, terms of one sign, and terms that nearly cancel. */
  const kinds: readonly [what: string, value: (i: number, j: number) => number][] = [
    ['tenths', () => 0.1],
    ['uniform', () => stream.uniform()],
    ['of alternating signs', (i, j) => (-1) ** (i + j) * (1 + stream.uniform())],
  ];

  it('more ones than float32 can count', () => {
    const count = 2 ** 24 + 2;
    const ones = new Float32Array(count).fill(1);
    const [row, column] = [[1, count], [count, 1]].map((shape) => ({ shape, data: ones })); // prettier-ignore
    expect(compute(kernels.matmul, [row, column])).toEqual([Float64Array.of(count)]);
    expect(compute(kernels.colSum, [column])).toEqual([Float64Array.of(count)]);
  });

  describe.each(kinds)('terms: %s', (_what, value) => {
    it.each([
      [2, 5], // fewer rows than a tile
      [5, 13],
    ])('[%i, 1000003]·[1000003, %i], in all three forms', (m, n) => {
      const [a, b] = [matrix(m, k, () => 1), matrix(k, n, value)];
      for (const [kernel, operands] of forms) {
        const [y] = compute(kernel, operands(a, b));
        for (const at of [0, m * n - 1]) expectSum(y[at], (p) => b.data[p * n + (at % n)]);
      }
    });

    it.each([1, 5])('sums over the rows of [1000003, %i]', (C) => {
      const [g, x] = [matrix(k, C, value), matrix(k, C, value)];
      const mean = { shape: [C], data: new Float32Array(C).fill(1) };
      const last = C - 1;
      const ofG = (p: number) => g.data[p * C + last];
      expectSum(compute(kernels.colSum, [g])[0][last], ofG);
      expectSum(compute(kernels.sumAxis, [g], { axis: 0 })[0][last], ofG);
      expectSum(compute(kernels.colDot, [g, x])[0][last], (p) => ofG(p) * x.data[p * C + last]);
      expectSum(
        compute(denseDz, [g, x], { slope: 0.5 })[1][last],
        (p) => ofG(p) * (x.data[p * C + last] > 0 ? 1 : 0.5),
      );
      const [, mu, variance] = compute(batchnormForward, [g, mean, mean], { eps: 1e-5 });
      expectSum(mu[last] * k, ofG);
      expectSum(variance[last] * k, (p) => (ofG(p) - mu[last]) ** 2);
    });
  });
});
