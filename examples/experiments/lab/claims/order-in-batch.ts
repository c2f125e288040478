import {
  type Batch,
  BatchNorm1d,
  DataLoader,
  manualSeed,
  noGrad,
  type Sequential,
  SGD,
  tensor,
} from '../../../../src/index.ts';
import type { Claim, LabData } from '../claim.ts';
import { network, type Norm } from '../nets.ts';
import { changeLine, changes, combinations, outcomesOf, seedsOf } from '../outcomes.ts';
import { decide, overall } from '../statistics.ts';
import { backward, BATCH_SIZE, fixedBatch, LEARNING_RATE } from '../train.ts';

type Setting = { norm: Norm; steps: number; seed: number };
/**
 * The largest change of an output before the first activation, in units of its deviation, and of the loss, by step:
 * when the rows of a batch change places, and when a row gets other companions.
 */
type Outcome = {
  permuted: { output: number; losses: number[] };
  companions: { output: number; losses: number[] };
};

/** A change up to this size is rounding. */
const ROUNDING = 0.001;

/** The order of the rows in a batch, and which rows share a batch. */
export const orderInBatch: Claim<Setting, Outcome> = {
  name: 'order-in-batch',
  statement: 'The order of the samples within a batch influences it.',
  method:
    'The rows of a batch are permuted: their outputs are compared, and the losses of two networks that are trained on ' +
    'the same batches, one with rows permuted inside each batch. Then the same is done with companions: the first half of ' +
    'a batch is normalized together with another second half, and a network is trained on the same images in other batches. ' +
    `Differences below ${ROUNDING} count as rounding errors. The activation is tanh because it is smooth: at the kink of ReLU, ` +
    'a rounding difference would separate two networks for another reason.',
  why: {
    text:
      'Mean and variance are sums over the batch, and a sum does not depend on the order of its terms, except for ' +
      'rounding. What matters is which samples share a batch: the claim mixes up the order inside a batch with the order ' +
      'of the data, which decides who is normalized with whom.',
    section: 'Reading it',
  },
  settings: (effort) =>
    combinations<Setting>({
      norm: ['none', 'before'],
      steps: [effort === 'quick' ? 40 : 100],
      seed: seedsOf(effort),
    }),
  run: ({ norm, steps, seed }, { training }) => {
    const batches = batchesOf(training, steps, seed);
    const half = BATCH_SIZE / 2;
    const [first, second] = [fixedBatch(training, 2 * BATCH_SIZE), batches[0]];
    const mixed = rowsOf(first, (i) => i, BATCH_SIZE);
    const others = joined(
      rowsOf(first, (i) => i, half),
      rowsOf(second, (i) => i, half),
    );
    const reversed = (batch: Batch) => rowsOf(batch, (i) => BATCH_SIZE - 1 - i, BATCH_SIZE);
    const model = made(norm, seed);
    const [y, yReversed, yOthers] = [mixed, reversed(mixed), others].map((batch) => outputsOf(model, batch));
    const back = Array.from({ length: BATCH_SIZE }, (_, i) => yReversed[BATCH_SIZE - 1 - i]);
    const losses = trained(made(norm, seed), batches);
    const inside = trained(made(norm, seed), batches.map(reversed));
    const regroupedLosses = trained(made(norm, seed), regrouped(batches));
    return Promise.resolve({
      permuted: { output: farthest(y, back, BATCH_SIZE), losses: changes(losses, inside) },
      companions: { output: farthest(y, yOthers, half), losses: changes(losses, regroupedLosses) },
    });
  },
  judge: (runs) => {
    const of = (norm: Norm, change: keyof Outcome) => outcomesOf(runs, { norm }).map((each) => each[change]);
    const question = { expected: 'above', threshold: ROUNDING } as const;
    const tests = [
      decide({
        ...question,
        statement: 'Permuting a batch changes the outputs of its samples',
        quantity: 'largest change of an output, in deviations',
        values: of('before', 'permuted').map(({ output }) => output),
      }),
      decide({
        ...question,
        statement: 'Permuting the rows inside each batch changes the losses',
        quantity: 'largest change of the loss / loss',
        values: of('before', 'permuted').map(({ losses }) => Math.max(...losses)),
      }),
      decide({
        ...question,
        statement: 'Other companions in the batch change the outputs of a sample',
        quantity: 'largest change of an output, in deviations',
        values: of('before', 'companions').map(({ output }) => output),
      }),
      decide({
        ...question,
        expected: 'below',
        statement: 'Without it, companions do not change the outputs of a sample',
        quantity: 'largest change of an output, in deviations',
        values: of('none', 'companions').map(({ output }) => output),
      }),
    ];
    const line = (name: string, colour: 'bn' | 'plain', norm: Norm, change: keyof Outcome) =>
      changeLine(
        { name, colour },
        of(norm, change).map(({ losses }) => losses),
      );
    return {
      verdict: overall(tests),
      tests,
      figures: [
        {
          title: 'Difference of the losses',
          caption:
            'Relative to a network trained on the original batches; mean over the seeds. Solid: rows permuted inside the batches. Dotted: batches of other companions.',
          chart: {
            kind: 'lines',
            x: { name: 'step' },
            y: { name: 'difference of the loss / loss', scale: 'log' },
            series: [
              line('with batch normalization, permuted', 'bn', 'before', 'permuted'),
              line('without, permuted', 'plain', 'none', 'permuted'),
              {
                ...line('with batch normalization, other batches', 'bn', 'before', 'companions'),
                style: 'dotted',
              },
              { ...line('without, other batches', 'plain', 'none', 'companions'), style: 'dotted' },
            ],
          },
        },
      ],
    };
  },
};

