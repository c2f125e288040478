import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataLoader, type Dataset, manualSeed, permutation } from '../../../src/index.ts';
import { BATCH_SIZE, type NetName, nets } from './experiment.ts';

/**
 * Writes the initial state of a run, for `pytorch.py --start`: a file with all parameters as float32, and a file with the
 * order of the images in each epoch as int32.
 */
export async function writeStart(
  folder: string,
  net: NetName,
  seed: number,
  { training, epochs }: { readonly training: Dataset; readonly epochs: number },
): Promise<void> {
  manualSeed(seed);
  const parameters = nets[net]().parameters();
  const loader = new DataLoader(training, { batchSize: BATCH_SIZE, shuffle: true });
  const weights = await Promise.all(parameters.map((parameter) => parameter.data()));
  const orders = Array.from({ length: epochs }, (_, epoch) => [
    ...permutation(training.labels.length, loader.seed, epoch),
  ]);
  await writeFile(
    join(folder, `${net}-${seed}.weights`),
    Float32Array.from(weights.flatMap((values) => Array.from(values))),
  );
  await writeFile(join(folder, `${net}-${seed}.orders`), Int32Array.from(orders.flat()));
}
