/**
 * Tests that tensors a program keeps on the wasm device stay valid, although the library frees tensors that only it has
 * seen.
 */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  clipGradNorm,
  crossEntropy,
  Dense,
  Layer,
  LeakyReLU,
  manualSeed,
  noGrad,
  randn,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../../../src/index.ts';
import { mul, scale } from '../../../../kernels/elementwise.ts';
import { op, run } from '../../../../src/tensor/op.ts';
import { values } from '../../../tensors.ts';
import { Held, wasmDevice } from './wasm-device.ts';

await wasmDevice();

const leaf = (data: number[]) => tensor(data, { requiresGrad: true });
const labels = [0, 1, 2, 0, 1, 2, 0, 1];

/** A layer that keeps its input and output. */
class Keeper extends Layer {
  readonly held: Held;
  readonly f: (x: Tensor) => Tensor;

  constructor(held: Held, f: (x: Tensor) => Tensor = (x) => x.tanh()) {
    super();
    this.held = held;
    this.f = f;
  }

  override forward(x: Tensor): Tensor {
    return this.held.hold('output of a custom layer', this.f(this.held.hold('input of a custom layer', x)));
  }
}

/** Trains a model. `look` sees logits and loss after the forward pass, the backward pass and the optimizer step. */
function train(
  model: Layer,
  steps: number,
  look: (at: 'forward' | 'backward' | 'step', logits: Tensor, loss: Tensor) => void = () => undefined,
): void {
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  for (let step = 0; step < steps; step++) {
    const logits = model.forward(randn([8, 4]));
    const loss = crossEntropy(logits, labels);
    look('forward', logits, loss);
    optimizer.zeroGrad();
    loss.backward();
    look('backward', logits, loss);
    optimizer.step();
    look('step', logits, loss);
  }
}

const net = (...inside: Layer[]) => {
  manualSeed(1);
  const first = [new BatchNorm1d(4), new Dense(4, 6), new ReLU(), new BatchNorm1d(6)];
  return new Sequential(...first, ...inside, new Dense(6, 5), new LeakyReLU(0.3), new Dense(5, 3));
};

describe('a training loop may keep', () => {
  it('logits and losses, through backward() and later steps', () => {
    const held = new Held();
    train(net(), 20, (at, logits, loss) => {
      if (at !== 'forward') return;
      held.hold('logits', logits);
      held.hold('loss', loss);
    });
    train(net(), 20);
    held.check();
  });

  it('gradients that it has read, although zeroGrad() clears them', () => {
    const held = new Held();
    const model = net();
    train(model, 20, (at) => {
      if (at === 'backward') model.parameters().forEach((w, k) => held.hold(`gradient ${k}`, w.grad));
    });
    train(model, 20);
    expect(held.size).toBe(20 * model.parameters().length);
    held.check();
  });

  it('gradients that it sets, shares between parameters, or clips', () => {
    const held = new Held();
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const g = held.hold('set by hand', tensor([5, 6]));
    for (let step = 0; step < 5; step++) {
      [a.grad, b.grad] = [g, g];
      held.hold('norm', clipGradNorm([a, b], 1));
      held.hold('clipped', a.grad);
      a.grad = null;
      held.hold('clipped too', b.grad);
    }
    held.check();
  });

  it('inputs and outputs of its own layer in a Sequential, in training and under noGrad', () => {
    const held = new Held();
    const model = net(
      new Keeper(held),
      new Keeper(held, (x) => x.reshape(x.shape)),
      new Keeper(held, (x) => x),
    );
    train(model, 10);
    noGrad(() => model.eval().forward(randn([8, 4])));
    train(model.train(), 10);
    held.check();
  });

  it('inputs and outputs of a library layer whose forward it replaces or extends', () => {
    const held = new Held();
    const replaced = new ReLU();
    replaced.forward = (x) => held.hold('made', ReLU.prototype.forward.call(replaced, held.hold('seen', x)));
    class Extended extends Dense {
      override forward(x: Tensor): Tensor {
        return held.hold('made', super.forward(held.hold('seen', x)));
      }
    }
    class Normalizing extends BatchNorm1d {
      override forward(x: Tensor): Tensor {
        return held.hold('made', super.forward(held.hold('seen', x)));
      }
    }
    class Outer extends Sequential {
      override forward(x: Tensor): Tensor {
        return held.hold('made', super.forward(held.hold('seen', x)));
      }
    }
    const inside = new Outer(new Normalizing(6), new Dense(6, 6), new Extended(6, 6));
    train(net(new Dense(6, 6), replaced, new Extended(6, 6), new LeakyReLU(), inside), 10);
    expect(held.size).toBe(10 * 2 * 5);
    held.check();
  });

  it('a branch in its own layer, whose output is detached', () => {
    for (const tail of [new Dense(6, 3), new ReLU()]) {
      const held = new Held();
      let branch: Tensor | null = null;
      const first = new Dense(4, 6, { bias: false });
      const cut = new Keeper(held, (x) => ((branch = x.pow(2).sum()), x.detach()));
      const y = new Sequential(first, new BatchNorm1d(6), new ReLU(), cut, tail).forward(randn([8, 4]));
      if (y.requiresGrad) y.sum().backward();
      held.check();
      held.hold('branch', branch).backward();
      expect(values(first.weight.grad).some((value) => value !== 0)).toBe(true);
      held.check();
    }
  });

  it('a gradient that a library op kept from its forward pass, for one leaf or two', () => {
    const held = new Held();
    const scaled = op({
      name: 'scaled',
      forward: (x: Tensor, w: Tensor) => {
        const twice = run(scale, [w], { factor: 2 });
        return { y: run(mul, [x, twice]), twice };
      },
      backward: (_g, { twice }) => [() => twice, () => twice],
    });
    const [x, w] = [leaf([1, 2, 3]), leaf([4, 5, 6])];
    for (let step = 0; step < 3; step++) {
      scaled(x, w).sum().backward();
      [x, w].forEach((each) => held.hold('gradient', each.grad));
      if (step === 0) expect(values(x.grad)).toEqual([8, 10, 12]);
      held.check();
      x.grad = null; // the gradient of w accumulates
    }
  });
});
