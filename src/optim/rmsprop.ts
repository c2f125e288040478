import {
  rmspropCenteredMomentumUpdate,
  rmspropCenteredUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
} from '../../kernels/fused/rmsprop.ts';
import { expectBoolean, expectNumber, expectOptions } from '../tensor/errors.ts';
import { runFused } from '../tensor/op.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { tiny } from '../tensor/tiny.ts';
import { Optimizer, slotOf } from './optimizer.ts';
import type { ParameterGroup, RMSpropOptions } from './optimizer-options.ts';
import type { SlotKinds, Slots } from './optimizer-state.ts';

const optionNames = ['lr', 'alpha', 'eps', 'momentum', 'centered', 'weightDecay'];

/**
 * RMSprop (Tieleman & Hinton 2012; centered: Graves 2013), as in PyTorch:
 *
 *     g ← g + λ·w
 *     v ← α·v + (1 − α)·g²
 *     a ← α·a + (1 − α)·g,  v̄ = v − a²      (if centered; otherwise v̄ = v)
 *     b ← μ·b + g/(√v̄ + ε)                  (without momentum, b = g/(√v̄ + ε))
 *     w ← w − lr·b
 *
 * @throws {ValueError} An option is unknown or out of its range, or there are no parameters.
 * @example
 * ```ts
 * import { RMSprop, tensor } from 'gammabeta';
 *
 * const w = tensor([1, -2], { requiresGrad: true });
 * const optimizer = new RMSprop([w], { lr: 0.1, alpha: 0.75 });
 * w.pow(2).sum().backward();
 * optimizer.step(); // the first step changes every parameter by lr/√(1 − α)
 * console.log(Array.from(w.dataSync(), (x) => x.toFixed(3))); // [ '0.800', '-1.800' ]
 * ```
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  protected override kind(): string {
    return 'RMSprop';
  }

  constructor(
    params: readonly Tensor[] | readonly ParameterGroup<RMSpropOptions>[],
    options: Partial<RMSpropOptions> = {},
  ) {
    expectOptions('RMSprop', options, optionNames);
    const defaults = { lr: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0 };
    super(params, { ...defaults, ...options });
  }

  protected override check(options: RMSpropOptions): void {
    expectOptions('RMSprop', options, optionNames);
    expectNumber('RMSprop', 'lr', options.lr, { above: 0 });
    expectNumber('RMSprop', 'alpha', options.alpha, { from: 0, below: 1 });
    expectNumber('RMSprop', 'eps', options.eps, { from: tiny.float32 });
    expectNumber('RMSprop', 'momentum', options.momentum, { from: 0, below: 1 });
    expectBoolean('RMSprop', 'centered', options.centered);
    expectNumber('RMSprop', 'weightDecay', options.weightDecay, { from: 0 });
  }

  /** @internal */
  protected override slotKinds({ centered, momentum }: RMSpropOptions): SlotKinds {
    return { v: 'square', ...(centered && { average: 'any' }), ...(momentum > 0 && { buffer: 'any' }) };
  }

  /** @internal */
  protected override applyRule(w: Tensor, g: Tensor, slots: Slots, options: RMSpropOptions): void {
    const { centered, ...params } = options;
    const state = [slotOf(slots, 'v', w)];
    if (centered) state.push(slotOf(slots, 'average', w));
    if (params.momentum > 0) state.push(slotOf(slots, 'buffer', w));
    const ofMomentum = params.momentum > 0;
    const plain = ofMomentum ? rmspropMomentumUpdate : rmspropUpdate;
    const withVariance = ofMomentum ? rmspropCenteredMomentumUpdate : rmspropCenteredUpdate;
    runFused(centered ? withVariance : plain, [w, g, ...state], params);
  }
}
