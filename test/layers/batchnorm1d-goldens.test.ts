/** BatchNorm1d against PyTorch's, step by step. */
import { expect, it, vi } from 'vitest';
import { BatchNorm1d, type DType } from '../../src/index.ts';
import { type BatchNormCase, golden, goldenTensor } from '../golden-files.ts';
import { inAllPrecisions } from '../on-devices.ts';
import { expectClose } from './helpers.ts';

const { cases } = golden('batchnorm');

function replay({ options, gamma, beta, steps }: BatchNormCase, dtype: DType, tolerance: number): void {
  const features = steps[0].x.shape[1];
  const norm = new BatchNorm1d(features, { ...options, dtype });
  if (gamma !== null && beta !== null) {
    const state = { weight: goldenTensor(gamma, { dtype }), bias: goldenTensor(beta, { dtype }) };
    norm.loadStateDict(state, { strict: false });
  }
  for (const step of steps) {
    for (const parameter of norm.parameters()) parameter.grad = null;
    const x = goldenTensor(step.x, { dtype, requiresGrad: true });
    const y = norm.train(step.mode === 'train').forward(x);
    y.backward(goldenTensor(step.g, { dtype }));
    expectClose(y, step.y, tolerance);
    expectClose(x.grad, step.dx, tolerance);
    for (const [actual, expected] of [
      [norm.gamma?.grad ?? null, step.dgamma],
      [norm.beta?.grad ?? null, step.dbeta],
      [norm.runningMean, step.runningMean],
      [norm.runningVar, step.runningVar],
    ] as const) {
      expect(actual === null).toBe(expected === null);
      if (expected !== null) expectClose(actual, expected, tolerance);
    }
    expect(norm.numBatchesTracked).toBe(step.numBatchesTracked ?? 0);
  }
}

inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-10, 1e-5);

  it.each(cases)(`BatchNorm1d does what PyTorch does, to ${tolerance}: $name`, (example) => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined); // one case evaluates before it trains
    replay(example, dtype, tolerance);
    vi.restoreAllMocks();
  });
});
