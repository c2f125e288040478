/** A user-defined optimizer may keep the gradients it receives. */
import { expect, it } from 'vitest';
import { SGD, type SGDOptions, type Tensor, tensor } from '../../src/index.ts';
import type { Slots } from '../../src/optim/optimizer.ts';

it('gradients that a subclass keeps are not changed by zeroGrad() and later steps', () => {
  const kept: Tensor[] = [];
  class Keeper extends SGD {
    protected override update(w: Tensor, g: Tensor, slots: Slots, options: SGDOptions): void {
      kept.push(g);
      super.update(w, g, slots, options);
    }
  }
  const w = tensor([1, 2], { requiresGrad: true });
  const optimizer = new Keeper([w], { lr: 0.1 });
  for (let step = 1; step <= 5; step++) {
    optimizer.zeroGrad();
    w.mul(step).sum().backward();
    optimizer.step();
  }
  optimizer.zeroGrad();
  tensor([7, 7]); // would reuse the memory of a gradient that was freed by mistake
  expect(kept.map((g) => g.toArray())).toEqual([1, 2, 3, 4, 5].map((step) => [step, step]));
});
