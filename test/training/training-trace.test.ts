/** A whole training loop against PyTorch's: layers, loss, gradients and optimizer together. */
import { expect, it } from 'vitest';
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
import { inAllPrecisions } from '../on-devices.ts';
import { expectToBecome } from '../layers/helpers.ts';

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

const traces = golden('training-trace').cases;

it('the traces are of two nets, eight steps each', () => {
  expect(traces.map(({ name, steps }) => [name, steps.length])).toEqual([
    ['plain', 8],
    ['bn', 8],
  ]);
});

inAllPrecisions(({ dtype, either }) => {
  it.each(traces)(
    'eight training steps do what PyTorch does, losses and final state: $name',
    async (trace) => {
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
        await expectToBecome(loss, [expected], either(1e-10, 1e-5));
      }
      const final = model.stateDict();
      expect(Object.keys(final)).toEqual(Object.keys(trace.final));
      for (const [name, x] of Object.entries(trace.final)) {
        await expectToBecome(final[name], x, either(1e-9, 1e-5));
      }
    },
  );
});
