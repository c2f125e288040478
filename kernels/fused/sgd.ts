/** The updates of SGD, each in one pass over the parameter. */
import type { Composer, Fusion } from './fusion.ts';
import { blend } from '../update.ts';

/** w ← w − lr·d, d = g + λ·w. */
export const sgdUpdate: Fusion<{ lr: number; weightDecay: number }> = {
  name: 'sgdUpdate',
  compose: (composer, [w, g], { lr, weightDecay }) => {
    const d = decayed(composer, g, w, weightDecay);
    composer.update(blend, [w, d], { alpha: 1, beta: -lr });
    return [];
  },
};

/** `nesterov` is 1 for Nesterov momentum, else 0. */
type Momentum = Record<'lr' | 'momentum' | 'dampening' | 'nesterov' | 'weightDecay', number>;

/** v ← μ·v + (1−τ)·d; w ← w − lr·v, or w − lr·(d + μ·v) with Nesterov. */
export const momentumUpdate: Fusion<Momentum> = {
  name: 'momentumUpdate',
  compose: (composer, [w, g, v], { lr, momentum, dampening, nesterov, weightDecay }) => {
    const { run, update } = composer;
    const d = decayed(composer, g, w, weightDecay);
    update(blend, [v, d], { alpha: momentum, beta: 1 - dampening });
    const direction = nesterov === 0 ? v : run(blend, [d, v], { alpha: 1, beta: momentum });
    update(blend, [w, direction], { alpha: 1, beta: -lr });
    return [];
  },
};

/** d = g + λ·w: the gradient with L2 weight decay. */
export function decayed<T>({ run }: Composer<T>, g: T, w: T, weightDecay: number): T {
  return weightDecay === 0 ? g : run(blend, [g, w], { alpha: 1, beta: weightDecay });
}
