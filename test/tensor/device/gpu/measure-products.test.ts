/** How the first large matrix product on a GPU decides between gpu.js and tiles, with times and results that are given. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Products } from '../../../../src/tensor/device/device.ts';
import { Block } from '../../../../src/tensor/device/gpu/blocks.ts';
import { isLarge, measureProducts } from '../../../../src/tensor/device/gpu/measure-products.ts';

afterEach(() => vi.restoreAllMocks());

/** One form of the product: its result, and the milliseconds of each launch. The first one is not timed. */
interface Form {
  readonly result: readonly number[];
  readonly times: readonly number[];
}

interface Outcome extends Products {
  /** The blocks that were not freed. */
  readonly left: number;
}

/** Measures two forms on a clock that each submitted product advances when it is waited for. */
async function decide(translated: Form, tiled: Form, sizes: readonly number[] = [2, 2, 2]): Promise<Outcome> {
  let [now, submitted, left] = [0, 0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const results = new Map<Block, readonly number[]>();
  const launcher = ({ result, times }: Form): (() => Block) => {
    let launches = 0;
    return () => {
      submitted += times[launches++] ?? NaN;
      left++;
      const block = Object.assign(Object.create(Block.prototype) as Block, {
        delete: () => {
          left--;
        },
      });
      results.set(block, result);
      return block;
    };
  };
  const products = await measureProducts({
    sizes,
    translated: launcher(translated),
    tiled: launcher(tiled),
    finished: () => {
      now += submitted;
      submitted = 0;
      return Promise.resolve();
    },
    read: (block, size) => Promise.resolve(Float32Array.from(results.get(block)?.slice(0, size) ?? [])),
  });
  return { ...products, left };
}

const right = [1, -2, 3, 4];

describe('products are worth a measurement', () => {
  it('from 2²⁷ multiplications on', () => {
    expect(isLarge([512, 512, 512])).toBe(true);
    expect(isLarge([512, 512, 511])).toBe(false);
    expect(isLarge([1, 2 ** 27, 1])).toBe(true);
    expect(isLarge([2 ** 20, 0, 2 ** 20])).toBe(false);
  });
});

describe('of two forms that agree', () => {
  it('tiles stay if they are faster, or as fast', async () => {
    const products = await decide(
      { result: right, times: [900, 30, 20] },
      { result: right, times: [900, 12, 8] },
      [512, 1024, 256],
    );
    expect(products).toEqual({
      form: 'tiled',
      reason: 'measured at 512×1024×256: 2.5 times as fast as the other',
      left: 0,
    });
    const equal = { result: right, times: [1, 5, 5] };
    expect((await decide(equal, equal)).form).toBe('tiled');
  });

  it('gpu.js stays if it is faster', async () => {
    const products = await decide(
      { result: right, times: [900, 10, 12] },
      { result: right, times: [1, 40, 30] },
    );
    expect(products).toEqual({
      form: 'gpu.js',
      reason: 'measured at 2×2×2: 3.0 times as fast as the other',
      left: 0,
    });
  });

  it('the best of two runs counts: one slow run, and the first launch, which compiles, do not', async () => {
    const translated = { result: right, times: [0, 10, 10] };
    expect((await decide(translated, { result: right, times: [9000, 9000, 9] })).form).toBe('tiled');
    expect((await decide(translated, { result: right, times: [0, 11, 9000] })).form).toBe('gpu.js');
  });

  it('sums in another order agree', async () => {
    const products = await decide(
      { result: right, times: [1, 2, 2] },
      { result: right.map((value) => value + 3e-4), times: [1, 1, 1] },
    );
    expect(products.form).toBe('tiled');
  });

  it('NaN and infinities of the operands are no difference', async () => {
    const result = [NaN, Infinity, -Infinity, 1];
    const products = await decide({ result, times: [1, 2, 2] }, { result, times: [1, 1, 1] });
    expect(products.form).toBe('tiled');
  });
});

describe('tiles with a wrong result', () => {
  it.each<[string, number[]]>([
    ['a wrong value', [1, -2, 3, 4.1]],
    ['NaN', [1, NaN, 3, 4]],
    ['an infinite value', [Infinity, -2, 3, 4]],
    ['zeros', [0, 0, 0, 0]],
  ])('are not used, however fast: %s', async (_, result) => {
    const products = await decide({ result: right, times: [1, 50, 50] }, { result, times: [1, 1, 1] });
    expect(products).toEqual({
      form: 'gpu.js',
      reason: 'the product in tiles was wrong at 2×2×2: this is a bug',
      left: 0,
    });
  });
});
