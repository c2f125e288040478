/** An optimizer of the user's own may keep what it is given. */
import { expect, it } from 'vitest';
import { SGD, type SGDOptions, type Tensor, tensor } from '../../src/index.ts';
import type { Slots } from '../../src/optim/optimizer.ts';

it('the gradients that a subclass keeps stay as they were, though they are forgotten', () => {
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
  tensor([7, 7]); // where memory that was freed would be used again
  expect(kept.map((g) => g.toArray())).toEqual([1, 2, 3, 4, 5].map((step) => [step, step]));
});
