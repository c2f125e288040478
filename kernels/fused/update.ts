/** The updates of optimizers, each in one pass over the parameter. See `src/optim` for the papers. */
import { type Composer, type Fusion, fusion } from './fusion.ts';
import type { Shape } from '../kernel.ts';
import { sizeOf } from '../shape.ts';
import { blend, divideByRoot, secondMoment } from '../update.ts';

const sizes = ([w]: readonly Shape[]) => [sizeOf(w)];

/** w ← w − lr·d, d = g + λ·w. */
export const sgdUpdate: Fusion<{ lr: number; weightDecay: number }> = fusion({
  name: 'sgdUpdate',
  inputs: ['w', 'g'],
  outputs: [],
  updates: [0],
  compose: (composer, [w, g], { lr, weightDecay }) => {
    const d = decayed(composer, g, w, weightDecay);
    composer.update(blend, [w, d], { alpha: 1, beta: -lr });
    return [];
  },
  sizes,
  simd: 'sgdUpdate',
  params: ['lr', 'weightDecay'],
  cost: ([n]) => ({ flops: 4 * n, bytes: 12 * n }),
});

interface Momentum extends Record<string, number> {
  lr: number;
  momentum: number;
  dampening: number;
  /** 1 to look ahead along the velocity, else 0. */
  nesterov: number;
  weightDecay: number;
}

/** v ← μ·v + (1−τ)·d; w ← w − lr·v, or w − lr·(d + μ·v) with Nesterov. */
export const momentumUpdate: Fusion<Momentum> = fusion({
  name: 'momentumUpdate',
  inputs: ['w', 'g', 'v'],
  outputs: [],
  updates: [0, 2],
  compose: (composer, [w, g, v], { lr, momentum, dampening, nesterov, weightDecay }) => {
    const { run, update } = composer;
    const d = decayed(composer, g, w, weightDecay);
    update(blend, [v, d], { alpha: momentum, beta: 1 - dampening });
    const direction = nesterov === 0 ? v : run(blend, [d, v], { alpha: 1, beta: momentum });
    update(blend, [w, direction], { alpha: 1, beta: -lr });
    return [];
  },
  sizes,
  simd: 'momentumUpdate',
  params: ['lr', 'momentum', 'dampening', 'nesterov', 'weightDecay'],
  cost: ([n]) => ({ flops: 8 * n, bytes: 20 * n }),
});

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
  /** lr·λ, taken off the parameter first (AdamW). */
  decoupled: number;
}

/** m ← β₁·m + (1−β₁)·d; v ← β₂·v + (1−β₂)·d²; w ← w − stepSize·m / (√(v/correction) + ε). */
export const adamUpdate: Fusion<Moments> = fusion({
  name: 'adamUpdate',
  inputs: ['w', 'g', 'm', 'v'],
  outputs: [],
  updates: [0, 2, 3],
  compose: (composer, [w, g, m, v], params) => {
    const { stepSize, beta1, beta2, correction, eps, weightDecay, decoupled } = params;
    const { run, update } = composer;
    if (decoupled !== 0) update(blend, [w, w], { alpha: 1, beta: -decoupled });
    const d = decayed(composer, g, w, weightDecay);
    update(blend, [m, d], { alpha: beta1, beta: 1 - beta1 });
    update(secondMoment, [v, d], { decay: beta2 });
    const step = run(divideByRoot, [m, v], { correction, eps });
    update(blend, [w, step], { alpha: 1, beta: -stepSize });
    return [];
  },
  sizes,
  simd: 'adamUpdate',
  params: ['stepSize', 'beta1', 'beta2', 'correction', 'eps', 'weightDecay', 'decoupled'],
  cost: ([n]) => ({ flops: 16 * n, bytes: 28 * n }),
});

/** d = g + λ·w: the gradient with L2 weight decay. */
function decayed<T>({ run }: Composer<T>, g: T, w: T, weightDecay: number): T {
  return weightDecay === 0 ? g : run(blend, [g, w], { alpha: 1, beta: weightDecay });
}
