/** Batch normalization of one column: the plain loops against the worked example, derivatives and kernels. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchnormColumn,
  batchnormColumnBackward,
  batchnormDx,
  colMean,
  colVariance,
  normalize,
  reciprocalStd,
  scaleShift,
} from '../../kernels/batchnorm.ts';
import type { Kernel, Params, Shape } from '../../kernels/kernel.ts';
import { colDot, colSum } from '../../kernels/reduce.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { seededStream } from '../../src/tensor/seed.ts';

/** A column of m values with the incoming gradient, gamma, beta and eps. */
interface Example {
  readonly x: Float64Array;
  readonly g: Float64Array;
  readonly gamma: number;
  readonly beta: number;
  readonly eps: number;
}

const examples: fc.Arbitrary<Example> = fc
  .record({
    m: fc.constantFrom(2, 3, 4, 5, 8, 33),
    seed: fc.nat(),
    offset: fc.constantFrom(0, 1, -20),
    gamma: fc.constantFrom(1, -2, 0.3),
    eps: fc.constantFrom(1e-3, 0.1, 1),
  })
  .map(({ m, seed, offset, gamma, eps }) => {
    const stream = seededStream(seed);
    const column = () => Float64Array.from({ length: m }, () => stream.normal());
    return { x: column().map((value) => offset + value), g: column(), gamma, beta: 0.7, eps };
  });

const both = ({ x, g, gamma, beta, eps }: Example) => {
  const forward = batchnormColumn(x, gamma, beta, eps);
  return { ...forward, ...batchnormColumnBackward(g, x, forward, gamma) };
};

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let i = 0; i < found.length; i++)
    expect(Math.abs(found[i] - expected[i])).toBeLessThan(tolerance * scale);
}

describe('the worked example of batchnorm.md', () => {
  const example = { x: [1, 2, 3, 4], g: [1, 0, 0, 0], gamma: 2, beta: 0.5 };
  const of = (eps: number) =>
    both({ ...example, x: Float64Array.from(example.x), g: Float64Array.from(example.g), eps });

  it('gives its numbers with ε = 0', () => {
    const { mean, variance, rstd, xhat, y, dx, dxByPaper, dgamma, dbeta } = of(0);
    expectClose([mean, variance, rstd, dbeta, dgamma], [2.5, 1.25, 0.8944, 1, -1.3416], 1e-4);
    expectClose(xhat, [-1.3416, -0.4472, 0.4472, 1.3416], 1e-4);
    expectClose(y, [-2.1833, -0.3944, 1.3944, 3.1833], 1e-4);
    for (const found of [dx, dxByPaper]) expectClose(found, [0.5367, -0.7155, -0.1789, 0.3578], 1e-4);
  });

  it('gives its numbers with ε = 0.25', () => {
    const { rstd, xhat, y, dx, dxByPaper, dgamma } = of(0.25);
    expectClose([rstd, dgamma], [0.8165, -1.2247], 1e-4);
    expectClose(xhat, [-1.2247, -0.4082, 0.4082, 1.2247], 1e-4);
    expectClose(y, [-1.9495, -0.3165, 1.3165, 2.9495], 1e-4);
    for (const found of [dx, dxByPaper]) expectClose(found, [0.6124, -0.6124, -0.2041, 0.2041], 1e-4);
  });
});

