/** A program that counts WebGPU's calls in a training step in Node, and prints the counts as JSON. */
import { countCalls } from '../gpu/calls.ts';
import type { CallCounts } from '../gpu/gpu-report.ts';
import { trainerOn } from '../gpu/trainer.ts';

export interface Counted extends CallCounts {
  /** The largest relative difference of a loss from that of wasm. */
  readonly error: number;
}

const found: Counted[] = [];
for (const net of ['plain', 'bn', 'ln'] as const) {
  const netAndBatch = { net, batch: 32 };
  const counts = await countCalls(netAndBatch, 2);
  const [expected, losses] = [
    await (await trainerOn('wasm', netAndBatch)).losses(2),
    await (await trainerOn('webgpu', netAndBatch)).losses(2),
  ];
  const error = Math.max(...losses.map((loss, k) => Math.abs(loss / expected[k] - 1)));
  found.push({ ...counts, error });
}
console.log(JSON.stringify(found));
