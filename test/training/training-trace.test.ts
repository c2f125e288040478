/** A whole training loop against PyTorch's: layers, loss, gradients and optimizer together. */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  crossEntropy,
  Dense,
  type DType,
  LeakyReLU,
  ReLU,
  Sequential,
  SGD,
  type StateDict,
} from '../../src/index.ts';
import { golden, goldenTensor, type TraceCase } from '../golden-files.ts';
import { expectClose } from '../layers/helpers.ts';

function net(name: TraceCase['name'], dtype: DType): Sequential {
  const dense = (inF: number, outF: number) => new Dense(inF, outF, { dtype });
  const norm = (features: number) => new BatchNorm1d(features, { eps: 1e-3, momentum: 0.01, dtype });
  if (name === 'plain') {
    const leaky = () => new LeakyReLU(0.3);
    return new Sequential(dense(12, 8), leaky(), dense(8, 6), leaky(), dense(6, 4));
  }
  const [a, b, c] = [12, 8, 6].map(norm);
  return new Sequential(a, dense(12, 8), new ReLU(), b, dense(8, 6), new ReLU(), c, dense(6, 4));
}

describe('eight training steps do what PyTorch does', () => {
  const cases = golden('training-trace').cases.flatMap((trace) =>
    [
      { dtype: 'float64' as const, lossTolerance: 1e-10, stateTolerance: 1e-9 },
      { dtype: 'float32' as const, lossTolerance: 1e-5, stateTolerance: 1e-5 },
    ].map((precision) => ({ ...precision, name: trace.name, trace })),
  );

  it('for two nets', () => {
    expect(cases.map(({ name, trace }) => [name, trace.steps.length])).toEqual([
      ['plain', 8],
      ['plain', 8],
      ['bn', 8],
      ['bn', 8],
    ]);
  });

  it.each(cases)('the losses and the final state of $name in $dtype', (example) => {
    const { trace, dtype, lossTolerance, stateTolerance } = example;
    const model = net(trace.name, dtype);
    const initial: StateDict = {};
    for (const [name, x] of Object.entries(trace.initial)) initial[name] = goldenTensor(x, { dtype });
    model.loadStateDict(initial);
    const optimizer = new SGD(model.parameters(), { lr: trace.lr });
    for (const { x, labels, loss: expected } of trace.steps) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(goldenTensor(x, { dtype })), labels.data);
      loss.backward();
      optimizer.step();
      expectClose(loss, [expected], lossTolerance);
    }
    const final = model.stateDict();
    expect(Object.keys(final)).toEqual(Object.keys(trace.final));
    for (const [name, x] of Object.entries(trace.final)) expectClose(final[name], x, stateTolerance);
  });
});
