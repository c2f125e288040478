/** The memory of a network, measured. */
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Batch,
  crossEntropy,
  deviceInfo,
  manualSeed,
  noGrad,
  SGD,
  tensor,
  useDevice,
} from '../../../src/index.ts';
import { type Net, network } from './nets.ts';

/** Bytes held at the end of the forward pass of a training step. */
export function bytesOfStep(net: Net, seed: number, { x, shape, labels }: Batch): Promise<number> {
  return heldBytes(() => {
    manualSeed(seed);
    const model = network(net);
    const input = tensor(x, { shape });
    const optimizer = new SGD(model.parameters(), { lr: 1e-3 });
    crossEntropy(model.forward(input), labels).backward();
    optimizer.step(); // from now on the gradients are allocated
    return [model, input, crossEntropy(model.forward(input), labels)]; // which keeps the graph
  });
}

/** Bytes held by a network in evaluation, with its output. */
export function bytesOfEvaluation(net: Net, seed: number, { x, shape }: Batch): Promise<number> {
  return heldBytes(() => {
    manualSeed(seed);
    const model = network(net);
    model.forward(tensor(x, { shape })); // so that there are running statistics
    model.eval();
    const input = tensor(x, { shape });
    return [model, input, noGrad(() => model.forward(input))];
  });
}

/** Bytes of arrays that what `make` returns keeps alive, on `cpu`, whose tensors are arrays that JavaScript counts. */
async function heldBytes(make: () => readonly object[]): Promise<number> {
  const { device } = deviceInfo();
  await useDevice('cpu');
  try {
    const before = await arrayBytes();
    const kept = make();
    const held = (await arrayBytes()) - before;
    expectAlive(kept);
    return held;
  } finally {
    await useDevice(device);
  }
}

/** Uses the objects after they have been counted, so that they are not collected before. */
function expectAlive(kept: readonly object[]): void {
  if (kept.length === 0) throw new RangeError('bytes: nothing was kept');
}

/** Collections in a row that free nothing before the arrays are counted. */
const QUIET = 3;

/**
 * The bytes of all arrays that are in use. One collection does not find them: V8 frees arrays in the background, and what
 * a `WeakRef` has returned is alive until the next turn.
 */
async function arrayBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let bytes = Infinity;
  for (let quiet = 0; quiet < QUIET;) {
    await setTimeout(1);
    collect();
    const { arrayBuffers } = process.memoryUsage();
    quiet = arrayBuffers < bytes ? 0 : quiet + 1;
    bytes = arrayBuffers;
  }
  return bytes;
}
