/** Matrix products with the sizes and values at which mistakes show first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { devices } from '../laws/kernel-laws.ts';
import { seeds } from './cases/case.ts';
import { computeOn } from './compute.ts';

interface Matrix {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const zeros = (m: number, n: number) => ({ shape: [m, n], data: Array<number>(m * n).fill(0) });
const counted = (m: number, n: number) => ({
  shape: [m, n],
  data: Array.from({ length: m * n }, (_, i) => i + 1),
});

/** a [m, k] of integers, a given share of which are not 0, with some −0; and b [k, n] without zeros. */
function matricesOf({ m, k, n, density, seed }: Record<'m' | 'k' | 'n' | 'density' | 'seed', number>) {
  const stream = seededStream(seed);
  const digit = () => 1 + Math.floor(8 * stream.uniform());
  const sign = () => (stream.uniform() < 0.5 ? -1 : 1);
  const a = Array.from({ length: m * k }, () => sign() * (stream.uniform() < density ? digit() : 0));
  const b = Array.from({ length: k * n }, () => sign() * digit());
  return [
    { shape: [m, k], data: a },
    { shape: [k, n], data: b },
  ] as const;
}

function exactProduct(a: Matrix, b: Matrix): number[] {
  const [m, k] = a.shape;
  const n = b.shape[1];
  const y = Array<number>(m * n).fill(0);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      for (let j = 0; j < n; j++) y[i * n + j] += a.data[i * k + p] * b.data[p * n + j];
    }
  }
  return y.map((value) => value + 0); // no −0
}

