/** Tests that tensors which a user's op receives or computes on the wasm device keep their values. */
import { describe, it } from 'vitest';
import { defineOp, type Tensor, tensor } from '../../../../src/index.ts';
import { Held, wasmDevice } from './wasm-device.ts';

await wasmDevice();

const leaf = (data: number[]) => tensor(data, { requiresGrad: true });

describe('a user’s op may keep', () => {
  it('g, the values of its forward pass, and results computed from them', () => {
    const held = new Held();
    const op = defineOp({
      name: 'held',
      forward: (x: Tensor) => {
        const kept = held.hold('kept', x.exp());
        return { y: held.hold('y', kept.mul(2)), kept };
      },
      backward: (g, { y, kept }, x) => {
        held.hold('g', g);
        held.hold('y in backward', y);
        held.hold('x in backward', x);
        return [() => held.hold('dx', held.hold('g in the thunk', g).mul(kept).mul(2))];
      },
    });
    const x = leaf([0.1, -0.2, 0.3]);
    for (let step = 0; step < 5; step++) {
      op(op(x.mul(2)).sigmoid())
        .mul(tensor([1, 2, 3]))
        .sum()
        .backward();
      held.check();
      x.grad = null;
    }
    held.check();
  });

  it('g or a constant that it returns as the gradient', () => {
    const held = new Held();
    const mask = held.hold('mask', tensor([0, 1, 2]));
    const through = defineOp({
      name: 'through',
      forward: (x: Tensor) => x,
      backward: (g) => [() => held.hold('g', g)],
    });
    const constant = defineOp({
      name: 'constant',
      forward: (x: Tensor) => x.mul(mask),
      backward: () => [() => mask],
    });
    const [x, w] = [leaf([1, 2, 3]), leaf([4, 5, 6])];
    for (let step = 0; step < 3; step++) {
      through(x).mul(2).add(constant(w)).sum().backward();
      through(x.reshape([3, 1]))
        .sum()
        .backward();
      [x.grad, w.grad] = [null, null];
      held.check();
    }
  });
});
