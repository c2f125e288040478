/** `Embedding` and `Identity`. */
import { describe, expect, it } from 'vitest';
import {
  crossEntropy,
  Embedding,
  fit,
  Flatten,
  Identity,
  manualSeed,
  Dense,
  Sequential,
  SGD,
  DataLoader,
  ShapeError,
  tensor,
  useDevice,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';
import { values, wide, widest } from '../tensors.ts';
import { expectParameterGradients } from './parameter-gradients.ts';
import { expectError } from '../tensor/expect-error.ts';

onDevices(() => {
  const make = (count = 4, features = 2) => new Embedding(count, features, { dtype: widest() });

  describe('Embedding', () => {
    it('returns the row of the weight at each index, in any shape', () => {
      const layer = make();
      const rows = layer.weight.toArray() as number[][];
      expect(layer.forward(wide([3, 0])).toArray()).toEqual([rows[3], rows[0]]);
      const y = layer.forward(wide([[1, 1, 2]]));
      expect(y.toArray()).toEqual([[rows[1], rows[1], rows[2]]]);
      expect(layer.forward(wide(2)).toArray()).toEqual(rows[2]);
      expect(layer.forward(zeros([2, 0], { dtype: widest() })).shape).toEqual([2, 0, 2]);
    });

    it('adds the gradients of an index that repeats', () => {
      const layer = make(3, 2);
      layer
        .forward(wide([2, 0, 2]))
        .mul(wide([[1], [2], [3]]))
        .sum()
        .backward();
      expect(values(layer.weight.grad)).toEqual([2, 2, 0, 0, 4, 4]);
    });

    it('is initialized with randn, which manualSeed seeds, or with init', () => {
      manualSeed(1);
      const [a, b] = [make(50, 20), make(50, 20)];
      manualSeed(1);
      expect(values(make(50, 20).weight)).toEqual(values(a.weight));
      expect(values(b.weight)).not.toEqual(values(a.weight));
      expect(a.weight.variance().item()).toBeCloseTo(1, 0);
      expect(values(new Embedding(2, 2, { init: zeros }).weight)).toEqual([0, 0, 0, 0]);
      expect(make().weight.requiresGrad).toBe(true);
      expect(Object.keys(make().stateDict())).toEqual(['weight']);
      expect(String(make())).toBe('Embedding(4 → 2)');
    });

    it.each([4, -1, 0.5, NaN])('refuses the index %s, and names the layer', (index) => {
      const model = new Sequential(new Identity(), make());
      expectError(
        () => model.forward(wide([0, index])),
        ValueError,
        /^layer 1, Embedding\(4 → 2\): index .*0 to 3/,
      );
    });

    it('refuses what its constructor cannot use', () => {
      expectError(() => new Embedding(0, 2), ValueError, /^Embedding: count is 0/);
      expectError(() => new Embedding(2, 1.5), ValueError, /^Embedding: features is 1.5/);
      expectError(() => new Embedding(2, 2, { padding: 0 } as object), ValueError, /unknown option: padding/);
      expectError(() => new Embedding(2, 2, { init: 'zeros' as never }), ValueError, /init is 'zeros'/);
      expectError(() => new Embedding(2, 2, { init: () => zeros([2, 3]) }), ShapeError, /^Embedding: init/);
      expectError(() => make().forward([1] as never), ValueError, /x is /);
    });

    it('learns in fit', async () => {
      const model = new Sequential(
        new Embedding(3, 4, { dtype: widest() }),
        new Flatten(),
        new Dense(4, 2, { dtype: widest() }),
      );
      const data = { x: new Uint8Array([0, 1, 2]), shape: [1], labels: new Uint8Array([1, 0, 1]) };
      const { accuracy } = await fit(model, {
        train: new DataLoader(data, { batchSize: 3 }),
        optimizer: new SGD(model.parameters(), { lr: 1 }),
        loss: crossEntropy,
        epochs: 30,
      });
      expect(accuracy?.at(-1)).toBe(1);
    });
  });

  describe('Identity', () => {
    it('returns its input, alone and in a model', () => {
      const x = wide([[1, 2]]);
      expect(new Identity().forward(x)).toBe(x);
      const layers = new Sequential(new Identity(), new Flatten(), new Identity());
      expect(values(layers.forward(x))).toEqual([1, 2]);
      expect(new Identity().parameters()).toEqual([]);
      expectError(() => new Identity().forward([[1]] as never), ValueError, /^Identity: x is /);
    });

    it('passes gradients on', () => {
      const x = tensor([1, 2], { dtype: widest(), requiresGrad: true });
      new Sequential(new Identity()).forward(x.mul(3)).sum().backward();
      expect(values(x.grad)).toEqual([3, 3]);
    });
  });
});

it('the gradient of Embedding is that of its weight', async () => {
  await useDevice('cpu');
  expectParameterGradients(
    new Embedding(4, 3, { dtype: 'float64' }),
    tensor([[3, 1, 1]], { dtype: 'float64' }),
  );
});
