/** Sizes at the limits: taller than a texture, larger than memory, sums of thousands of values, and empty. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  concat,
  crossEntropy,
  DeviceError,
  deviceInfo,
  tensor,
  type Tensor,
  useDevice,
} from '../../src/index.ts';
import { read } from '../tensors.ts';

/** More rows than the 8,192 of a WebGL texture. */
const TALL = 10_000;

/** A matrix of small integers, which float32 sums without rounding. */
const whole = (rows: number, columns: number, at: (i: number, j: number) => number, options: object = {}) =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, k) => at(Math.floor(k / columns), k % columns)),
    { shape: [rows, columns], ...options },
  );

describe.each(['webgl', 'webgpu'] as const)('on %s', (name) => {
  beforeAll(async () => {
    await useDevice(name);
    expect(deviceInfo().device).toBe(name);
  });

  it(`products with ${TALL} rows and with ${TALL} columns are correct`, async () => {
    const tall = whole(TALL, 3, (i, j) => (i % 7) + j);
    const narrow = whole(3, 2, (i, j) => i - j);
    const product = await read(tall.matmul(narrow));
    expect(product).toHaveLength(2 * TALL);
    const wrong = product.findIndex((value, k) => {
      const [i, j] = [Math.floor(k / 2), k % 2];
      return value !== [0, 1, 2].reduce((sum, p) => sum + ((i % 7) + p) * (p - j), 0);
    });
    expect(wrong).toBe(-1);
    const wide = await read(narrow.transpose().matmul(tall.transpose())); // [2, TALL]
    expect(wide.every((value, k) => value === product[2 * (k % TALL) + Math.floor(k / TALL)])).toBe(true);
  });

  it(`crossEntropy over ${TALL} rows, its gradient and argmax are correct`, async () => {
    const K = 10;
    const at = (i: number, j: number) => ((i * 7 + j * 3) % 11) / 4;
    const logits = whole(TALL, K, at, { requiresGrad: true });
    const labels = Uint8Array.from({ length: TALL }, (_, i) => i % K);
    const loss = crossEntropy(logits, labels);
    loss.backward();
    const probabilities = Array.from({ length: TALL }, (_, i) => {
      const powers = Array.from({ length: K }, (_, j) => Math.exp(at(i, j)));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return powers.map((power) => power / total);
    });
    const expected = probabilities.reduce((sum, p, i) => sum - Math.log(p[i % K]), 0) / TALL;
    expect((await read(loss))[0]).toBeCloseTo(expected, 5);
    const gradient = await read(logits.grad);
    const errors = gradient.map((value, k) => {
      const [i, j] = [Math.floor(k / K), k % K];
      return Math.abs(value * TALL - (probabilities[i][j] - (j === i % K ? 1 : 0)));
    });
    expect(errors.reduce((a, b) => Math.max(a, b))).toBeLessThan(2e-6);
    const largest = await read(logits.detach().argmax(1));
    expect(largest).toHaveLength(TALL);
    expect(largest.every((j, i) => [...Array(K).keys()].every((k) => at(i, k) <= at(i, j)))).toBe(true);
  });

  it('sums and products over more than 1,000 values include all of them', async () => {
    const n = 3072;
    const ones = whole(n, 2, () => 1);
    expect(await read(ones.sum(0))).toEqual([n, n]);
    expect(await read(ones.transpose().sum(1))).toEqual([n, n]);
    expect(await read(ones.sum())).toEqual([2 * n]);
    expect(await read(ones.transpose().matmul(ones))).toEqual([n, n, n, n]);
  });

  it('empty tensors: results are empty, sums are 0, and concat skips them', async () => {
    const empty = tensor([], { shape: [0, 3] });
    expect(await read(empty.exp().mul(2))).toEqual([]);
    expect(await read(empty.sum(0))).toEqual([0, 0, 0]);
    expect(await read(tensor([], { shape: [2, 0] }).matmul(empty))).toEqual([0, 0, 0, 0, 0, 0]);
    const row = tensor([[1, 2, 3]]);
    expect(await read(concat([empty, empty, row, empty, row], 0))).toEqual([1, 2, 3, 1, 2, 3]);
    expect(await read(concat([empty, empty], 0))).toEqual([]);
  });

  it('tensors beyond the limit are refused; the message names the limit', () => {
    // 10⁵·10⁴ values would need 4 GB. They are refused before anything is allocated.
    const expand = (): Tensor => tensor([1]).reshape([1, 1]).matmul(tensor([1]).reshape([1, 1])).add(row()).add(column()); // prettier-ignore
    const row = () => tensor(new Float32Array(100_000), { shape: [1, 100_000] });
    const column = () => tensor(new Float32Array(10_000), { shape: [10_000, 1] });
    expect(expand).toThrow(DeviceError);
    expect(expand).toThrow(
      name === 'webgl'
        ? /^\w+: 1000000000 values do not fit into a texture of webgl, of 8192 × 8192\. Hint: .*webgpu/
        : /^\w+: 4000000000 bytes in one tensor; this GPU's limit is \d+\. Hint: /,
    );
  });
});
