import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Dense,
  type DenseOptions,
  Flatten,
  glorotUniform,
  gradcheck,
  manualSeed,
  ones,
  Sequential,
  ShapeError,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { dot, expectClose, refusal, rows } from './helpers.ts';
import { leaf, values, wide, widest } from '../tensors.ts';
import { expectParameterGradients } from './parameter-gradients.ts';
import { inFloat64, onDevices } from '../on-devices.ts';

onDevices(({ dtype, either }) => {
  const number = fc.integer({ min: -512, max: 512 }).map((n) => n / 256);
  const matrix = (height: number, width: number) =>
    fc.array(fc.array(number, { minLength: width, maxLength: width }), {
      minLength: height,
      maxLength: height,
    });
  const cases = fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 5 }))).chain(([batch, inF, outF]) =>
    fc.record({
      x: matrix(batch, inF),
      g: matrix(batch, outF),
      weight: matrix(inF, outF),
      bias: fc.array(number, { minLength: outF, maxLength: outF }),
    }),
  );

  function dense(weight: number[][], bias: number[] | null): Dense {
    const layer = new Dense(weight.length, weight[0].length, { dtype: widest(), bias: bias !== null });
    layer.loadStateDict({ weight: wide(weight), ...(bias && { bias: wide(bias) }) });
    return layer;
  }

  describe('Dense', () => {
    it('computes y = x·W + b', () => {
      fc.assert(
        fc.property(cases, ({ x, weight, bias }) => {
          const columns = rows(weight);
          const product = x.map((row) => columns.map((column) => dot(row, column)));
          const withBias = product.map((row) => row.map((value, k) => value + bias[k]));
          expectClose(dense(weight, bias).forward(wide(x)), wide(withBias), either(1e-12, 1e-6));
          expectClose(dense(weight, null).forward(wide(x)), wide(product), either(1e-12, 1e-6));
        }),
      );
    });

    it('has the gradients dx = g·Wᵀ, dW = xᵀ·g, db = Σ g', () => {
      fc.assert(
        fc.property(cases, ({ x, g, weight, bias }) => {
          const layer = dense(weight, bias);
          const input = leaf(x);
          layer.forward(input).backward(wide(g));
          const [inputs, gradients] = [rows(x), rows(g)]; // by column
          const dW = inputs.map((column) => gradients.map((other) => dot(column, other)));
          const dx = g.map((row) => weight.map((weights) => dot(row, weights)));
          expectClose(layer.weight.grad, wide(dW), either(1e-12, 1e-6));
          expectClose(input.grad, wide(dx), either(1e-12, 1e-6));
          expectClose(
            layer.bias?.grad,
            gradients.map((column) => column.reduce((sum, value) => sum + value)),
            either(1e-12, 1e-6),
          );
        }),
      );
    });

    it('has a weight [in, out] and a bias [out], both trainable and float32 by default', () => {
      const layer = new Dense(3, 2);
      expect(layer.weight).toMatchObject({ shape: [3, 2], dtype: 'float32', requiresGrad: true });
      expect(layer.bias).toMatchObject({ shape: [2], dtype: 'float32', requiresGrad: true });
      expect(new Dense(3, 2, { dtype }).bias?.dtype).toBe(dtype);
      expect(layer.namedParameters()).toEqual([
        ['weight', layer.weight],
        ['bias', layer.bias],
      ]);
      expect(new Dense(3, 2, { bias: false }).namedParameters().map(([name]) => name)).toEqual(['weight']);
    });

    it('initializes weight and bias uniformly over ±1/√in, as PyTorch does', () => {
      manualSeed(1);
      const layer = new Dense(64, 500);
      for (const x of [layer.weight, layer.bias]) {
        const drawn = values(x);
        expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
        expect(Math.max(...drawn)).toBeGreaterThan(0.98 / 8);
        expect(Math.min(...drawn)).toBeLessThan(-0.98 / 8);
      }
    });

    it('initializes the bias to 0 if an initializer is given, as Keras does', () => {
      const layer = new Dense(3, 2, { init: ones });
      expect(values(layer.weight)).toEqual([1, 1, 1, 1, 1, 1]);
      expect(values(layer.bias)).toEqual([0, 0]);
      expect(layer.weight.requiresGrad).toBe(true);
      manualSeed(5);
      const glorot = new Dense(4, 3, { init: glorotUniform, dtype });
      manualSeed(5);
      expect(values(glorot.weight)).toEqual(values(glorotUniform([4, 3], { dtype })));
    });

    it('refuses an input of another shape; the message names the layer and both feature counts', () => {
      const model = new Sequential(new Dense(3, 4), new Dense(5, 2));
      expect(refusal(() => model.forward(zeros([2, 3])), ShapeError)).toMatch(
        /^layer 1, Dense\(5 → 2\): expected x \[batch, 5\]: \[2, 4\]\. Hint: this layer takes 5 features$/,
      );
    });

    it('refuses an example that is no batch; the advised call makes one', () => {
      const dense = new Dense(3, 4);
      const refused = (shape: number[]) => refusal(() => dense.forward(zeros(shape)), ShapeError);
      expect(refused([3])).toMatch(/Hint: x\.reshape\(\[-1, 3\]\) makes a batch$/);
      expect(dense.forward(zeros([3]).reshape([-1, 3])).shape).toEqual([1, 4]);
      expect(refused([2, 3, 1])).toMatch(/Hint: .+ makes a batch, as does Flatten\(\)$/);
      expect(dense.forward(new Flatten().forward(zeros([2, 3, 1]))).shape).toEqual([2, 4]);
    });

    it.each([0, -1, 1.5, NaN])('refuses %s features', (n) => {
      expect(refusal(() => new Dense(n, 2), ValueError)).toContain(`inFeatures is ${n}`);
      expect(refusal(() => new Dense(2, n), ValueError)).toContain(`outFeatures is ${n}`);
    });

    it('refuses an unknown option', () => {
      const misspelt: object = { useBias: false };
      const make = (options: DenseOptions) => new Dense(2, 2, options);
      expect(refusal(() => make(misspelt), ValueError)).toContain('unknown option: useBias');
    });
  });
});

inFloat64(() => {
  it('Dense passes the gradient check, for x and for its parameters', () => {
    const x = leaf([[0.5, -1, 2], [1, 3, -0.2]]); // prettier-ignore
    for (const bias of [true, false]) {
      const layer = new Dense(3, 4, { dtype: 'float64', bias });
      expect(gradcheck((input) => layer.forward(input), [x])).toBe(true);
      expectParameterGradients(layer, x);
    }
  });
});
