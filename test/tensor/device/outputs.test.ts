/**
 * Tests of the results of fusions: they follow the kernels, and are cached per combination of shapes, and of the parameter
 * that shapes them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchnormForward, batchnormSums, batchnormTraining } from '../../../kernels/fused/batchnorm.ts';
import { layernormForward } from '../../../kernels/fused/layernorm.ts';
import { sgdUpdate } from '../../../kernels/fused/sgd.ts';
import { ShapeError } from '../../../src/tensor/errors.ts';
import { resultsOf } from '../../../src/tensor/device/outputs.ts';
import { fusionCases } from '../../kernels/fusion-cases/index.ts';

const eps = 1e-5;
const forward = (m: number, C: number) => resultsOf(batchnormForward, [[m, C], [C], [C]], { eps }).outputs;

describe('resultsOf', () => {
  it('follows the shape rules for any sequence of shapes, cached or not', () => {
    const extents = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(extents, extents), { maxLength: 60, size: 'max' }), (sizes) => {
        for (const [m, C] of sizes) {
          expect(forward(m, C).map(({ shape }) => shape)).toEqual([[m, C], [C], [C], [C]]);
          expect(forward(m, C).map(({ statistic }) => statistic)).toEqual([false, true, true, true]);
          const { outputs: sums } = resultsOf(batchnormSums, [[m, C], [m, C], [C], [C]], {});
          expect(sums.map(({ shape }) => shape)).toEqual([[C], [C]]);
        }
      }),
    );
  });

  it('follows the parameter that shapes them', () => {
    for (const groups of [1, 2, 3, 2, 1]) {
      const { outputs } = resultsOf(layernormForward, [[4, 6], [6], [6]], { groups, eps });
      expect(outputs.map(({ shape }) => shape)).toEqual([[4, 6], [4 * groups], [4 * groups]]);
    }
  });

  it('lists the inputs that are updated, in order', () => {
    const [shape, statistics] = [[4, 6], [6]];
    const tracking = { eps, alpha: 0.1, correction: 1 };
    const inputs = [shape, ...Array<number[]>(4).fill(statistics)];
    expect(resultsOf(batchnormTraining, inputs, tracking).updates).toEqual([3, 4]);
    const { updates, outputs } = resultsOf(sgdUpdate, [shape, shape], { lr: 1, weightDecay: 1 });
    expect([updates, outputs]).toEqual([[0], []]);
    expect(resultsOf(batchnormForward, [shape, statistics, statistics], { eps }).updates).toEqual([]);
  });

  it('throws each time for inputs that do not fit', () => {
    for (let turn = 0; turn < 2; turn++) {
      expect(() => resultsOf(batchnormForward, [[2, 3], [3], [4]], { eps })).toThrow(ShapeError);
      expect(forward(2, 3)).toHaveLength(4);
    }
  });

  it('returns frozen copies of shapes', () => {
    const shape = [5, 3];
    const [y] = resultsOf(batchnormForward, [shape, [3], [3]], { eps }).outputs;
    shape[0] = 4; // as untyped code might
    expect(forward(5, 3)[0].shape).toEqual([5, 3]);
    expect(forward(4, 3)[0].shape).toEqual([4, 3]);
    expect(() => (y.shape as number[]).push(1)).toThrow(TypeError);
  });
});

it.each(Object.entries(fusionCases))(
  '%s: no parameter changes the shapes, except the one that it names, nor what is updated',
  (_name, { fusion, calls, except = [] }) => {
    for (const n of [2, 5].filter((extent) => !except.includes(extent))) {
      const [one, other] = fc.sample(calls(n, 0), { numRuns: 2, seed: n });
      const resultsWith = (params: typeof one.params) =>
        resultsOf(
          { ...fusion }, // another object, for which nothing is cached
          one.inputs.map(({ shape }) => shape),
          fusion.shapedBy === undefined
            ? params
            : { ...params, [fusion.shapedBy]: one.params[fusion.shapedBy] },
        );
      expect(resultsWith(other.params)).toEqual(resultsWith(one.params));
    }
  },
);
