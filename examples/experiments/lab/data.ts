/** The lab's images, in memory shared by all workers. */
import { createHash } from 'node:crypto';
import { type Dataset, take } from '../../../src/index.ts';
import type { Parts } from '../cli/data.ts';
import type { Effort, LabData } from './claim.ts';

const images: Record<Effort, { readonly training: number; readonly test: number }> = {
  quick: { training: 10_000, test: 1000 },
  full: { training: 30_000, test: 4000 },
};

/** The first images of the training and the test data. */
export function labData({ train, test }: Parts, effort: Effort): LabData {
  const count = images[effort];
  return { training: shared(take(train, count.training)), test: shared(take(test, count.test)) };
}

/** SHA-256 of all images and labels: saved runs are reused for the same data only. */
export function checksum({ training, test }: LabData): string {
  const hash = createHash('sha256');
  for (const { x, labels } of [training, test]) hash.update(bytesOf(x)).update(bytesOf(labels));
  return hash.digest('hex');
}

function shared(data: Dataset): Dataset {
  const copy = (bytes: Uint8Array) => {
    const copied = new Uint8Array(new SharedArrayBuffer(bytes.length));
    copied.set(bytes);
    return copied;
  };
  return { ...data, x: copy(bytesOf(data.x)), labels: copy(bytesOf(data.labels)) };
}

function bytesOf(values: Dataset['x']): Uint8Array {
  if (values instanceof Uint8Array) return values;
  throw new TypeError('the images of the lab are bytes');
}
