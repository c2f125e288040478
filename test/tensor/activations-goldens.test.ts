/** Values and gradients of activations and reductions, compared with PyTorch's. */
import { expect, it } from 'vitest';
import type { Tensor } from '../../src/index.ts';
import { type ActivationCase, golden, goldenTensor } from '../golden-files.ts';
import { inAllPrecisions } from '../on-devices.ts';
import { read } from '../tensors.ts';

const apply: Record<
  ActivationCase['op'],
  (x: Tensor, options: ActivationCase['options'], b: Tensor) => Tensor
> = {
  relu: (x) => x.relu(),
  leakyRelu: (x, { slope }) => x.leakyRelu(slope),
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  softmax: (x, { axis = NaN }) => x.softmax(axis),
  logSoftmax: (x, { axis = NaN }) => x.logSoftmax(axis),
  max: (x, { axis }) => x.max(axis),
  variance: (x, { axis, unbiased = false }) => x.variance(axis, { unbiased }),
  matmul: (x, _options, b) => x.matmul(b),
};

const { cases } = golden('activations');

it('there is a golden for each of these ops', () => {
  expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual(Object.keys(apply).sort());
});

/** The inputs are exact in float32 and float64. */
inAllPrecisions(({ dtype, either }) => {
  const tolerance = either(1e-12, 1e-6);
  it.each(cases.map((example) => [`${example.op} ${JSON.stringify(example.options)}`, example] as const))(
    '%s',
    async (_name, { op, options, x, b, y, g, dx, db }) => {
      const input = goldenTensor(x, { dtype, requiresGrad: true });
      const other = goldenTensor(b ?? x, { dtype, requiresGrad: true });
      const result = apply[op](input, options, other);
      await expectNear(result, y);
      result.backward(goldenTensor(g, { dtype }));
      await expectNear(input.grad, dx);
      if (db !== undefined) await expectNear(other.grad, db);
    },
  );

  async function expectNear(found: Tensor | null, { shape, data }: ActivationCase['y']): Promise<void> {
    expect(found?.shape).toEqual(shape);
    (await read(found)).forEach((value, i) => {
      expect(Math.abs(value - data[i])).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(data[i])));
    });
  }
});
