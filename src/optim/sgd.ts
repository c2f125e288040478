import { momentumUpdate, sgdUpdate } from '../../kernels/fused/sgd.ts';
import { expectBoolean, expectNumber, expectOptions, ValueError } from '../tensor/errors.ts';
import { runFused } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Optimizer, slotOf } from './optimizer.ts';
import type { ParameterGroup, SGDOptions } from './optimizer-options.ts';
import type { SlotKinds, Slots } from './optimizer-state.ts';

const optionNames = ['lr', 'momentum', 'dampening', 'nesterov', 'weightDecay'];

/**
 * Stochastic gradient descent with momentum, as in PyTorch:
 *
 *     g ← g + λ·w
 *     v ← μ·v + (1 − τ)·g        (in the first step, v ← g)
 *     w ← w − lr·v               (Nesterov: w − lr·(g + μ·v); without momentum: w − lr·g)
 *
 * @param params Parameters, or groups `{ params, lr?, … }` with their own options.
 * @throws {ValueError} An option is unknown or out of its range, or there are no parameters.
 * @example
 * ```ts
 * import { SGD, tensor } from 'gammabeta';
 *
 * const w = tensor([1, 2], { requiresGrad: true });
 * const optimizer = new SGD([w], { lr: 0.25 });
 * w.pow(2).sum().backward(); // the gradient is 2w
 * optimizer.step();
 * console.log(w.toArray()); // [ 0.5, 1 ]
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  protected override kind(): string {
    return 'SGD';
  }

  constructor(
    params: readonly Tensor[] | readonly ParameterGroup<SGDOptions>[],
    options: Partial<SGDOptions> & Pick<SGDOptions, 'lr'>,
  ) {
    expectOptions('SGD', options, optionNames);
    super(params, { momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, ...options });
  }

  protected override check(options: SGDOptions): void {
    expectOptions('SGD', options, optionNames);
    expectNumber('SGD', 'lr', options.lr, { above: 0 });
    expectNumber('SGD', 'momentum', options.momentum, { from: 0, below: 1 });
    expectNumber('SGD', 'dampening', options.dampening, { from: 0, to: 1 });
    expectNumber('SGD', 'weightDecay', options.weightDecay, { from: 0 });
    expectBoolean('SGD', 'nesterov', options.nesterov);
    if (options.nesterov && (options.momentum === 0 || options.dampening !== 0)) {
      const problem = `nesterov with momentum ${options.momentum} and dampening ${options.dampening}`;
      throw new ValueError('SGD', problem, 'Nesterov needs momentum > 0 and dampening 0');
    }
  }

  /** @internal */
  protected override slotKinds({ momentum }: SGDOptions): SlotKinds {
    return momentum === 0 ? {} : { velocity: 'any' };
  }

  /** @internal */
  protected override applyRule(w: Tensor, g: Tensor, slots: Slots, options: SGDOptions): void {
    const { lr, momentum, dampening, nesterov, weightDecay } = options;
    if (momentum === 0) {
      runFused(sgdUpdate, [w, g], { lr, weightDecay });
      return;
    }
    // In the first step, v = g: as if the velocity and τ were 0.
    const tau = slots.velocity instanceof Tensor ? dampening : 0;
    const v = slotOf(slots, 'velocity', w);
    const params = { lr, momentum, dampening: tau, nesterov: nesterov ? 1 : 0, weightDecay };
    runFused(momentumUpdate, [w, g, v], params);
  }
}