function made(norm: Norm, seed: number): Sequential {
  manualSeed(seed);
  return network({ norm, activation: 'tanh' });
}

function batchesOf(data: LabData['training'], steps: number, seed: number): Batch[] {
  const batches: Batch[] = [];
  const loader = new DataLoader(data, { batchSize: BATCH_SIZE, shuffle: true, seed, dropLast: true });
  while (batches.length < steps) batches.push(...loader);
  return batches.slice(0, steps);
}

/** The losses of a training run, each before its step. */
function trained(model: Sequential, batches: readonly Batch[]): number[] {
  const optimizer = new SGD(model.parameters(), { lr: LEARNING_RATE });
  return batches.map((batch) => {
    const loss = backward(model, batch);
    optimizer.step();
    return loss;
  });
}

/** The input of the first activation: the outputs of batch normalization, or of the dense layer alone. [row][unit] */
function outputsOf(model: Sequential, { x, shape }: Batch): number[][] {
  const [dense, second] = model.layers;
  return noGrad(() => {
    const z = dense.forward(tensor(x, { shape }));
    const y = second instanceof BatchNorm1d ? second.forward(z) : z;
    return y.toArray(2);
  });
}

/** The largest difference over the first rows, in units of the deviation of all values. */
function farthest(a: readonly number[][], b: readonly number[][], rows: number): number {
  const all = a.flat();
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
  const differences = a.slice(0, rows).flatMap((row, i) => row.map((value, c) => Math.abs(value - b[i][c])));
  return Math.max(...differences) / deviation;
}

/** The rows `from(0)` … `from(count − 1)` of a batch. */
function rowsOf({ x, shape, labels }: Batch, from: (row: number) => number, count: number): Batch {
  const size = x.length / labels.length;
  const rows = Float32Array.from(
    { length: count * size },
    (_, at) => x[from(Math.floor(at / size)) * size + (at % size)],
  );
  return {
    x: rows,
    shape: [count, ...shape.slice(1)],
    labels: Uint8Array.from({ length: count }, (_, row) => labels[from(row)]),
  };
}

function joined(a: Batch, b: Batch): Batch {
  return {
    x: Float32Array.of(...a.x, ...b.x),
    shape: [a.labels.length + b.labels.length, ...a.shape.slice(1)],
    labels: Uint8Array.of(...a.labels, ...b.labels),
  };
}

/** Each batch keeps its first half; its second half is that of the next batch. */
function regrouped(batches: readonly Batch[]): Batch[] {
  const half = BATCH_SIZE / 2;
  return batches.map((batch, k) => {
    const next = batches[(k + 1) % batches.length];
    return joined(
      rowsOf(batch, (i) => i, half),
      rowsOf(next, (i) => half + i, half),
    );
  });
}
