/** BatchNorm1d, compared with PyTorch's after every step. */
import { expect, it, vi } from 'vitest';
import { BatchNorm1d, type DType } from '../../src/index.ts';
import { type BatchNormCase, golden, goldenTensor } from '../golden-files.ts';
import { inAllPrecisions, inPage } from '../on-devices.ts';
import { expectToBecome } from './helpers.ts';

const { cases } = golden('batchnorm');

async function replay(
  { options, gamma, beta, steps }: BatchNormCase,
  dtype: DType,
  tolerance: number,
): Promise<void> {
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
    await expectToBecome(y, step.y, tolerance);
    await expectToBecome(x.grad, step.dx, tolerance);
    for (const [actual, expected] of [
      [norm.gamma?.grad ?? null, step.dgamma],
      [norm.beta?.grad ?? null, step.dbeta],
      [norm.runningMean, step.runningMean],
      [norm.runningVar, step.runningVar],
    ] as const) {
      expect(actual === null).toBe(expected === null);
      if (expected !== null) await expectToBecome(actual, expected, tolerance);
    }
    expect(norm.numBatchesTracked).toBe(step.numBatchesTracked ?? 0);
  }
}

inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-10, 1e-5);

  it.each(cases)(`BatchNorm1d agrees with PyTorch to ${tolerance}: $name`, async (example) => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined); // one case evaluates before training, which warns
    const rounded = inPage && example.name === 'large offset'; // float32 rounds a mean of 1e4 by up to 5e-4
    await replay(example, dtype, rounded ? 1e-3 : tolerance);
    vi.restoreAllMocks();
  });
});
