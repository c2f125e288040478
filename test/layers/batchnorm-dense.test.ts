/** Batch normalization and the dense layer after it, fused into one op, agree with the separate layers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  type BatchNorm1dOptions,
  Dense,
  gradcheck,
  type Layer,
  LeakyReLU,
  manualSeed,
  noGrad,
  ReLU,
  Sequential,
  ShapeError,
  SGD,
  type Tensor,
  ValueError,
} from '../../src/index.ts';
import { batchNormDense } from '../../src/layers/fuse.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { inFloat64, onDevices } from '../on-devices.ts';
import { f64, leaf, values, wide, widest } from '../tensors.ts';
import { expectClose, refusal, snapshot } from './helpers.ts';
import { expectParameterGradients } from './parameter-gradients.ts';

/** An [m, k] batch in which a share of `density` of the values is not 0. */
function batchOf(m: number, k: number, density: number, seed: number): number[][] {
  const stream = seededStream(seed);
  const value = () => (stream.uniform() < density ? 1 + stream.uniform() : 0);
  return Array.from({ length: m }, () => Array.from({ length: k }, value));
}

const sizes = fc.record({
  m: fc.integer({ min: 2, max: 9 }),
  k: fc.integer({ min: 1, max: 9 }),
  columns: fc.constantFrom(1, 3, 32, 37), // with 32 or more columns, wasm skips zeros
  density: fc.constantFrom(0, 0.2, 1),
  seed: fc.nat(),
});
const activations = fc.constantFrom<() => Layer[]>(
  () => [],
  () => [new ReLU()],
  () => [new LeakyReLU(0.3)],
);