describe('batchnormColumnBackward', () => {
  it('gives the same dx by the six equations and in three terms', () => {
    fc.assert(
      fc.property(examples, (example) => {
        const { dx, dxByPaper } = both(example);
        expectClose(dx, dxByPaper, 1e-11);
      }),
    );
  });

  /** The loss Σ g·y, whose gradient with respect to y is g. */
  const loss = ({ x, g, gamma, beta, eps }: Example) =>
    batchnormColumn(x, gamma, beta, eps).y.reduce((sum, y, i) => sum + g[i] * y, 0);
  const h = 1e-5;
  const slope = (changed: (by: number) => Example) => (loss(changed(h)) - loss(changed(-h))) / (2 * h);
  const differences = (example: Example) => ({
    dx: example.x.map((xi, i) => slope((by) => ({ ...example, x: example.x.with(i, xi + by) }))),
    dgamma: slope((by) => ({ ...example, gamma: example.gamma + by })),
    dbeta: slope((by) => ({ ...example, beta: example.beta + by })),
  });

  it('gives the gradients that finite differences give', () => {
    fc.assert(
      fc.property(examples, (example) => {
        const { dx, dgamma, dbeta } = both(example);
        const expected = differences(example);
        expectClose(dx, expected.dx, 1e-6);
        expectClose([dgamma, dbeta], [expected.dgamma, expected.dbeta], 1e-6);
      }),
    );
  });

  it('needs all three terms: without one of them, dx is not the derivative', () => {
    const stream = seededStream(1);
    const column = () => Float64Array.from({ length: 5 }, () => stream.normal());
    const example = { x: column(), g: column(), gamma: 2, beta: 0, eps: 0.1 };
    const { dgamma, dbeta, xhat, rstd } = both(example);
    const expected = differences(example).dx;
    const dx = (withMean: number, withXhat: number) =>
      example.g.map((g, i) => 2 * rstd * (g - (withMean * dbeta) / 5 - (withXhat * xhat[i] * dgamma) / 5));
    expectClose(dx(1, 1), expected, 1e-6);
    for (const wrong of [dx(0, 1), dx(1, 0), dx(0, 0)])
      expect(() => expectClose(wrong, expected, 1e-3)).toThrow();
  });

  it('depends on mean and rstd: with those of another column, the two forms differ', () => {
    const { x, g } = { x: Float64Array.of(1, 2, 4), g: Float64Array.of(1, 0, 2) };
    const { mean, rstd } = batchnormColumn(x, 1, 0, 0.1);
    const shifted = batchnormColumnBackward(g, x, { mean: mean + 1, rstd }, 1);
    expect(() => expectClose(shifted.dx, shifted.dxByPaper, 1e-6)).toThrow();
  });
});

describe('the kernels', () => {
  const run = (kernel: Kernel, inputs: readonly [Shape, Float64Array][], params: Params = {}) => {
    const shapes = inputs.map(([shape]) => shape);
    const shape = kernel.shape(shapes, params);
    const y = new Float64Array(sizeOf(shape));
    const arrays = inputs.map(([, data]) => data);
    kernel.reference(y, arrays, kernel.sizes(shapes, params), params);
    return [shape, y] as [Shape, Float64Array];
  };

  it('compute the same for every column of a matrix', () => {
    fc.assert(
      fc.property(fc.array(examples, { minLength: 1, maxLength: 4 }), (drawn) => {
        const m = Math.min(...drawn.map(({ x }) => x.length));
        const { eps } = drawn[0];
        const columns = drawn.map(({ x, g, ...rest }) => ({
          ...rest,
          x: x.slice(0, m),
          g: g.slice(0, m),
          eps,
        }));
        const C = columns.length;
        const matrix = (of: (column: Example) => Float64Array): [Shape, Float64Array] => {
          const data = new Float64Array(m * C);
          columns.forEach((column, c) => of(column).forEach((value, i) => (data[i * C + c] = value)));
          return [[m, C], data];
        };
        const vector = (of: (column: Example) => number): [Shape, Float64Array] => [
          [C],
          Float64Array.from(columns, of),
        ];
        const [x, g] = [matrix((column) => column.x), matrix((column) => column.g)];
        const [gamma, beta] = [vector((column) => column.gamma), vector((column) => column.beta)];

        const mean = run(colMean, [x]);
        const variance = run(colVariance, [x, mean]);
        const rstd = run(reciprocalStd, [variance], { eps });
        const xhat = run(normalize, [x, mean, rstd]);
        const y = run(scaleShift, [xhat, gamma, beta]);
        const [dgamma, dbeta] = [run(colDot, [g, xhat]), run(colSum, [g])];
        const dx = run(batchnormDx, [g, xhat, gamma, rstd, dgamma, dbeta]);

        expectClose(mean[1], vector((column) => both(column).mean)[1], 1e-12);
        expectClose(variance[1], vector((column) => both(column).variance)[1], 1e-12);
        expectClose(rstd[1], vector((column) => both(column).rstd)[1], 1e-12);
        expectClose(xhat[1], matrix((column) => both(column).xhat)[1], 1e-11);
        expectClose(y[1], matrix((column) => both(column).y)[1], 1e-11);
        expectClose(dgamma[1], vector((column) => both(column).dgamma)[1], 1e-11);
        expectClose(dbeta[1], vector((column) => both(column).dbeta)[1], 1e-11);
        expectClose(dx[1], matrix((column) => both(column).dx)[1], 1e-11);
        expectClose(dx[1], matrix((column) => both(column).dxByPaper)[1], 1e-10);
      }),
    );
  });
});
