/** The report of the experiment on CIFAR-10. */
import { cifar10Classes, type Dataset } from '../../../src/index.ts';
import { factsOf } from '../cli/facts.ts';
import { meaningOf } from '../cli/summary.ts';
import type { Findings } from '../report/experiment.ts';
import type { Inside } from '../report/watch.ts';
import { netNames } from './experiment.ts';
import type { Results } from './results.ts';

const SIDE = 32;
const PLANE = SIDE * SIDE;

export function findingsOf(
  results: Results,
  { insides, test }: { readonly insides: ReadonlyMap<string, Inside>; readonly test: Dataset },
): Findings {
  const { data, runs, trainingImages, testImages, batchSize, learningRate } = results;
  return {
    title: `Batch normalization on ${data}`,
    lead: [
      'The same network, 3072 → 512 → 10, without batch normalization (plain) and with it (bn), between the first layer and ' +
        'its activation.',
      meaningOf(runs, ['bn'], 'test images'),
    ],
    facts: factsOf(results, {
      images: `${trainingImages.toLocaleString('en')} to train on, ${testImages.toLocaleString('en')} to test`,
      training: `Adam, learning rate ${learningRate}, batches of ${batchSize}`,
    }),
    nets: netNames,
    runs,
    insides,
    heldOut: {
      name: 'test',
      data: test,
      classes: cifar10Classes,
      image: (i) => ({ width: SIDE, height: SIDE, pixels: pixelsOf(test, i) }),
    },
  };
}

/** Converts an image from three color planes, as in CIFAR-10, to three bytes per pixel. */
export function pixelsOf({ x }: Dataset, index: number): Uint8Array {
  const from = index * 3 * PLANE;
  return Uint8Array.from({ length: 3 * PLANE }, (_, i) => x[from + (i % 3) * PLANE + Math.floor(i / 3)]);
}
