/** Normalizations on both GPUs, fused on webgpu and kernel by kernel on webgl, where float32 is hard pressed. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  type DeviceName,
  GroupNorm,
  type Layer,
  LayerNorm,
  tensor,
  useDevice,
} from '../../src/index.ts';
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { seededStream } from '../../src/tensor/seed.ts';

afterEach(() => useDevice('wasm'));

type Make = (dtype: 'float32' | 'float64') => Layer;

/** y, dx and the gradients of the parameters, for random incoming gradients. */
async function results(make: Make, x: Float32Array, shape: Shape, on: DeviceName): Promise<FloatArray[]> {
  await useDevice(on);
  const dtype = on === 'cpu' ? 'float64' : 'float32';
  const layer = make(dtype);
  const stream = seededStream(7);
  const g = Float32Array.from(x, () => stream.normal());
  const input = tensor(x, { shape, dtype, requiresGrad: true });
  const y = layer.forward(input);
  y.mul(tensor(g, { shape, dtype })).sum().backward();
  const gradients = [input, ...layer.parameters()].flatMap(({ grad }) => (grad === null ? [] : [grad]));
  expect(gradients).toHaveLength(3);
  return Promise.all([y, ...gradients].map((each) => each.data()));
}

/** Results agree with those of float64, relative to the largest; what is not finite there is not finite here. */
function expectAlike(found: readonly FloatArray[], expected: readonly FloatArray[], tolerance: number): void {
  for (const [k, values] of expected.entries()) {
    const finite = Array.from(values).filter(Number.isFinite);
    const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const wrong = values.findIndex((value, i) =>
      Number.isFinite(value)
        ? !(Math.abs(found[k][i] - value) <= tolerance * largest)
        : Number.isFinite(found[k][i]),
    );
    expect(wrong < 0 ? '' : `result ${k} at ${wrong}: ${found[k][wrong]}, not ${values[wrong]}`).toBe('');
  }
}

const shape: Shape = [300, 33]; // more rows than a block has
const layers: readonly [name: string, make: Make][] = [
  ['BatchNorm1d', (dtype) => new BatchNorm1d(33, { dtype })],
  ['LayerNorm', (dtype) => new LayerNorm(33, { dtype })],
  ['GroupNorm', (dtype) => new GroupNorm(3, 33, { dtype })],
];

describe.each(['webgl', 'webgpu'] as const)('on %s', (device) => {
  describe.each(layers)('%s', (_name, make) => {
    it('is accurate with an offset of 1e3', async () => {
      const stream = seededStream(1);
      const x = Float32Array.from({ length: 300 * 33 }, () => 1000 + 3 * stream.normal());
      // The mean is rounded to 6e-5, a deviation of 3 to 1e-5 of it.
      expectAlike(await results(make, x, shape, device), await results(make, x, shape, 'cpu'), 5e-5);
    });

    it('NaN and infinities spoil the values that depend on them, and no others', async () => {
      const stream = seededStream(2);
      const x = Float32Array.from({ length: 300 * 33 }, () => stream.normal());
      [x[7 * 33 + 5], x[100 * 33 + 9], x[299 * 33 + 20]] = [NaN, Infinity, -Infinity];
      expectAlike(await results(make, x, shape, device), await results(make, x, shape, 'cpu'), 2e-5);
    });
  });
});
