/** The updates of RMSprop, each in one pass over the parameter. */
import type { Fusion } from './fusion.ts';
import { decayed } from './sgd.ts';
import { centeredMoment, divideByRoot, secondMoment } from '../moments.ts';
import { blend } from '../update.ts';

interface RootMeanSquare extends Record<string, number> {
  lr: number;
  alpha: number;
  eps: number;
  /** μ; 0 where there is no buffer. */
  momentum: number;
  weightDecay: number;
}

/**
 * v ← α·v + (1−α)·d²; w ← w − lr·b, d = g + λ·w.
 *
 * - v̄ = v, or the variance v − a² if centered, with a ← α·a + (1−α)·d.
 * - b = d / (√v̄ + ε), or b ← μ·b + d / (√v̄ + ε) with momentum, where b is kept in the buffer.
 */
const rmsprop = (name: string, ...state: readonly ('average' | 'buffer')[]): Fusion<RootMeanSquare> => ({
  name,
  compose: (composer, [w, g, v, ...kept], { lr, alpha, eps, momentum, weightDecay }) => {
    const { run, update } = composer;
    const average = kept[state.indexOf('average')];
    const buffer = kept[state.indexOf('buffer')];
    const d = decayed(composer, g, w, weightDecay);
    update(secondMoment, [v, d], { decay: alpha });
    if (average !== undefined) update(blend, [average, d], { alpha, beta: 1 - alpha });
    const square = average === undefined ? v : run(centeredMoment, [v, average]);
    const step = run(divideByRoot, [d, square], { correction: 1, eps });
    if (buffer !== undefined) update(blend, [buffer, step], { alpha: momentum, beta: 1 });
    update(blend, [w, buffer ?? step], { alpha: 1, beta: -lr });
    return [];
  },
});

export const rmspropUpdate: Fusion<RootMeanSquare> = rmsprop('rmspropUpdate');
export const rmspropMomentumUpdate: Fusion<RootMeanSquare> = rmsprop('rmspropMomentumUpdate', 'buffer');
export const rmspropCenteredUpdate: Fusion<RootMeanSquare> = rmsprop('rmspropCenteredUpdate', 'average');
export const rmspropCenteredMomentumUpdate: Fusion<RootMeanSquare> = rmsprop(
  'rmspropCenteredMomentumUpdate',
  'average',
  'buffer',
);
