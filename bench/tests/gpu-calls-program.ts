/** A program that counts WebGPU's calls in a training step in Node, and tries what happens to a refused kernel. */
import { countCalls } from '../gpu/calls.ts';
import { trainerOn } from '../gpu/trainer.ts';
import { deviceInfo, useDevice } from '../../src/index.ts';
import { denseDz } from '../../kernels/gpu/wgsl/columns.ts';
import { softmaxCrossEntropy } from '../../kernels/gpu/wgsl/softmax.ts';

interface Counted {
  readonly launches: number;
  readonly submits: number;
  readonly buffers: number;
  /** The largest relative difference of a loss from that of wasm. */
  readonly error: number;
}

export interface CallsFound {
  readonly plain: Counted | null;
  readonly bn: Counted | null;
  /** The forms of products that `deviceInfo` reports after each is chosen. */
  readonly products: readonly (string | undefined)[];
  /** Kernels that do not compile: whether the losses are right, and what `deviceInfo` says. */
  readonly refused: { readonly right: boolean; readonly lines: readonly string[] | undefined } | null;
}

async function counted(net: 'plain' | 'bn'): Promise<Counted> {
  const netAndBatch = { net, batch: 32 };
  const { launches, submits, buffers } = await countCalls(netAndBatch);
  const expected = await (await trainerOn('wasm', netAndBatch)).losses(4);
  const losses = await (await trainerOn('webgpu', netAndBatch)).losses(4);
  const error = Math.max(...losses.map((loss, k) => Math.abs(loss / expected[k] - 1)));
  return { launches, submits, buffers, error };
}

/** Trains with kernels that the driver refuses. */
async function withRefused(): Promise<CallsFound['refused']> {
  for (const form of [softmaxCrossEntropy, denseDz]) Object.assign(form, { code: 'this is not WGSL' });
  const netAndBatch = { net: 'plain', batch: 4 } as const;
  const expected = await (await trainerOn('wasm', netAndBatch)).losses(3);
  const losses = await (await trainerOn('webgpu', netAndBatch)).losses(3);
  const right = losses.every((loss, k) => Math.abs(loss / expected[k] - 1) < 1e-4);
  return { right, lines: deviceInfo().refused };
}

/** Chooses the products by hand. */
async function chosen(): Promise<(string | undefined)[]> {
  const gpuJs = await useDevice('webgpu', { products: 'gpu.js' });
  const tiled = await useDevice('webgpu', { products: 'tiled' });
  return [gpuJs, tiled].map(({ products }) => products?.form);
}

const products = await chosen();
const found: CallsFound =
  process.argv[2] === 'refuse'
    ? { products, plain: null, bn: null, refused: await withRefused() }
    : { products, plain: await counted('plain'), bn: await counted('bn'), refused: null };
console.log(JSON.stringify(found));
