/** The updates of the optimizers, each in one launch, in place. Numbers such as 1 − β₂ are computed before, in float64. */
import { MOST_GROUPS, parts as ceil, type WgslForm, type Workgroups } from './form.ts';

/** Thread i updates element i. The code gets `weight`, which the gradient is for, and d = g + λ·weight. */
const elementwise = ({
  weight,
  ...form
}: Omit<WgslForm, 'sizes'> & { readonly weight: string }): WgslForm => ({
  ...form,
  sizes: ['size'],
  code: `
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < u.size; i += 256u * groups.x) {
    let weight = ${weight};
    var d = g[i];
    if (u.weightDecay != 0.0) { d += u.weightDecay * weight; }
    ${form.code}
  }
}`,
});

/** The workgroups of the forms of this file. */
export const groupsOf = (size: number): Workgroups => [Math.min(ceil(size, 256), MOST_GROUPS), 1, 1];

/** w ← w − lr·d. */
export const sgdUpdate: WgslForm = elementwise({
  name: 'sgdUpdate',
  weight: 'w[i]',
  reads: ['g'],
  writes: ['w'],
  numbers: ['lr', 'weightDecay'],
  code: 'w[i] = weight - u.lr * d;',
});

/** v ← μ·v + (1−τ)·d; w ← w − lr·v, or w − lr·(d + μ·v) with Nesterov. */
export const momentumUpdate: WgslForm = elementwise({
  name: 'momentumUpdate',
  weight: 'w[i]',
  reads: ['g'],
  writes: ['w', 'v'],
  numbers: ['lr', 'momentum', 'damped', 'nesterov', 'weightDecay'],
  code: `let velocity = u.momentum * v[i] + u.damped * d;
    v[i] = velocity;
    var direction = velocity;
    if (u.nesterov != 0.0) { direction = d + u.momentum * velocity; }
    w[i] = weight - u.lr * direction;`,
});

/** m ← β₁·m + (1−β₁)·d; v ← β₂·v + (1−β₂)·d²; w ← w − stepSize·m / (√(v/correction) + ε); amsgrad: the largest v. */
const adam = (name: string, amsgrad: boolean): WgslForm =>
  elementwise({
    name,
    weight: 'w[i] - u.decoupled * w[i]',
    reads: ['g'],
    writes: ['w', 'm', 'v', ...(amsgrad ? ['largest'] : [])],
    numbers: [
      'stepSize',
      'beta1',
      'share1',
      'beta2',
      'share2',
      'correction',
      'eps',
      'weightDecay',
      'decoupled',
    ],
    code: `let m1 = u.beta1 * m[i] + u.share1 * d;
    var v2 = u.beta2 * v[i] + u.share2 * d * d;
    m[i] = m1;
    v[i] = v2;
    ${amsgrad ? LARGEST : ''}
    w[i] = weight - u.stepSize * (m1 / (sqrt(v2 / u.correction) + u.eps));`,
  });

/** Unlike that of `max`, the result is NaN where v is. */
const LARGEST = 'if (largest[i] > v2) { v2 = largest[i]; } largest[i] = v2;';

export const adamUpdate: WgslForm = adam('adamUpdate', false);
export const amsgradUpdate: WgslForm = adam('amsgradUpdate', true);

/** v ← α·v + (1−α)·d²; w ← w − lr·b: see `../../fused/rmsprop.ts`. */
const rmsprop = (name: string, ...state: readonly ('average' | 'buffer')[]): WgslForm =>
  elementwise({
    name,
    weight: 'w[i]',
    reads: ['g'],
    writes: ['w', 'v', ...state],
    numbers: ['lr', 'alpha', 'share', 'eps', 'momentum', 'weightDecay'],
    code: `var square = u.alpha * v[i] + u.share * d * d;
    v[i] = square;
    ${state.includes('average') ? CENTER : ''}
    var step = d / (sqrt(square) + u.eps);
    ${state.includes('buffer') ? 'step += u.momentum * buffer[i]; buffer[i] = step;' : ''}
    w[i] = weight - u.lr * step;`,
  });

const CENTER = `let mean = u.alpha * average[i] + u.share * d;
    average[i] = mean;
    square -= mean * mean;
    if (square <= 0.0) { square = 0.0; }`;

export const rmspropUpdate: WgslForm = rmsprop('rmspropUpdate');
export const rmspropMomentumUpdate: WgslForm = rmsprop('rmspropMomentumUpdate', 'buffer');
export const rmspropCenteredUpdate: WgslForm = rmsprop('rmspropCenteredUpdate', 'average');
export const rmspropCenteredMomentumUpdate: WgslForm = rmsprop(
  'rmspropCenteredMomentumUpdate',
  'average',
  'buffer',
);