onDevices(({ either }) => {
  /** The layers, with weights that depend on the seed, and γ and β other than 1 and 0. */
  function layersOf(
    { k, columns, seed }: { k: number; columns: number; seed: number },
    activation: () => Layer[],
    options: BatchNorm1dOptions = {},
  ): Layer[] {
    manualSeed(seed);
    const norm = new BatchNorm1d(k, { dtype: widest(), ...options });
    const parameters = ['weight', 'bias'].map((name, at) => [name, wide(batchOf(1, k, 1, seed + at)[0])]);
    norm.loadStateDict(norm.gamma ? (Object.fromEntries(parameters) as Record<string, Tensor>) : {}, {
      strict: false,
    });
    return [norm, new Dense(k, columns, { dtype: widest() }), ...activation()];
  }

  /** Outputs, gradients and states of the layers after one forward and backward pass. */
  function passed(layers: readonly Layer[], forward: (x: Tensor) => Tensor, x: Tensor, g: Tensor) {
    const y = forward(x);
    y.backward(g);
    const named = layers.flatMap((layer) => layer.namedParameters());
    return {
      y: values(y),
      gradients: Object.fromEntries(named.map(([name, { grad }], at) => [`${at}.${name}`, values(grad)])),
      states: layers.map(snapshot),
    };
  }

  const oneByOne = (layers: readonly Layer[]) => (x: Tensor) =>
    layers.reduce((y, layer) => layer.forward(y), x);

  describe('in a Sequential', () => {
    it('gives the same outputs, gradients and running statistics as one layer after the other', () => {
      const tolerance = either(1e-9, 2e-5);
      fc.assert(
        fc.property(sizes, activations, fc.boolean(), (drawn, activation, affine) => {
          const x = batchOf(drawn.m, drawn.k, drawn.density, drawn.seed + 7);
          const g = batchOf(drawn.m, drawn.columns, 1, drawn.seed + 8);
          const [together, apart] = [0, 1].map(() => layersOf(drawn, activation, { eps: 0.01, affine }));
          const model = new Sequential(...together);
          const found = passed(together, (input) => model.forward(input), wide(x), wide(g));
          const expected = passed(apart, oneByOne(apart), wide(x), wide(g));
          expectClose(wide(found.y), expected.y, tolerance);
          expect(Object.keys(found.gradients)).toEqual(Object.keys(expected.gradients));
          for (const [name, gradient] of Object.entries(expected.gradients)) {
            const scale = Math.max(1, ...gradient.map(Math.abs));
            expectClose(
              wide(found.gradients[name].map((value) => value / scale)),
              gradient.map((value) => value / scale),
              tolerance,
            );
          }
          expected.states.forEach((state, at) => {
            for (const [name, value] of Object.entries(state)) {
              expectClose(wide(found.states[at][name]), value, tolerance);
            }
          });
        }),
      );
    });

    it('uses the running statistics in evaluation, and computes dx if x requires a gradient', () => {
      const drawn = { m: 5, k: 4, columns: 33, seed: 3 };
      const layers = layersOf(drawn, () => [new ReLU()]);
      const model = new Sequential(...layers);
      const x = batchOf(5, 4, 0.3, 1);
      model.forward(wide(x));
      const input = leaf(x);
      model.forward(input).sum().backward();
      const alone = leaf(x);
      oneByOne(layers)(alone).sum().backward();
      expectClose(input.grad, values(alone.grad), either(1e-9, 1e-4));
      model.eval();
      const before = layers.map(snapshot);
      expectClose(model.forward(wide(x)), values(oneByOne(layers)(wide(x))), either(1e-9, 1e-5));
      expect(layers.map(snapshot)).toEqual(before);
    });

    it('gives the errors of the layers, and a refused batch does not change the running statistics', () => {
      const [norm, dense] = layersOf({ k: 4, columns: 3, seed: 1 }, () => []);
      const model = new Sequential(norm, dense);
      const before = snapshot(norm);
      expect(refusal(() => model.forward(wide([[1, 2, 3, 4]])), ValueError)).toMatch(
        /^layer 0, BatchNorm1d\(4\): 1 value per feature/,
      );
      expect(
        refusal(
          () =>
            model.forward(
              wide([
                [1, 2],
                [3, 4],
              ]),
            ),
          ShapeError,
        ),
      ).toMatch(
        // prettier-ignore
        /^layer 0, BatchNorm1d\(4\): expected x \[m, 4\]/,
      );
      expect(snapshot(norm)).toEqual(before);
      const misfit = new Sequential(
        new BatchNorm1d(4, { dtype: widest() }),
        new Dense(3, 2, { dtype: widest() }),
      );
      expect(refusal(() => misfit.forward(wide(batchOf(2, 4, 1, 1))), ShapeError)).toMatch(
        /^layer 1, Dense\(3 → 2\): expected x \[batch, 3\]/,
      );
    });

    it('does not fuse user-defined layers or dense layers without bias', () => {
      let seen = 0;
      class Watched extends BatchNorm1d {
        override forward(x: Tensor): Tensor {
          seen++;
          return super.forward(x);
        }
      }
      const norm = new Watched(2, { dtype: widest() });
      const dense = new Dense(2, 3, { dtype: widest() });
      new Sequential(norm, dense).forward(wide([[1, 2], [3, 5]])); // prettier-ignore
      expect(seen).toBe(1);
      const bare = new Dense(2, 3, { dtype: widest(), bias: false });
      const plain = new BatchNorm1d(2, { dtype: widest() });
      const x = wide([[1, 2], [3, 5]]); // prettier-ignore
      const y = new Sequential(plain, bare, new ReLU()).forward(x);
      expectClose(y, values(bare.forward(plain.forward(x)).relu()), either(1e-12, 1e-6));
    });

    it('trains like the separate layers on sparse inputs', () => {
      const drawn = { m: 8, k: 30, columns: 40, seed: 5 };
      const [together, apart] = [0, 1].map(() => layersOf(drawn, () => [new ReLU()]));
      const model = new Sequential(...together);
      const forwards = [(x: Tensor) => model.forward(x), oneByOne(apart)];
      [together, apart].forEach((layers, at) => {
        const optimizer = new SGD(
          layers.flatMap((layer) => layer.parameters()),
          { lr: 0.05 },
        );
        for (let step = 0; step < 5; step++) {
          const loss = forwards[at](wide(batchOf(8, 30, 0.2, step)))
            .pow(2)
            .mean();
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
        }
      });
      together.forEach((layer, at) => {
        for (const [name, value] of Object.entries(snapshot(apart[at]))) {
          expectClose(wide(snapshot(layer)[name]), value, either(1e-9, 1e-4));
        }
      });
    });

    it('propagates NaN and infinities of weights and inputs', () => {
      const k = 20;
      for (const [where, special] of [
        ['x', NaN],
        ['W', NaN],
        ['W', Infinity],
        ['W', -Infinity],
      ] as const) {
        // prettier-ignore
        const layers = layersOf({ k, columns: 33, seed: 2 }, () => []);
        const x = batchOf(6, k, 0.2, 4);
        const weight = batchOf(k, 33, 1, 5);
        if (where === 'x') x[2][3] = special;
        else weight[3][7] = special;
        layers[1].loadStateDict({ weight: wide(weight) }, { strict: false });
        const found = noGrad(() => values(new Sequential(...layers).forward(wide(x))));
        const expected = noGrad(() => values(oneByOne(layers)(wide(x))));
        const kindOf = (value: number) => (Number.isFinite(value) ? 'finite' : String(value));
        expect(found.map(kindOf)).toEqual(expected.map(kindOf));
        expect(found.some((value) => !Number.isFinite(value))).toBe(true);
      }
    });
  });
});

inFloat64(() => {
  it('passes the gradient check for all inputs', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0.3, 1), (drawn, slope) => {
        const { m, k, columns, seed } = { ...drawn, columns: Math.min(drawn.columns, 4) };
        const [x, W] = [batchOf(m, k, 1, seed), batchOf(k, columns, 1, seed + 1)];
        const [gamma, beta] = [2, 3].map((at) => batchOf(1, k, 1, seed + at)[0]);
        const b = batchOf(1, columns, 1, seed + 4)[0];
        const constants = { eps: 0.1, slope };
        const inputs = [x, gamma, beta, W, b].map(leaf) as [Tensor, Tensor, Tensor, Tensor, Tensor];
        expect(gradcheck((...given: typeof inputs) => batchNormDense(...given, constants), inputs)).toBe(
          true,
        );
      }),
    );
  });

  it('has the right parameter gradients as the first layers of a network', () => {
    const float64 = { dtype: 'float64' } as const;
    const model = new Sequential(
      new BatchNorm1d(5, float64),
      new Dense(5, 4, float64),
      new LeakyReLU(0.3),
      new BatchNorm1d(4, float64),
      new Dense(4, 2, float64),
    );
    expectParameterGradients(model, f64(batchOf(6, 5, 0.7, 9)));
  });
});
