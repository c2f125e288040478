/** LayerNorm and GroupNorm: laws that follow from their equations, gradients, and what they refuse. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import * as kernels from '../../kernels/index.ts';
import {
  BatchNorm1d,
  type DType,
  Dense,
  DTypeError,
  gradcheck,
  GroupNorm,
  type Layer,
  LayerNorm,
  ones,
  Sequential,
  ShapeError,
  tensor,
  type Tensor,
  ValueError,
} from '../../src/index.ts';
import { layerNorm } from '../../src/layers/layernorm.ts';
import { inFloat64, onDevices } from '../on-devices.ts';
import { drawn, extent, seeds, shapes } from '../tensor/draw.ts';
import { f64, leaf, values, wide, widest } from '../tensors.ts';
import { columnsOf, dot, expectClose, mean, refusal, variance } from './helpers.ts';
import { expectParameterGradients } from './parameter-gradients.ts';

/** Sets γ and β, if the layer has them, to values that differ by channel. */
function withParameters<L extends LayerNorm | GroupNorm>(layer: L): L {
  if (layer.gamma === null) return layer;
  const each = (of: (c: number) => number) =>
    wide(Array.from({ length: layer.gamma?.size ?? 0 }, (_, c) => of(c)));
  layer.loadStateDict({ weight: each((c) => 1.5 - 0.75 * c), bias: each((c) => 0.25 * c - 0.5) });
  return layer;
}

/** A layer, and the shape of an input that it takes. */
interface Setting {
  readonly shape: readonly number[];
  readonly make: (dtype: DType, eps?: number) => LayerNorm | GroupNorm;
}

/** Layer normalization of [..., C], and group normalization of [N, C] and [N, C, L]. */
const settings: fc.Arbitrary<Setting> = fc.oneof(
  fc.record({ shape: shapes(1), affine: fc.boolean() }).map(({ shape, affine }): Setting => ({
    shape,
    make: (dtype, eps = 1e-5) => withParameters(new LayerNorm(shape.at(-1) ?? 1, { affine, eps, dtype })),
  })),
  fc
    .record({
      N: extent,
      groups: extent,
      size: extent,
      inner: fc.array(extent, { maxLength: 2 }),
      affine: fc.boolean(),
    })
    .map(({ N, groups, size, inner, affine }): Setting => ({
      shape: [N, groups * size, ...inner],
      make: (dtype, eps = 1e-5) =>
        withParameters(new GroupNorm(groups, groups * size, { affine, eps, dtype })),
    })),
);
const drawnSettings = fc.tuple(settings, seeds);

/** The rows of x [m, C]. */
const rowsOf = (x: Tensor): number[][] => {
  const [m, C] = x.shape;
  const flat = values(x);
  return Array.from({ length: m }, (_, i) => flat.slice(i * C, (i + 1) * C));
};

