/**
 * The ops and kernels that the reading path teaches are those that run when the net `bn` trains on `cpu`: a breakpoint in
 * them is hit. On `wasm` the merged ops of `src/layers/fuse.ts` run in their place.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as batchnorm from '../../kernels/batchnorm.ts';
import type { Kernel, Params } from '../../kernels/kernel.ts';
import { colDot, colSum } from '../../kernels/reduce.ts';
import {
  crossEntropy,
  type DeviceName,
  digits,
  manualSeed,
  SGD,
  tensor,
  type Tensor,
  useDevice,
} from '../../src/index.ts';
import { nets } from '../../src/networks.ts';
import type { Node } from '../../src/tensor/tape.ts';

const { x: bytes, labels } = digits({ count: 32, seed: 1 });

/** Trains the net `bn` for one step. Returns the names of the ops that ran, from the input to the loss. */
async function step(device: DeviceName): Promise<string[]> {
  await useDevice(device);
  manualSeed(1);
  const model = nets.bn();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const x = tensor(
    Float32Array.from(bytes, (byte) => byte / 255),
    { shape: [32, 784] },
  );
  const loss = crossEntropy(model.forward(x), labels);
  const ops = opsOf(loss);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return ops;
}

/** The names of the ops that y was computed by, from the oldest to the newest. */
function opsOf(y: Tensor): string[] {
  const nodes = new Set<Node>();
  const visit = (node: Node | null): void => {
    if (node === null || nodes.has(node)) return;
    nodes.add(node);
    for (const input of node.inputs) visit(input.node);
  };
  visit(y.node);
  return [...nodes].sort((a, b) => a.id - b.id).map(({ op }) => op);
}

/** Adds the name of a kernel to `calls` whenever its loops run. */
function watch<P extends Params>(kernel: Kernel<P>, calls: string[]): void {
  const original = { ...kernel };
  vi.spyOn(kernel, 'reference').mockImplementation((...args) => {
    calls.push(kernel.name);
    original.reference(...args);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a step of training the net bn', () => {
  it('runs batchNorm, the ops of a dense layer, and relu on cpu, for the first layer too', async () => {
    const dense = ['matmul', 'addBias'];
    const block = ['batchNorm', ...dense, 'relu'];
    expect(await step('cpu')).toEqual([...block, ...block, 'batchNorm', ...dense, 'crossEntropy']);
  });

  it('runs the kernels of batch normalization on cpu, one for each equation', async () => {
    const calls: string[] = [];
    const { colMean, colVariance, normalize, scaleShift, batchnormDx } = batchnorm;
    for (const kernel of [colMean, colVariance, normalize, scaleShift, batchnormDx, colDot, colSum]) {
      watch(kernel, calls);
    }
    watch(batchnorm.reciprocalStd, calls);
    watch(batchnorm.runningAverage, calls);
    await step('cpu');
    const forward = ['colMean', 'colVariance', 'reciprocalStd', 'normalize', 'scaleShift'];
    const running = ['runningAverage', 'runningAverage']; // of the mean and of the variance
    const bias = ['colSum']; // db of the dense layer behind it
    const sums = ['normalize', 'colDot', 'colSum'];
    const backward = [...bias, ...sums, 'batchnormDx'];
    expect(calls).toEqual([
      ...[1, 2, 3].flatMap(() => [...forward, ...running]),
      ...[3, 2].flatMap(() => backward),
      ...[...bias, ...sums], // the input of the network needs no gradient
    ]);
  });

  it('runs merged ops on wasm', async () => {
    const ops = ['batchNormDense', 'batchNorm', 'dense', 'batchNorm', 'dense', 'crossEntropy'];
    expect(await step('wasm')).toEqual(ops);
  });
});
