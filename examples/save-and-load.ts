/**
 * Checkpoints: saves a training run after two epochs, resumes it in a new model, and shows that both runs continue
 * with the same numbers, bit for bit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Adam,
  BatchNorm1d,
  DataLoader,
  Dense,
  digits,
  Dropout,
  fit,
  manualSeed,
  ReLU,
  Sequential,
} from '../src/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../src/node.ts';

const data = digits({ count: 2000, seed: 1 });

/** A training run with new random weights. */
function newRun() {
  const model = new Sequential(
    new Dense(784, 64, { bias: false }),
    new BatchNorm1d(64),
    new ReLU(),
    new Dropout(0.2),
    new Dense(64, 10),
  );
  const optimizer = new Adam(model.parameters(), { lr: 0.001 });
  const loader = new DataLoader(data, { batchSize: 50, shuffle: true, seed: 1 });
  return { model, optimizer, loader };
}

type Run = ReturnType<typeof newRun>;

const twoEpochs = async ({ model, optimizer, loader }: Run): Promise<number[]> =>
  (await fit(model, { train: loader, optimizer, epochs: 2 })).loss;

const folder = await mkdtemp(join(tmpdir(), 'gammabeta-'));
const path = join(folder, 'latest.safetensors');

manualSeed(1);
const first = newRun();
console.log('epochs 1, 2:', await twoEpochs(first));
// The file holds the parameters, the running statistics, the state of Adam and of the random numbers, and the epoch.
await saveCheckpoint(path, { ...first, extra: { note: 'after two epochs' } });
const continued = await twoEpochs(first);
console.log('epochs 3, 4:', continued);

manualSeed(2); // as in a restarted program: the new model starts with other weights
const second = newRun();
const { epoch, extra } = await loadCheckpoint(path, second);
console.log(`resumed from epoch ${epoch}:`, extra);
const resumed = await twoEpochs(second);
console.log('epochs 3, 4:', resumed);
console.log(
  'the same numbers:',
  resumed.every((loss, i) => loss === continued[i]),
);

await rm(folder, { recursive: true });
