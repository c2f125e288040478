import { describe, expect, it } from 'vitest';
import { concat, manualSeed, noGrad, randn, type Tensor } from '../../../../src/index.ts';
import {
  ROW,
  sequenceNets,
  sequenceNetwork,
  type SequenceNorm,
  sequenceNorms,
  STEPS,
} from '../../lab/sequence-nets.ts';

const N = 4;

/** The outputs for sequences as in training, or with more steps. */
function outputs(net: (typeof sequenceNets)[number], norm: SequenceNorm, x: Tensor): number[][] {
  manualSeed(1);
  return noGrad(() => sequenceNetwork(net, norm).forward(x)).toArray(2);
}

describe.each(sequenceNets)('the network over sequences: %s', (net) => {
  const x = randn([N, STEPS * ROW]);
  const first = x.slice(0, 2);

  it.each(['none', 'layer'] as const)('treats each example on its own: %s', (norm) => {
    outputs(net, norm, first).forEach((row, i) => {
      row.forEach((value, c) => expect(outputs(net, norm, x)[i][c]).toBeCloseTo(value, 4));
    });
  });

  it.each(['shared', 'per step'] as const)('normalizes over the batch in training: %s', (norm) => {
    expect(Math.abs(outputs(net, norm, x)[0][0] - outputs(net, norm, first)[0][0])).toBeGreaterThan(1e-3);
  });

  it.each(sequenceNorms)('depends on the order of the rows: %s', (norm) => {
    const rows = Array.from({ length: STEPS }, (_, step) => x.slice([0, step * ROW], [N, (step + 1) * ROW]));
    const reversed = concat(rows.reverse(), 1);
    const [y, other] = [x, reversed].map((each) => outputs(net, norm, each)[0]);
    expect(Math.max(...y.map((value, c) => Math.abs(value - other[c])))).toBeGreaterThan(1e-3);
  });

  it('has one normalization per step, the last of which takes all further steps', () => {
    const model = sequenceNetwork(net, 'per step');
    noGrad(() => model.forward(randn([N, (STEPS + 3) * ROW])));
    const counts = Object.entries(model.stateDict())
      .filter(([name]) => name.endsWith('num_batches_tracked'))
      .map(([, count]) => count.item());
    const perPlace = [...Array<number>(STEPS - 1).fill(1), 4];
    expect(counts).toEqual(net === 'recurrent' ? perPlace : [...perPlace, ...perPlace]);
  });
});
