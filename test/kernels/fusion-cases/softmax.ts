/** Cross-entropy together with its gradient. */
import fc from 'fast-check';
import * as fusions from '../../../kernels/fused/index.ts';
import { crossEntropy, IGNORED, softmax } from '../../../kernels/softmax.ts';
import { drawn, seeds, sum } from '../cases/case.ts';
import { composer, elementwise, type FusionCases } from './case.ts';

export const losses: Pick<FusionCases, 'softmaxCrossEntropy'> = {
  softmaxCrossEntropy: {
    fusion: fusions.softmaxCrossEntropy,
    calls: (n, turn) =>
      fc
        .record({
          other: fc.constantFrom(1, 2, 3, 5, 10),
          seed: seeds,
          smoothing: fc.constantFrom(0, 0.1, 0.9),
          largest: fc.constantFrom(1, 30, 1e4),
        })
        .map(({ other, seed, smoothing, largest }) => {
          const [m, K] = turn > 0 && n > 0 ? [other, n] : [n, other];
          const logits = drawn([m, K], seed, { low: -largest, high: largest });
          const labels = drawn([m], seed + 1, { low: IGNORED, high: K, integer: true });
          return { inputs: [logits, labels, drawn([m], seed + 2)], params: { smoothing } };
        }),
    magnitudes: ([logits, labels, weights], { smoothing }) => {
      const [m, K] = logits.shape;
      const rows = composer.run(crossEntropy, [logits, labels], { smoothing }).data;
      const p = composer.run(softmax, [logits], { axis: 1 }).data;
      const loss = sum(m, (i) => Math.abs(weights.data[i] * rows[i]));
      const target = (i: number, k: number) => (k === labels.data[i] ? 1 - smoothing : 0) + smoothing / K;
      const dlogits = elementwise(
        [m, K],
        (i, k) => Math.abs(weights.data[i]) * (p[i * K + k] + target(i, k)),
      );
      return [Float64Array.of(loss), dlogits];
    },
  },
};
