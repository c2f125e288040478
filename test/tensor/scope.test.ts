/** What scope() frees, and what it does not. */
import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  BatchNorm1d,
  clipGradNorm,
  crossEntropy,
  Dense,
  DeviceError,
  GraphError,
  Layer,
  manualSeed,
  type Optimizer,
  type LearningRate,
  randn,
  ReLU,
  RMSprop,
  scope,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';
import { leaf, values, wide } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { wasmDevice } from './device/wasm/wasm-device.ts';

const optimizers: Record<string, (params: readonly Tensor[]) => Optimizer<LearningRate>> = {
  SGD: (params) => new SGD(params, { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }),
  Adam: (params) => new Adam(params, { lr: 0.01, amsgrad: true }),
  AdamW: (params) => new AdamW(params, { lr: 0.01 }),
  RMSprop: (params) => new RMSprop(params, { lr: 0.01, momentum: 0.5, centered: true }),
};

onDevices(() => {
  describe('what a scope returns stays:', () => {
    it('a tensor, a view, an input, or many in arrays and objects', () => {
      const x = wide([1, 2]);
      expect(values(scope(() => x.mul(2)))).toEqual([2, 4]);
      expect(values(scope(() => x.mul(2).reshape([2, 1])))).toEqual([2, 4]);
      expect(scope(() => x)).toBe(x);
      expect(values(scope(() => x.reshape([2, 1])))).toEqual([1, 2]);
      const { a, more } = scope(() => ({ a: x.add(1), more: [x.add(2), [x.add(3)]], n: 3, nothing: null }));
      expect([a, ...more.flat()].map(values)).toEqual([[2, 3], [3, 4], [4, 5]]); // prettier-ignore
      expect(values(x)).toEqual([1, 2]);
    });

    it('what is on the tape, with all that its gradient needs', () => {
      const x = leaf([1, 2]);
      scope(() => x.mul(2).mul(x).mul(3))
        .sum()
        .backward(); // 6x²
      expect(values(x.grad)).toEqual([12, 24]);
      const [y, z] = scope(() => {
        const square = x.mul(x);
        return [square.sum(), square.mul(x).sum()];
      });
      x.grad = null;
      y.add(z).backward();
      expect(values(x.grad)).toEqual([2 + 3, 4 + 12]);
    });

    it('a sum that grows from scope to scope', () => {
      const x = leaf([1, 2]);
      let total = wide(0);
      for (let k = 0; k < 4; k++) total = scope(() => total.add(scope(() => x.mul(x)).sum()));
      total.backward();
      expect([total.item(), values(x.grad)]).toEqual([20, [8, 16]]);
    });
  });

  describe('what is not computed stays too:', () => {
    it.each(Object.entries(optimizers))(
      'parameters, gradients, running statistics, and the state of %s',
      (_name, make) => {
        const train = (inScope: <T>(fn: () => T) => T) => {
          manualSeed(1);
          const model = inScope(() => {
            return new Sequential(new BatchNorm1d(3), new Dense(3, 4), new ReLU(), new Dense(4, 2));
          });
          const optimizer = make(model.parameters());
          const losses = Array.from({ length: 5 }, () => {
            const loss = inScope(() => {
              const error = crossEntropy(model.forward(randn([6, 3])), [0, 1, 0, 1, 0, 1]);
              optimizer.zeroGrad();
              error.backward();
              clipGradNorm(model.parameters(), 1);
              optimizer.step();
              return error;
            });
            return [loss.item(), ...model.parameters().flatMap((w) => values(w.grad))];
          });
          const slots = optimizer.stateDict().slots.flatMap((slot) => Object.values(slot));
          return [losses, slots.map((slot) => (typeof slot === 'number' ? slot : values(slot)))];
        };
        expect(train(scope)).toEqual(train((fn) => fn()));
      },
    );

    it('the state of an optimizer that was loaded, and a gradient that was set', () => {
      const w = leaf([1, 2]);
      const [from, to] = [new Adam([w]), new Adam([w])];
      scope(() => {
        w.grad = wide([3, 4]).mul(2);
      });
      expect(values(w.grad)).toEqual([6, 8]);
      from.step();
      scope(() => to.loadStateDict(from.stateDict()));
      to.step();
      expect(to.stateDict().slots[0].step).toBe(2);
    });
  });

  it('an error, and a promise, leave nothing behind that would matter', () => {
    expect(() => scope(() => { throw new RangeError('inside'); })).toThrow(new RangeError('inside')); // prettier-ignore
    expectError(() => scope(() => Promise.resolve(1)), GraphError, /^scope: the function is asynchronous/);
    expect(tensor([1]).add(1).item()).toBe(2);
  });
});

describe('on wasm', () => {
  it('all else is freed at once, and whoever uses it is told', async () => {
    const { residency } = await wasmDevice();
    const x = tensor(new Float32Array(2 ** 20), { requiresGrad: true });
    scope(() => x.mul(2).sum().backward());
    const before = residency.inUse;
    let kept: Tensor = x;
    for (let k = 0; k < 50; k++) {
      scope(() => {
        kept = x.detach().mul(k).add(1).exp(); // 4 MB each
      });
    }
    expect(residency.inUse).toBe(before);
    const message =
      /computed in a scope\(\) which has ended\. Hint: return it from the function that scope\(\) runs$/;
    for (const use of [() => kept.add(1), () => kept.dataSync(), () => kept.toArray()]) {
      expectError(use, DeviceError, message);
    }
    await expect(kept.data().catch((error: unknown) => String(error))).resolves.toMatch(message);
  });

  it('a layer of the user may keep what it has seen, within a scope too', async () => {
    await wasmDevice();
    const seen: Tensor[] = [];
    class Keeper extends Layer {
      override forward(x: Tensor): Tensor {
        seen.push(x);
        return x.mul(2);
      }
    }
    const model = new Sequential(new Dense(2, 2), new Keeper(), new Dense(2, 1));
    const y = scope(() => model.forward(tensor([[1, 2]])).sum());
    y.backward();
    for (let k = 0; k < 20; k++) tensor([777, 777]);
    expect(values(seen[0])).toEqual(values(model.layers[0].forward(tensor([[1, 2]]))));
  });
});
