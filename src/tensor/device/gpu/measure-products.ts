/** Decides by measurement which matrix products a GPU computes faster: those of gpu.js, or those in tiles. */
import type { Products } from '../device.ts';
import type { Block } from './blocks.ts';
import type { Maybe } from './engine.ts';

/** From this many multiplications on, a product is worth a measurement: 512³. */
const LARGE = 2 ** 27;

export function isLarge(sizes: readonly number[]): boolean {
  return sizes.reduce((product, size) => product * size, 1) >= LARGE;
}

/** |a − b| ≤ this · (|a| + max |a|), for the same sums in another order. */
const TOLERANCE = 1e-4;
/** How many elements are compared. */
const COMPARED = 2 ** 20;

interface Measured {
  readonly sizes: readonly number[];
  /** Computes the product with gpu.js. */
  readonly translated: () => Maybe<Block>;
  /** Computes the product in tiles. */
  readonly tiled: () => Maybe<Block>;
  /** Submits everything, and waits until it is computed. */
  readonly finished: () => Promise<void>;
  readonly read: (block: Block, size: number) => Promise<Float32Array>;
}

export async function measureProducts({
  sizes,
  translated,
  tiled,
  finished,
  read,
}: Measured): Promise<Products> {
  const [m, k, n] = sizes;
  const size = Math.min(m * n, COMPARED);
  const [ours, theirs] = [await tiled(), await translated()];
  const [found, expected] = [await read(ours, size), await read(theirs, size)];
  for (const block of [ours, theirs]) block.delete();
  if (!agree(found, expected)) {
    return { form: 'gpu.js', reason: `the product in tiles was wrong at ${m}×${k}×${n}: this is a bug` };
  }
  const timed = async (launch: () => Maybe<Block>): Promise<number> => {
    await finished();
    const begin = performance.now();
    const block = await launch();
    await finished();
    block.delete();
    return performance.now() - begin;
  };
  const [slow, fast] = [[], []] as [number[], number[]];
  for (let round = 0; round < 2; round++) {
    slow.push(await timed(translated));
    fast.push(await timed(tiled));
  }
  const ratio = Math.min(...slow) / Math.min(...fast);
  const form = ratio >= 1 ? 'tiled' : 'gpu.js';
  const times = (form === 'tiled' ? ratio : 1 / ratio).toPrecision(2);
  return { form, reason: `measured at ${m}×${k}×${n}: ${times} times as fast as the other` };
}

function agree(found: Float32Array, expected: Float32Array): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.every((value, at) => {
    const wanted = expected[at];
    const error = Math.abs(value - wanted);
    return (
      error <= TOLERANCE * (Math.abs(wanted) + largest) ||
      Object.is(value, wanted) ||
      !Number.isFinite(wanted)
    );
  });
}
