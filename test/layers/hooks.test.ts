import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  manualSeed,
  onBackward,
  onForward,
  randn,
  ReLU,
  Sequential,
  type Tensor,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ dtype }) => {
  function network() {
    manualSeed(2);
    return new Sequential(
      new Dense(3, 4, { dtype }),
      new BatchNorm1d(4, { dtype }),
      new ReLU(),
      new Sequential(new Dense(4, 2, { dtype })),
    );
  }

  describe('onForward', () => {
    it('is called with input and output of the layer, in order of the layers and hooks', () => {
      const model = network();
      const seen: string[] = [];
      const note = (name: string) => (x: Tensor, y: Tensor) =>
        void seen.push(`${name}: ${x.shape.join('×')} → ${y.shape.join('×')}`);
      const removes = [
        onForward(model.layers[3], note('last')),
        onForward(model.layers[0], note('first')),
        onForward(model.layers[0], note('again')),
      ];
      const y = model.forward(randn([5, 3], { dtype }));
      expect(seen).toEqual(['first: 5×3 → 5×4', 'again: 5×3 → 5×4', 'last: 5×4 → 5×2']);
      removes[1]();
      model.forward(randn([5, 3], { dtype }));
      expect(seen.slice(3)).toEqual(['again: 5×3 → 5×4', 'last: 5×4 → 5×2']);
      for (const remove of removes) remove(); // the second one twice
      model.forward(randn([5, 3], { dtype }));
      expect(seen).toHaveLength(5);
      expect(model.layers.some((layer) => Object.hasOwn(layer, 'forward'))).toBe(false);
      expect(y.shape).toEqual([5, 2]);
    });

    it('changes no result by more than rounding, and tensors that a hook keeps stay readable', () => {
      const x = randn([6, 3], { dtype });
      const [plain, hooked] = [network(), network()];
      const kept: Tensor[] = [];
      for (const layer of hooked.layers) onForward(layer, (_, y) => void kept.push(y));
      const [a, b] = [plain, hooked].map((model) => {
        const y = model.forward(x);
        y.pow(2).sum().backward();
        return [y, ...model.parameters().map((p) => p.grad ?? p)].map((t) => [...t.dataSync()]);
      });
      a.forEach((values, k) => {
        values.forEach((value, i) => {
          expect(b[k][i]).toBeCloseTo(value, 4);
        });
      });
      for (const y of kept) expect(y.dataSync()).toHaveLength(y.size);
      expect(kept).toHaveLength(4);
    });

    it('leaves a `forward` of the object itself in place', () => {
      const layer = new ReLU();
      layer.forward = (x) => x.mul(2);
      onForward(layer, () => undefined)();
      expect(layer.forward(randn([1], { dtype }).mul(0).add(3)).item()).toBe(6);
    });
  });

  describe('onBackward', () => {
    it('is called with the gradients of output and input, which are those of the chain rule', () => {
      const model = network();
      const x = randn([5, 3], { dtype, requiresGrad: true });
      const gradients: (readonly [Tensor, Tensor | null])[] = [];
      for (const layer of model.layers) onBackward(layer, (dy, dx) => void gradients.push([dy, dx]));
      model.forward(x).pow(2).sum().backward();
      expect(gradients).toHaveLength(4);
      // From the last layer to the first: dx of one layer is dy of the one before.
      for (let k = 1; k < 4; k++) expect(gradients[k][0].toArray()).toEqual(gradients[k - 1][1]?.toArray());
      expect(gradients[3][1]?.toArray()).toEqual(x.grad?.toArray());
    });

    it('has dx null where the input requires no gradient', () => {
      const model = network();
      const seen: (Tensor | null)[] = [];
      const remove = onBackward(model.layers[0], (_, dx) => void seen.push(dx));
      model
        .forward(randn([5, 3], { dtype }))
        .sum()
        .backward();
      remove();
      model
        .forward(randn([5, 3], { dtype }))
        .sum()
        .backward();
      expect(seen).toEqual([null]);
    });
  });

  it('both refuse arguments that are not a layer and a function', () => {
    const wrong = (hook: unknown) => hook as typeof onForward;
    for (const [name, hook] of Object.entries({ onForward, onBackward })) {
      expect(() => wrong(hook)('Dense' as never, () => undefined)).toThrow(
        `${name}: the first argument is not a layer`,
      );
      expect(() => wrong(hook)(new ReLU(), 3 as never)).toThrow(`${name}: the second argument is 3`);
    }
  });
});
