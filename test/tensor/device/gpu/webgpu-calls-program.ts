/** A program that counts what training steps ask of WebGPU in Node, and prints the counts as JSON. */
import { globals } from 'webgpu';
import type { NumericArray } from '../../../../kernels/kernel.ts';
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
  digits,
  type Layer,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  tensor,
  useDevice,
} from '../../../../src/index.ts';
import { nets } from '../../../../src/networks.ts';

interface Calls {
  readonly launches: number;
  readonly submits: number;
}

export interface CallsFound {
  /** The calls of one step at a batch of 32, whose loss is read. */
  readonly plain: Calls;
  readonly bn: Calls;
  /** The number of buffers after 100 and 1,100 steps. */
  readonly buffers: readonly number[];
}

const counts = { dispatchWorkgroups: 0, submit: 0, createBuffer: 0, destroy: 0 };
const owners = {
  dispatchWorkgroups: 'GPUComputePassEncoder',
  submit: 'GPUQueue',
  createBuffer: 'GPUDevice',
  destroy: 'GPUBuffer',
} as const;
const classes = globals as Readonly<Record<string, { readonly prototype: Record<string, unknown> }>>;
for (const name of Object.keys(owners) as (keyof typeof owners)[]) {
  const { prototype } = classes[owners[name]];
  const original = prototype[name] as (...args: unknown[]) => unknown;
  prototype[name] = function (this: unknown, ...args: unknown[]): unknown {
    counts[name]++;
    return original.apply(this, args);
  };
}

/** Returns a function that trains for some steps, and reads the loss after each. */
function trainer(model: Layer, values: NumericArray, labels: NumericArray): (steps: number) => Promise<void> {
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const x = tensor(values, { shape: [labels.length, values.length / labels.length] });
  return async (steps) => {
    for (let step = 0; step < steps; step++) {
      const loss = crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      await loss.data();
    }
  };
}

async function callsOf(model: Layer): Promise<Calls> {
  const images = digits({ count: 32, seed: 1 });
  const train = trainer(model, images.x, images.labels);
  await train(3);
  const before = { ...counts };
  await train(1);
  return {
    launches: counts.dispatchWorkgroups - before.dispatchWorkgroups,
    submits: counts.submit - before.submit,
  };
}

manualSeed(1);
await useDevice('webgpu');
const plain = await callsOf(nets.plain());
const bn = await callsOf(nets.bn());

const small = new Sequential(
  new Dense(2, 8, { bias: false }),
  new BatchNorm1d(8),
  new ReLU(),
  new Dense(8, 2),
);
const train = trainer(small, Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), Uint8Array.of(0, 1, 1, 0));
const buffers: number[] = [];
for (const hundreds of [1, 10]) {
  for (let k = 0; k < hundreds; k++) {
    await train(100);
    globalThis.gc?.(); // or garbage collection, which may come late, decides when the losses give their buffers back
    await new Promise(setImmediate);
  }
  buffers.push(counts.createBuffer - counts.destroy);
}
const found: CallsFound = { plain, bn, buffers };
console.log(JSON.stringify(found));
