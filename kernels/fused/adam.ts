/** The updates of Adam and AdamW, each in one pass over the parameter. */
import type { Fusion } from './fusion.ts';
import { decayed } from './sgd.ts';
import { maximum } from '../elementwise.ts';
import { divideByRoot, secondMoment } from '../moments.ts';
import { blend } from '../update.ts';

interface Moments extends Record<string, number> {
  /** lr / (1−β₁ᵗ). */
  stepSize: number;
  beta1: number;
  beta2: number;
  /** 1 − β₂ᵗ. */
  correction: number;
  eps: number;
  /** λ, added to the gradient (Adam). */
  weightDecay: number;
  /** lr·λ: the share of the parameter that is subtracted first (AdamW). */
  decoupled: number;
}

/** m ← β₁·m + (1−β₁)·d; v ← β₂·v + (1−β₂)·d²; w ← w − stepSize·m / (√(v/correction) + ε). */
export const adamUpdate: Fusion<Moments> = {
  name: 'adamUpdate',
  compose: (composer, [w, g, m, v, largest], params) => {
    const { stepSize, beta1, beta2, correction, eps, weightDecay, decoupled } = params;
    const { run, update } = composer;
    if (decoupled !== 0) update(blend, [w, w], { alpha: 1, beta: -decoupled });
    const d = decayed(composer, g, w, weightDecay);
    update(blend, [m, d], { alpha: beta1, beta: 1 - beta1 });
    update(secondMoment, [v, d], { decay: beta2 });
    if (largest !== undefined) update(maximum, [largest, v]);
    const step = run(divideByRoot, [m, largest ?? v], { correction, eps });
    update(blend, [w, step], { alpha: 1, beta: -stepSize });
    return [];
  },
};

/** The same with the largest v so far in place of v: largest ← max(largest, v). */
export const amsgradUpdate: Fusion<Moments> = { ...adamUpdate, name: 'amsgradUpdate' };
