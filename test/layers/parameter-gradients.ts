/** Checks the gradients of a layer's parameters. `gradcheck` checks arguments only, not parameters. */
import { expect } from 'vitest';
import { type Layer, noGrad, type Tensor, tensor } from '../../src/index.ts';
import { assign } from '../../src/tensor/assign.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { dot } from './helpers.ts';
import { values } from '../tensors.ts';

/** Expects u·(f(w + εv) − f(w − εv))/2ε = v·dw for each parameter w and random u, v, with dw from y.backward(u). */
export function expectParameterGradients(layer: Layer, x: Tensor, eps = 1e-6): void {
  const stream = seededStream(0);
  const direction = (size: number) => Array.from({ length: size }, () => 2 * stream.uniform() - 1);
  const like = (of: Tensor, data: number[]) =>
    tensor(Float64Array.from(data), { shape: of.shape, dtype: 'float64' });

  for (const w of layer.parameters()) w.grad = null;
  const y = layer.forward(x);
  const u = direction(y.size);
  y.backward(like(y, u));
  expect(layer.parameters().length).toBeGreaterThan(0);
  for (const [name, w] of layer.namedParameters()) {
    const before = values(w);
    const v = direction(w.size);
    const projected = (step: number) => {
      const moved = before.map((value, i) => value + step * v[i]);
      assign(w, like(w, moved));
      return dot(
        u,
        noGrad(() => values(layer.forward(x))),
      );
    };
    const numeric = (projected(eps) - projected(-eps)) / (2 * eps);
    assign(w, like(w, before));
    const analytic = dot(v, values(w.grad));
    expect(Math.abs(numeric - analytic), name).toBeLessThan(1e-7 * (1 + Math.abs(numeric)));
  }
}