describe.each(devices)('on $name', (on) => {
  const compute = computeOn(on);
  const transposed = async (x: Matrix) => ({
    shape: x.shape.toReversed(),
    data: await compute(kernels.transpose, [x]),
  });

  it('the sum over an empty axis is 0, in all three forms', async () => {
    expect(await compute(kernels.matmul, [zeros(2, 0), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await compute(kernels.matmulTransposedB, [zeros(2, 0), zeros(3, 0)])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await compute(kernels.matmulTransposedA, [zeros(0, 2), zeros(0, 3)])).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('without rows or columns the product is empty', async () => {
    expect(await compute(kernels.matmul, [zeros(0, 2), zeros(2, 3)])).toEqual([]);
    expect(await compute(kernels.matmul, [zeros(2, 2), zeros(2, 0)])).toEqual([]);
  });

  it('computes a product that was worked out by hand', async () => {
    expect(await compute(kernels.matmul, [counted(2, 3), counted(3, 2)])).toEqual([22, 28, 49, 64]);
  });

  it('multiplies by the identity without rounding', async () => {
    const eye = { shape: [3, 3], data: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
    const x = { shape: [2, 3], data: [0.125, 0.25, 0.375, -1e30, 1e-30, 7].map(Math.fround) };
    expect(await compute(kernels.matmul, [x, eye])).toEqual(x.data);
  });

  it('sums more than 1,000 terms', async () => {
    for (const k of [1000, 1001, 1030, 3072]) {
      const [row, column] = [
        { shape: [1, k], data: Array<number>(k).fill(1) },
        { shape: [k, 1], data: Array<number>(k).fill(1) },
      ];
      expect(await compute(kernels.matmul, [row, column])).toEqual([k]);
    }
  });

  it('is right if rows, terms and columns all exceed a block and are not multiples of a tile', async () => {
    const [m, k, n] = [137, 401, 523];
    const a = { shape: [m, k], data: Array.from({ length: m * k }, (_, i) => ((i * 7) % 9) - 4) };
    const b = { shape: [k, n], data: Array.from({ length: k * n }, (_, i) => ((i * 5) % 11) - 5) };
    const [at, bt] = await Promise.all([a, b].map(transposed));
    expect(await compute(kernels.matmul, [a, b])).toEqual(exactProduct(a, b)); // integers: no rounding
    expect(await compute(kernels.matmulTransposedB, [a, bt])).toEqual(await compute(kernels.matmul, [a, b]));
    expect(await compute(kernels.matmulTransposedA, [at, b])).toEqual(await compute(kernels.matmul, [a, b]));
  });

  it('keeps NaN and infinity, also if they are multiplied by 0', async () => {
    const b = { shape: [2, 2], data: [0, 1, 0, 0] };
    expect(await compute(kernels.matmul, [{ shape: [1, 2], data: [NaN, 0] }, b])).toEqual([NaN, NaN]);
    expect(await compute(kernels.matmul, [{ shape: [1, 2], data: [Infinity, 0] }, b])).toEqual([
      NaN,
      Infinity,
    ]);
  });

  describe('with a matrix of mostly zeros', () => {
    const sizes = { m: fc.integer({ min: 4, max: 40 }), k: fc.integer({ min: 1, max: 50 }) };
    const n = fc.integer({ min: 30, max: 70 }); // below and above the number of columns from which zeros are skipped
    const density = fc.constantFrom(0, 0.05, 0.2, 0.4, 0.6);

    it('skips no term that is not 0, wherever the zeros are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.record({ ...sizes, n, density, seed: seeds }), async (drawn) => {
          const [a, b] = matricesOf(drawn);
          const at = await transposed(a);
          const y = exactProduct(a, b); // integers: float32 sums them without rounding
          expect(await compute(kernels.matmul, [a, b])).toEqual(y);
          expect(await compute(kernels.matmulTransposedA, [at, b])).toEqual(y);
        }),
      );
    });

    it('keeps NaN and infinities in b that are only multiplied by zeros, wherever they are', async () => {
      const special = fc.constantFrom(NaN, Infinity, -Infinity);
      const drawing = fc.record({ ...sizes, n, density, seed: seeds, special, place: fc.nat() });
      await fc.assert(
        fc.asyncProperty(drawing, async ({ special, place, ...drawn }) => {
          const [a, b] = matricesOf(drawn);
          const at = place % b.data.length;
          b.data[at] = special;
          const term = Math.floor(at / drawn.n);
          for (let i = 0; i < drawn.m; i++) a.data[i * drawn.k + term] = 0;
          const aTransposed = await transposed(a);
          for (const y of [
            await compute(kernels.matmul, [a, b]),
            await compute(kernels.matmulTransposedA, [aTransposed, b]),
          ]) {
            const inColumn = y.filter((_, i) => i % drawn.n === at % drawn.n);
            expect(inColumn).toEqual(Array<number>(drawn.m).fill(NaN)); // 0·∞ is NaN, and so is 0·NaN
            expect(y.filter(Number.isNaN)).toHaveLength(drawn.m);
          }
        }),
      );
    });

    it('keeps NaN and infinities in a', async () => {
      const a = { shape: [4, 40], data: Array<number>(160).fill(0) };
      a.data[45] = NaN;
      a.data[80] = Infinity;
      const b = { shape: [40, 33], data: Array<number>(40 * 33).fill(2) };
      const y = await compute(kernels.matmul, [a, b]);
      expect(y.map((_, i) => y[33 * Math.floor(i / 33)])).toEqual(y);
      expect([0, 1, 2, 3].map((i) => y[33 * i])).toEqual([0, NaN, Infinity, 0]);
    });
  });

  it('gives the same result in all three forms if the operands are transposed', async () => {
    const sizes = fc.integer({ min: 0, max: 9 });
    await fc.assert(
      fc.asyncProperty(sizes, sizes, sizes, async (m, k, n) => {
        const [a, b] = [counted(m, k), counted(k, n)];
        const [at, bt] = await Promise.all([a, b].map(transposed));
        const y = await compute(kernels.matmul, [a, b]);
        expect(await compute(kernels.matmulTransposedB, [a, bt])).toEqual(y);
        expect(await compute(kernels.matmulTransposedA, [at, b])).toEqual(y);
      }),
    );
  });
});
