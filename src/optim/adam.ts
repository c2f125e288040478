import { adamUpdate, amsgradUpdate } from '../../kernels/fused/adam.ts';
import { expectBoolean, expectNumber, expectOptions, shown, ValueError } from '../tensor/errors.ts';
import { runFused } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tiny } from '../tensor/tiny.ts';
import { Optimizer, slotOf } from './optimizer.ts';
import type { AdamOptions, ParameterGroup } from './optimizer-options.ts';
import type { SlotKinds, Slots } from './optimizer-state.ts';
import { power } from './portable-math.ts';

const optionNames = ['lr', 'betas', 'eps', 'weightDecay', 'amsgrad'];

/**
 * Adam (Kingma & Ba 2015), as in PyTorch. At step t = 1, 2, …:
 *
 *     g ← g + λ·w
 *     m ← β₁·m + (1 − β₁)·g
 *     v ← β₂·v + (1 − β₂)·g²
 *     w ← w − lr/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε)      (amsgrad: v is the largest so far)
 *
 * @throws {ValueError} An option is unknown or out of its range, or there are no parameters.
 * @example
 * ```ts
 * import { Adam, tensor } from 'gammabeta';
 *
 * const w = tensor([1, -2], { requiresGrad: true });
 * const optimizer = new Adam([w], { lr: 0.5 });
 * w.pow(2).sum().backward();
 * optimizer.step(); // the first step changes every parameter by lr
 * console.log(w.toArray()); // [ 0.5, -1.5 ]
 * ```
 */
export class Adam extends Optimizer<AdamOptions> {
  protected override kind(): string {
    return 'Adam';
  }

  constructor(
    params: readonly Tensor[] | readonly ParameterGroup<AdamOptions>[],
    options: Partial<AdamOptions> = {},
  ) {
    expectOptions('Adam', options, optionNames);
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false, ...options });
  }

  protected override check(options: AdamOptions): void {
    expectOptions(this.kind(), options, optionNames);
    expectNumber(this.kind(), 'lr', options.lr, { above: 0 });
    const [beta1, beta2] = expectPair(this.kind(), 'betas', options.betas);
    expectNumber(this.kind(), 'betas[0]', beta1, { from: 0, below: 1 });
    expectNumber(this.kind(), 'betas[1]', beta2, { from: 0, below: 1 });
    expectNumber(this.kind(), 'eps', options.eps, { from: tiny.float32 });
    expectNumber(this.kind(), 'weightDecay', options.weightDecay, { from: 0 });
    expectBoolean(this.kind(), 'amsgrad', options.amsgrad);
  }

  /** @internal */
  protected override slotKinds({ amsgrad }: AdamOptions): SlotKinds {
    return { step: 'count', m: 'any', v: 'square', ...(amsgrad && { largest: 'square' }) };
  }

  /** @internal */
  protected override applyRule(w: Tensor, g: Tensor, slots: Slots, options: AdamOptions): void {
    descend(w, g, slots, options, { weightDecay: options.weightDecay, decoupled: 0 });
  }
}

/**
 * AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay. The decay is applied to the parameter, w ← w −
 * lr·λ·w. Adam adds it to the gradient instead, where dividing by √v weakens it for parameters with large gradients. λ
 * is 0.01 by default, as in PyTorch.
 *
 * @throws {ValueError} An option is unknown or out of its range, or there are no parameters.
 * @example
 * ```ts
 * import { AdamW, tensor } from 'gammabeta';
 *
 * const w = tensor([1], { requiresGrad: true });
 * const optimizer = new AdamW([w], { lr: 0.5, weightDecay: 0.5 });
 * w.sum().backward();
 * optimizer.step(); // 1 − 0.5·0.5·1 − 0.5
 * console.log(w.item().toFixed(4)); // 0.2500
 * ```
 */
export class AdamW extends Adam {
  protected override kind(): string {
    return 'AdamW';
  }

  constructor(
    params: readonly Tensor[] | readonly ParameterGroup<AdamOptions>[],
    options: Partial<AdamOptions> = {},
  ) {
    expectOptions('AdamW', options, optionNames);
    super(params, { weightDecay: 0.01, ...options });
  }

  /** @internal */
  protected override applyRule(w: Tensor, g: Tensor, slots: Slots, options: AdamOptions): void {
    descend(w, g, slots, options, { weightDecay: 0, decoupled: options.lr * options.weightDecay });
  }
}

function expectPair(op: string, name: string, value: readonly [number, number]): readonly [number, number] {
  const isPair: boolean = Array.isArray(value) && (value as readonly number[]).length === 2;
  if (isPair) return value;
  throw new ValueError(
    op,
    `${name} is ${shown(value)}`,
    'an array of two numbers is expected, as in [0.9, 0.999]',
  );
}

/** One step, from the moving averages m and v. `decoupled` is lr·λ in AdamW, and 0 in Adam. */
function descend(
  w: Tensor,
  g: Tensor,
  slots: Slots,
  { lr, betas, eps, amsgrad }: AdamOptions,
  decay: { readonly weightDecay: number; readonly decoupled: number },
): void {
  const [beta1, beta2] = betas;
  const t = countStep(slots);
  const m = slotOf(slots, 'm', w);
  const v = slotOf(slots, 'v', w);
  const bias = biasAfter(t, beta1, beta2);
  const params = { stepSize: lr / bias.m, beta1, beta2, correction: bias.v, eps, ...decay };
  if (amsgrad) runFused(amsgradUpdate, [w, g, m, v, slotOf(slots, 'largest', w)], params);
  else runFused(adamUpdate, [w, g, m, v], params);
}

/** Increments the number of steps of a parameter, and returns it: 1, 2, … */
function countStep(slots: Slots): number {
  const step = (typeof slots.step === 'number' ? slots.step : 0) + 1;
  slots.step = step;
  return step;
}

/** 1 − β₁ᵗ and 1 − β₂ᵗ. The last result is kept: the parameters of a model have the same t. */
function biasAfter(t: number, beta1: number, beta2: number): { readonly m: number; readonly v: number } {
  if (last.t === t && last.beta1 === beta1 && last.beta2 === beta2) return last;
  last = { t, beta1, beta2, m: 1 - power(beta1, t), v: 1 - power(beta2, t) };
  return last;
}
let last = { t: NaN, beta1: NaN, beta2: NaN, m: NaN, v: NaN };
