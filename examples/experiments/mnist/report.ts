/** The report of the experiment on MNIST. */
import type { Dataset } from '../../../src/index.ts';
import { factsOf } from '../cli/facts.ts';
import type { Findings, Published } from '../report/experiment.ts';
import type { Inside } from '../report/watch.ts';
import { type NetName, netNames } from '../../../src/networks.ts';
import { published, type Results } from './results.ts';
import { meaning } from './summary.ts';

interface Details {
  readonly insides: ReadonlyMap<string, Inside>;
  readonly validation: Dataset;
  /** Whether data and settings are those of Keras' experiment. */
  readonly comparable: boolean;
  readonly batchSize: number;
  readonly learningRate: number;
}

const SIDE = 28;

const descriptions: Record<NetName, string> = {
  plain: 'without batch normalization (plain)',
  bn: 'with it on the input and after each activation (bn)',
  'bn-pre': 'with it before each activation, as the paper places it (bn-pre)',
};

export function findingsOf(
  results: Results,
  { insides, validation, comparable, batchSize, learningRate }: Details,
): Findings {
  const { data, runs, trainingImages } = results;
  return {
    title: `Batch normalization on ${data}`,
    lead: [
      `The same network, 784 → 300 → 100 → 10: ${netNames
        .filter((net) => runs.some((run) => run.net === net))
        .map((net) => descriptions[net])
        .join(', ')}.`,
      meaning(runs),
    ],
    facts: factsOf(results, {
      images: `${trainingImages.toLocaleString('en')} to train on, ${validation.labels.length.toLocaleString('en')} to validate`,
      training: `SGD, learning rate ${learningRate}, batches of ${batchSize}`,
    }),
    nets: netNames,
    runs,
    insides,
    heldOut: {
      name: 'validation',
      data: validation,
      classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
      image: (i) => ({
        width: SIDE,
        height: SIDE,
        pixels: Uint8Array.from(validation.x.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)),
      }),
    },
    ...(comparable && { published: byKeras }),
  };
}

const byKeras: Published = {
  by: 'Keras',
  points: (name, column) => {
    const net = netNames.find((each) => each === name);
    const rows = (net && published[net]) ?? [];
    return rows.flatMap((row) => {
      const value = { valAccuracy: row.valAccuracy, valLoss: row.valLoss }[column];
      return value === undefined ? [] : [[row.epoch, value] as const];
    });
  },
};