onDevices(({ either }) => {
  const batches = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 9 }), seeds);

  describe('x̂ of LayerNorm', () => {
    it('has mean 0 and variance σ²/(σ² + ε) in every row', () => {
      fc.assert(
        fc.property(batches, fc.constantFrom(1e-5, 1e-3, 0.1, 1), ([m, C, seed], eps) => {
          const x = drawn([m, C], seed);
          const xhat = new LayerNorm(C, { eps, affine: false, dtype: widest() }).forward(x);
          rowsOf(x).forEach((row, i) => {
            const normalized = rowsOf(xhat)[i];
            expect(mean(normalized)).toBeCloseTo(0, either(10, 5));
            expect(variance(normalized)).toBeCloseTo(variance(row) / (variance(row) + eps), either(10, 5));
          });
        }),
      );
    });

    it('is that of batch normalization of the transposed batch', () => {
      fc.assert(
        fc.property(batches, ([m, C, seed]) => {
          const x = drawn([m, C], seed).detach();
          const options = { affine: false, eps: 1e-3, dtype: widest() };
          const byColumns = new BatchNorm1d(m, { ...options, trackRunningStats: false });
          const expected = byColumns.forward(x.transpose()).transpose();
          expectClose(new LayerNorm(C, options).forward(x), expected, either(1e-10, 1e-5));
        }),
      );
    });
  });

  describe('LayerNorm and GroupNorm', () => {
    const example = (x: Tensor, i: number) => x.slice(i, i + 1);

    it('normalize an example independently of the others: forward, and dx', () => {
      fc.assert(
        fc.property(drawnSettings, ([{ shape, make }, seed]) => {
          fc.pre(shape.length > 1);
          const [layer, x, g] = [make(widest()), drawn(shape, seed), drawn(shape, seed + 1).detach()];
          const y = layer.forward(x);
          y.backward(g);
          for (let i = 0; i < shape[0]; i++) {
            const alone = leaf(example(x.detach(), i).toArray());
            const yAlone = layer.forward(alone);
            yAlone.backward(example(g, i));
            expect(values(yAlone)).toEqual(values(example(y.detach(), i)));
            expect(values(alone.grad)).toEqual(values(example(x.grad ?? x, i)));
          }
        }),
        { numRuns: 40 },
      );
    });

    it('compute the same in training and in evaluation, and have no buffers', () => {
      fc.assert(
        fc.property(drawnSettings, ([{ shape, make }, seed]) => {
          const [layer, x] = [make(widest()), drawn(shape, seed)];
          const y = values(layer.forward(x));
          expect(values(layer.eval().forward(x))).toEqual(y);
          expect(layer.bufferDict()).toEqual({});
        }),
        { numRuns: 40 },
      );
    });

    it('do not change when an example is scaled and shifted, as ε → 0; a negative scale flips x̂', () => {
      const scales = fc.constantFrom(0.25, 2, 16, -0.5, -4);
      fc.assert(
        fc.property(fc.tuple(extent, fc.constantFrom(2, 3, 5, 8), seeds), scales, ([N, C, seed], scale) => {
          const x = drawn([N, C, 3], seed).detach();
          const layers: Layer[] = [1, C].map(
            (groups) => new GroupNorm(groups, C, { eps: 1e-12, affine: false, dtype: widest() }),
          );
          const moved = x.mul(scale).add(3);
          const inRows = (of: Tensor) => of.reshape([N, 3 * C]);
          for (const layer of layers) {
            expectClose(layer.forward(moved), layer.forward(x).mul(Math.sign(scale)), either(1e-6, 1e-3));
          }
          const rows = new LayerNorm(3 * C, { eps: 1e-12, affine: false, dtype: widest() });
          expectClose(
            rows.forward(inRows(moved)),
            rows.forward(inRows(x)).mul(Math.sign(scale)),
            either(1e-6, 1e-3),
          );
        }),
        { numRuns: 40 },
      );
    });

    it('give exactly β where all values are equal, at any offset', () => {
      for (const value of [0, 3, -0.1, 1e6, 1e30]) {
        for (const C of [1, 3, 8, 33]) {
          const x = ones([2, C], { dtype: widest() }).mul(value);
          for (const layer of [
            new LayerNorm(C, { dtype: widest() }),
            new GroupNorm(1, C, { dtype: widest() }),
          ]) {
            expect(values(withParameters(layer).forward(x))).toEqual(
              [0, 1].flatMap(() => values(layer.beta)),
            );
          }
        }
      }
      const groups = withParameters(new GroupNorm(2, 2, { dtype: widest() }));
      expect(values(groups.forward(wide([[5, -7]])))).toEqual(values(groups.beta)); // groups of one value
    });
  });

  describe('GroupNorm', () => {
    it('with one group on [N, C] equals LayerNorm, bit for bit', () => {
      fc.assert(
        fc.property(batches, ([m, C, seed]) => {
          const x = [0, 1].map(() => drawn([m, C], seed));
          const layers = [new GroupNorm(1, C, { dtype: widest() }), new LayerNorm(C, { dtype: widest() })];
          const results = layers.map((layer, k) => {
            withParameters(layer)
              .forward(x[k])
              .backward(drawn([m, C], seed + 1).detach());
            return [x[k].grad, layer.gamma?.grad, layer.beta?.grad].map(values);
          });
          expect(results[0]).toEqual(results[1]);
        }),
        { numRuns: 40 },
      );
    });

    it('with as many groups as channels normalizes each channel of each example', () => {
      const x = drawn([2, 3, 4], 1).detach();
      const y = new GroupNorm(3, 3, { affine: false, dtype: widest() }).forward(x);
      expectClose(
        y.reshape([6, 4]),
        new LayerNorm(4, { affine: false, dtype: widest() }).forward(x.reshape([6, 4])),
        1e-6,
      );
    });
  });

  describe('refuse', () => {
    it.each<
      [what: string, call: () => unknown, kind: typeof ShapeError | typeof ValueError, message: string]
    >([
      [
        'a batch with other features',
        () => new LayerNorm(3).forward(ones([3, 2])),
        ShapeError,
        'LayerNorm(3): expected x [..., 3]: [3, 2]. Hint: the last axis of x has 2 features, this layer expects 3',
      ],
      ['a scalar', () => new LayerNorm(3).forward(ones([])), ShapeError, 'x is a scalar'],
      [
        'other channels',
        () => new GroupNorm(2, 4).forward(ones([2, 6])),
        ShapeError,
        'GroupNorm(2, 4): expected x [N, 4] or [N, 4, …]: [2, 6]',
      ],
      ['channels alone', () => new GroupNorm(2, 4).forward(ones([4])), ShapeError, 'expected x [N, 4]'],
      [
        'groups of different sizes',
        () => new GroupNorm(4, 6),
        ValueError,
        'GroupNorm: 6 channels in 4 groups. Hint: channels must be a multiple of groups',
      ],
      [
        'arguments of GroupNorm in the other order',
        () => new GroupNorm(6, 2),
        ValueError,
        '2 channels in 6 groups',
      ],
      ['no features', () => new LayerNorm(0), ValueError, 'features'],
      ['an ε of 0', () => new LayerNorm(2, { eps: 0 }), ValueError, 'eps'],
    ])('%s', (_, call, kind, message) => {
      expect(refusal(call, kind)).toContain(message);
    });

    it('an input of another element type', () => {
      if (widest() === 'float32') return;
      for (const layer of [new LayerNorm(2), new GroupNorm(1, 2), new GroupNorm(2, 2)])
        refusal(() => layer.forward(f64([[1, 2]])), DTypeError);
    });

    it('name the layer by its position', () => {
      const model = new Sequential(new Dense(2, 3), new LayerNorm(4));
      expect(refusal(() => model.forward(ones([1, 2])), ShapeError)).toContain('layer 1, LayerNorm(4)');
    });
  });

  it('their state dicts have the keys of PyTorch', () => {
    expect(Object.keys(new LayerNorm(2).stateDict())).toEqual(['weight', 'bias']);
    expect(Object.keys(new GroupNorm(1, 2).stateDict())).toEqual(['weight', 'bias']);
    expect(new LayerNorm(2, { affine: false }).stateDict()).toEqual({});
  });
});

