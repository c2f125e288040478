/** The least ε of each element type still prevents every division by 0. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchNorm1d, full, GroupNorm, LayerNorm, ones, tensor, ValueError, zeros } from '../../src/index.ts';
import { tiny } from '../../src/tensor/tiny.ts';
import { expectError } from '../tensor/expect-error.ts';
import { inAllPrecisions, inPage } from '../on-devices.ts';
import { optimizers } from '../optim/helpers.ts';
import { read } from '../tensors.ts';

inAllPrecisions(({ dtype }) => {
  const eps = tiny[dtype];

  it('of a constant column, batch normalization gives β, and its gradients are finite', async () => {
    const size = fc.record({ m: fc.integer({ min: 2, max: 300 }), C: fc.integer({ min: 1, max: 20 }) });
    const constant = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    await fc.assert(
      fc.asyncProperty(size, constant, async ({ m, C }, value) => {
        const layer = new BatchNorm1d(C, { eps, dtype });
        layer.loadStateDict({ bias: full([C], 3, { dtype }) }, { strict: false });
        const x = full([m, C], value, { dtype, requiresGrad: true });
        const y = layer.forward(x);
        expect(await read(y)).toEqual(Array<number>(m * C).fill(3));
        const g = Float64Array.from({ length: m * C }, (_, i) => Math.sin(i));
        y.backward(tensor(g, { shape: [m, C], dtype }));
        expect((await read(x.grad)).every(Number.isFinite)).toBe(true);
        for (const dgamma of await read(layer.gamma?.grad)) expect(dgamma).toBeCloseTo(0, 4);
      }),
      { numRuns: inPage ? 5 : 100 },
    );
  });

  it('of a constant row, layer and group normalization give β, and their gradients are finite', async () => {
    const g = tensor(Float64Array.from({ length: 12 }, (_, i) => Math.sin(i)), { shape: [3, 4], dtype }); // prettier-ignore
    for (const layer of [new LayerNorm(4, { eps, dtype }), new GroupNorm(2, 4, { eps, dtype })]) {
      layer.loadStateDict({ bias: full([4], 3, { dtype }) }, { strict: false });
      const x = full([3, 4], -1e6, { dtype, requiresGrad: true });
      const y = layer.forward(x);
      expect(await read(y)).toEqual(Array<number>(12).fill(3));
      y.backward(g);
      expect((await read(x.grad)).every(Number.isFinite)).toBe(true);
      for (const dgamma of await read(layer.gamma?.grad)) expect(dgamma).toBeCloseTo(0, 4);
    }
  });

  it('a smaller ε of a normalization is refused', () => {
    const smaller = { eps: eps / 2, dtype };
    for (const make of [
      () => new BatchNorm1d(1, smaller),
      () => new LayerNorm(1, smaller),
      () => new GroupNorm(1, 1, smaller),
    ]) {
      expectError(make, ValueError, /^\w+Norm\w*: eps is .* Hint: a finite number ≥ /);
    }
  });

  describe.each(['Adam', 'AdamW', 'RMSprop'] as const)('%s', (name) => {
    it('keeps a parameter whose gradient is 0', async () => {
      const w = ones([5], { dtype, requiresGrad: true });
      const optimizer = optimizers[name]([w], { lr: 0.1, eps: tiny.float32, weightDecay: 0 });
      for (let t = 0; t < 2; t++) {
        w.grad = zeros([5], { dtype });
        optimizer.step();
      }
      expect(await read(w)).toEqual([1, 1, 1, 1, 1]);
    });
  });
});
