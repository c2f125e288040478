/**
 * Every JavaScript engine computes the same bits: pinned checksums of float64 results, on `cpu`. CI runs this file in
 * each version of Node and in Chromium, whose `Math.pow` and `Math.cos` differ in the last bit.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipGradNorm, cosineDecay, stepDecay, tensor, useDevice } from '../../src/index.ts';
import { crc32 } from '../../src/io/crc32.ts';
import { cosine, power } from '../../src/optim/portable-math.ts';
import { optimizers, variants } from './helpers.ts';

const count = 20;

/** The CRC-32 of the numbers as little-endian float64. */
const checksum = (numbers: readonly number[]): string =>
  crc32(new Uint8Array(Float64Array.from(numbers).buffer)).toString(16);

/** Random-looking numbers from −1 to 1: only +, · and % compute them. */
const numbers = (seed: number): number[] =>
  Array.from({ length: count }, (_, i) => ((((i + 1) * 7919 + seed * 104_729) % 65_537) / 65_537) * 2 - 1);

describe('the same bits in every engine', () => {
  beforeAll(() => useDevice('cpu'));

  it.each([
    { ...variants[0], bits: '16d2fd80' },
    { ...variants[1], bits: 'b89bc81b' },
    { ...variants[2], bits: '8772e1f1' },
    { ...variants[3], bits: 'ff24b224' },
    { ...variants[4], bits: 'b89abda6' },
    { ...variants[5], bits: '15cd22fd' },
    { kind: 'Adam' as const, options: { lr: 0.1 }, bits: 'bc210ece' },
  ])('20 steps of $kind $options, with clipped gradients', ({ kind, options, bits }) => {
    const w = tensor(numbers(0), { dtype: 'float64', requiresGrad: true });
    const optimizer = optimizers[kind]([w], options);
    for (let t = 1; t <= 20; t++) {
      w.grad = tensor(numbers(t), { dtype: 'float64' });
      clipGradNorm([w], 1);
      optimizer.step();
    }
    expect(checksum(Array.from(w.dataSync()))).toBe(bits);
  });

  it('learning rate schedules', () => {
    const steps = Array.from({ length: 1001 }, (_, step) => step);
    const cosines = steps.map(cosineDecay(0.1, { steps: 1000, minimum: 0.001 }));
    const powers = steps.map(stepDecay(0.1, { every: 10, factor: 0.9 }));
    expect([checksum(cosines), checksum(powers)]).toEqual(['e3f140b2', '33b0f0fd']);
  });
});

describe('the functions', () => {
  it('power is the float64 nearest to xⁿ', () => {
    fc.assert(
      fc.property(fc.constantFrom(0.9, 0.99, 0.999, 0.9999, 0.1, 0.5), fc.nat(2000), (x, n) => {
        expect(power(x, n)).toBe(nearest(x, n));
      }),
    );
    expect([power(0, 0), power(0, 3), power(1, 2 ** 53 - 1), power(0.999, 1e9)]).toEqual([1, 0, 1, 0]);
  });

  it('cosine differs from Math.cos by at most 2⁻⁵²', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: Math.PI, noNaN: true }), (x) => {
        expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThanOrEqual(2 ** -52);
      }),
      { numRuns: 2000 },
    );
    expect([cosine(0), cosine(Math.PI)]).toEqual([1, -1]);
  });
});

/** xⁿ, rounded once: x is an integer over a power of two, which BigInt raises exactly. */
function nearest(x: number, n: number): number {
  const exponent = 52n - BigInt(Math.floor(Math.log2(x)));
  const numerator = BigInt(x * Number(2n ** exponent)) ** BigInt(n);
  const excess = BigInt(Math.max(0, numerator.toString(2).length - 54)); // 54 bits, and one if any bit is lost
  const kept = numerator >> excess;
  const sticky = (kept << 1n) | (kept << excess === numerator ? 0n : 1n);
  return scaled(Number(sticky), Number(excess) - 1 - Number(exponent) * n);
}

/** x·2ᵏ. In two parts, because 2ᵏ alone may be below the range. */
function scaled(x: number, k: number): number {
  const half = Math.trunc(k / 2);
  return x * 2 ** half * 2 ** (k - half);
}
