/** Laws of batch normalization that follow from its equations. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchNorm1d, deviceInfo, tensor } from '../../src/index.ts';
import { batches, batchNorm1d } from './batchnorm-cases.ts';
import { columnsOf, expectClose, mean, rows, snapshot, variance } from './helpers.ts';
import { values, wide, widest } from '../tensors.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ either }) => {
  describe('x̂ (y without γ and β)', () => {
    it('has mean 0 and variance σ²/(σ² + ε) in every column', () => {
      fc.assert(
        fc.property(batches(), fc.constantFrom(1e-5, 1e-3, 0.1, 1), ({ x }, eps) => {
          const norm = new BatchNorm1d(x[0].length, { eps, affine: false, dtype: widest() });
          const xhat = norm.forward(wide(x));
          columnsOf(wide(x)).forEach((column, c) => {
            const normalized = columnsOf(xhat)[c];
            expect(mean(normalized)).toBeCloseTo(0, either(10, 5));
            expect(variance(normalized)).toBeCloseTo(
              variance(column) / (variance(column) + eps),
              either(10, 5),
            );
          });
        }),
      );
    });

    it('is ±1 for two values of any distance, as ε → 0', () => {
      const x = wide([
        [1, -1000, 7],
        [1.5, 1000, 3],
      ]);
      const xhat = new BatchNorm1d(3, { eps: 1e-15, affine: false, dtype: widest() }).forward(x);
      expectClose(xhat, [-1, -1, 1, 1, 1, -1], either(1e-12, 1e-6));
    });
  });

  describe('y as ε → 0', () => {
    it('has mean β and standard deviation |γ| in every column', () => {
      fc.assert(
        fc.property(batches({ distinct: true }), ({ x, gamma, beta }) => {
          const y = batchNorm1d({ gamma, beta }, { eps: 1e-14 }).forward(wide(x));
          columnsOf(y).forEach((column, c) => {
            expect(mean(column)).toBeCloseTo(beta[c], either(10, 5));
            expect(Math.sqrt(variance(column))).toBeCloseTo(Math.abs(gamma[c]), either(7, 4));
          });
        }),
      );
    });

    it('does not change when x is scaled and shifted; a negative scale flips its sign', () => {
      const scales = fc.constantFrom(0.25, 0.5, 2, 16, -0.5, -4);
      const shifts = fc.integer({ min: -100, max: 100 });
      fc.assert(
        fc.property(batches({ distinct: true }), scales, shifts, ({ x, gamma, beta }, scale, shift) => {
          const moved = x.map((row) => row.map((value) => scale * value + shift));
          const mirrored = gamma.map((value) => Math.sign(scale) * value);
          const y = batchNorm1d({ gamma: mirrored, beta }, { eps: 1e-14 }).forward(wide(x));
          expectClose(
            batchNorm1d({ gamma, beta }, { eps: 1e-14 }).forward(wide(moved)),
            y,
            either(1e-7, 1e-4),
          );
        }),
      );
    });
  });

  describe('a column', () => {
    it('is normalized independently of the other columns', () => {
      fc.assert(
        fc.property(batches(), ({ x, gamma, beta }) => {
          const y = columnsOf(batchNorm1d({ gamma, beta }).forward(wide(x)));
          columnsOf(wide(x)).forEach((column, c) => {
            const alone = batchNorm1d({ gamma: [gamma[c]], beta: [beta[c]] });
            expect(values(alone.forward(wide(rows([column]))))).toEqual(y[c]);
          });
        }),
      );
    });

    it.each(deviceInfo().dtypes)('of equal values gives exactly β, in %s', (dtype) => {
      for (const value of [0, 0.1, -0.3, 1 / 3, 1e6 + 0.1, 1e-20]) {
        for (const m of [2, 3, 5, 7, 33]) {
          const norm = new BatchNorm1d(2, { dtype });
          const state = { weight: tensor([3.3, -7], { dtype }), bias: tensor([0.7, 0], { dtype }) };
          norm.loadStateDict(state, { strict: false });
          const x = tensor(
            Array.from({ length: m }, (_, i) => [value, i]),
            { dtype },
          );
          const [constant] = columnsOf(norm.forward(x));
          expect(new Set(constant)).toEqual(new Set(values(state.bias).slice(0, 1)));
          expect(values(norm.runningVar)[0]).toBe(values(tensor([0.9], { dtype }))[0]);
        }
      }
    });
  });

  describe('an input [N, C, L]', () => {
    it('is normalized like its N·L rows [N·L, C]', () => {
      const sizes = fc.record({
        N: fc.integer({ min: 1, max: 4 }),
        L: fc.integer({ min: 2, max: 5 }),
        C: fc.integer({ min: 1, max: 4 }),
        seed: fc.integer({ min: 1, max: 1000 }),
      });
      fc.assert(
        fc.property(sizes, ({ N, L, C, seed }) => {
          const at = (n: number, c: number, l: number) => Math.sin(seed * (1 + n + 7 * c + 31 * l));
          const range = (n: number) => Array.from({ length: n }, (_, i) => i);
          const x3 = range(N).map((n) => range(C).map((c) => range(L).map((l) => at(n, c, l))));
          const x2 = range(N).flatMap((n) => range(L).map((l) => range(C).map((c) => at(n, c, l))));
          const [cube, matrix] = [wide(x3), wide(x2)];
          const [norm3, norm2] = [1, 2].map(() => new BatchNorm1d(C, { dtype: widest() }));
          for (const mode of [true, false]) {
            const y3 = norm3.train(mode).forward(cube);
            expect(y3.shape).toEqual([N, C, L]);
            const asRows = y3.transpose().reshape([N * L, C]);
            expect(values(asRows)).toEqual(values(norm2.train(mode).forward(matrix)));
          }
          expect(snapshot(norm3)).toEqual(snapshot(norm2));
        }),
      );
    });
  });

  describe('in float32, at offsets up to 1e6', () => {
    const noise = Array.from({ length: 24 }, (_, i) => 3 * Math.sin(12.9 * (i + 1)));
    const cases = [0, 1e2, 1e4, -1e5, 1e6].flatMap((offset) => [2, 5, 24].map((m) => ({ offset, m })));

    it.each(cases)('y agrees with float64: offset $offset, m = $m', ({ offset, m }) => {
      const x = tensor(rows([noise.slice(0, m).map((value) => offset + value)]));
      const column = values(x); // the same numbers, rounded to float32, for the float64 reference
      const norm = new BatchNorm1d(1, { momentum: 1 });
      const trained = norm.forward(x);
      const [mu, sigma2] = [mean(column), variance(column)];
      expectClose(
        trained,
        column.map((value) => (value - mu) / Math.sqrt(sigma2 + norm.eps)),
        1e-5,
      );
      const [E, Var] = [values(norm.runningMean)[0], values(norm.runningVar)[0]];
      expect(Math.abs(E - mu)).toBeLessThanOrEqual(1e-7 * Math.abs(mu) + 1e-7);
      expect(Math.abs(Var - (sigma2 * m) / (m - 1))).toBeLessThanOrEqual(1e-6 * Var);
      const evaluated = norm.eval().forward(x);
      expectClose(
        evaluated,
        column.map((value) => (value - E) / Math.sqrt(Var + norm.eps)),
        1e-5,
      );
    });
  });
});
