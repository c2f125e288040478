/** Optimizers of the user's own. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  type LearningRate,
  Optimizer,
  SGD,
  type SGDOptions,
  ShapeError,
  type Slots,
  Tensor,
  tensor,
  zeros,
} from '../../src/index.ts';

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

/** v ← ½·v + g, w ← w − lr·v, with a tensor and a number as state. */
class Mine extends Optimizer<LearningRate> {
  protected override kind(): string {
    return 'Mine';
  }
  protected override check({ lr }: LearningRate): void {
    if (!(lr > 0)) throw new RangeError('lr');
  }
  protected override update(w: Tensor, g: Tensor, slots: Slots, { lr }: LearningRate): void {
    const v = slots.v instanceof Tensor ? slots.v : zeros(w.shape, { dtype: w.dtype, device: w.home });
    assign(v, v.mul(0.5).add(g));
    assign(w, w.sub(v.mul(lr)));
    slots.v = v;
    slots.steps = typeof slots.steps === 'number' ? slots.steps + 1 : 1;
  }
}

describe('an optimizer that extends Optimizer', () => {
  const w = () => tensor([1, 2], { requiresGrad: true });
  const train = (x: Tensor, optimizer: Mine, steps: number) => {
    for (let k = 0; k < steps; k++) {
      optimizer.zeroGrad();
      x.pow(2).sum().backward();
      optimizer.step();
    }
  };

  it('writes parameters in place, and its state is saved and restored', () => {
    const whole = w();
    train(whole, new Mine([whole], { lr: 0.25 }), 6);
    expect(whole.toArray()).not.toEqual([1, 2]);

    const [first, second] = [w(), w()];
    const saved = new Mine([first], { lr: 0.25 });
    train(first, saved, 3);
    const goesOn = new Mine([second], { lr: 0.25 });
    assign(second, first);
    goesOn.loadStateDict(saved.stateDict());
    train(second, goesOn, 3);
    expect(second.toArray()).toEqual(whole.toArray());
    expect(goesOn.stateDict().slots[0].steps).toBe(6);
  });

  it('cannot change what a graph still needs', () => {
    const x = w();
    const y = x.pow(2).sum();
    assign(x, x.mul(2));
    expect(() => {
      y.backward();
    }).toThrow("input 0 of 'pow' was changed in place");
  });

  it('assign refuses results of ops, other shapes, and what is no tensor', () => {
    const x = w();
    expect(() => {
      assign(x.mul(2), x);
    }).toThrow('assign: the target is the result of an op');
    expect(() => {
      assign(x, zeros([3]));
    }).toThrow(ShapeError);
    expect(() => {
      assign(x, [1, 2] as never);
    }).toThrow('assign: source is an Array of 2');
    expect(x.toArray()).toEqual([1, 2]);
  });
});