inFloat64(() => {
  describe('gradcheck accepts', () => {
    it('the layers, at random points of random shapes', () => {
      fc.assert(
        fc.property(drawnSettings, fc.constantFrom(1e-2, 0.5), ([{ shape, make }, seed], eps) => {
          const [layer, x] = [make('float64', eps), drawn(shape, seed)];
          expect(gradcheck((input) => layer.forward(input), [x])).toBe(true);
          if (layer.gamma !== null) expectParameterGradients(layer, x.detach());
        }),
        { numRuns: 60 },
      );
    });

    it.each([1, 2])('the op, for x, gamma and beta, in groups: %i', (groups) => {
      const inputs = [drawn([3, 4], 1), drawn([4], 2), drawn([4], 3)] as const;
      const fn = (x: Tensor, gamma: Tensor, beta: Tensor) => layerNorm(x, gamma, beta, groups, 1e-3);
      expect(gradcheck(fn, inputs)).toBe(true);
    });
  });

  it('dx of x̂ sums to 0 in every row, and is orthogonal to x̂ as ε → 0', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const x = drawn([5, 4], seed);
        const xhat = new LayerNorm(5, { eps: 1e-14, affine: false, dtype: 'float64' }).forward(x.transpose());
        xhat.backward(drawn([4, 5], seed + 1).detach());
        columnsOf(x.grad).forEach((dx, i) => {
          expect(dx.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 7);
          expect(dot(dx, rowsOf(xhat)[i])).toBeCloseTo(0, 6);
        });
      }),
    );
  });

  it('dx is computed only if x needs it, and dgamma once', () => {
    const calls = (requiresGrad: boolean) => {
      const [dx, dgamma] = [kernels.layernormDx, kernels.colDot].map((kernel) =>
        vi.spyOn(kernel, 'reference'),
      );
      const x = tensor([[1, 2], [3, 5]], { dtype: 'float64', requiresGrad }); // prettier-ignore
      new LayerNorm(2, { dtype: 'float64' }).forward(x).sum().backward();
      const counts = [dx, dgamma].map(({ mock }) => mock.calls.length);
      vi.restoreAllMocks();
      return counts;
    };
    expect(calls(false)).toEqual([0, 1]);
    expect(calls(true)).toEqual([1, 1]);
  });
});
