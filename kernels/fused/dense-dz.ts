/** The backward pass of a dense layer that is merged with its activation. `dense.ts` has the forward pass. */
import { leakyReluDx, reluDx } from '../elementwise.ts';
import type { Activation } from './dense.ts';
import type { Fusion } from './fusion.ts';
import { colSum } from '../reduce.ts';

/** Backward through activation and bias, from y: g [m, n], y [m, n] → dz [m, n], db [n]. */
export const denseDz: Fusion<Activation> = {
  name: 'denseDz',
  compose: ({ run }, [g, y], { slope }) => {
    const dz = slope === 0 ? run(reluDx, [g, y]) : run(leakyReluDx, [g, y], { slope });
    const db = run(colSum, [dz]);
    return [dz, db];
  },
};
