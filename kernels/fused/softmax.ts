/** Softmax, cross-entropy and the gradient of both, with the exponentials computed once. */
import { mul } from '../elementwise.ts';
import type { Fusion } from './fusion.ts';
import { sumAxis } from '../reduce.ts';
import { crossEntropy, crossEntropyDx } from '../softmax.ts';

/**
 * loss = Σᵢ weights[i]·lossᵢ and its gradient. logits [m, K], labels [m], weights [m] → loss [1],
 * dlogits [m, K]. The weights make it a mean (1/m each) or a sum (1 each).
 */
export const softmaxCrossEntropy: Fusion<{ smoothing: number }> = {
  name: 'softmaxCrossEntropy',
  compose: ({ run }, [logits, labels, weights], { smoothing }) => {
    const rows = run(crossEntropy, [logits, labels], { smoothing });
    const loss = run(sumAxis, [run(mul, [rows, weights])], { axis: 0 });
    const dlogits = run(crossEntropyDx, [weights, logits, labels], { smoothing });
    return [loss, dlogits];
  },
};
