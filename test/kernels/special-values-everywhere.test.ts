/** NaN, infinities and signed zeros among the inputs of every kernel: all devices agree with the reference. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Kernel } from '../../kernels/kernel.ts';
import { sizeOf } from '../../kernels/shape.ts';
import { seededStream } from '../../src/tensor/seed.ts';
import { devices, type DeviceUnderTest, type KernelCall, type Values } from '../laws/kernel-laws.ts';
import { inPage } from '../on-devices.ts';
import { cases } from './cases/index.ts';

const specials = [NaN, Infinity, -Infinity, 0, -0];

/** Inputs that hold indices and not values. */
const indices = ['labels', 'rows', 'argmax'];

/** Replaces a third of the values by special ones. */
function spoilt({ inputs, params }: KernelCall, { inputs: names }: Kernel, seed: number): KernelCall {
  const stream = seededStream(seed);
  const spoil = (value: number) =>
    stream.uniform() < 1 / 3 ? specials[Math.floor(specials.length * stream.uniform())] : Math.fround(value);
  return {
    inputs: inputs.map((input, k): Values =>
      indices.includes(names[k]) ? input : { ...input, data: input.data.map(spoil) },
    ),
    params,
  };
}

/** The reference of the kernel in float64, rounded to float32. */
function expectedOf(kernel: Kernel, { inputs, params }: KernelCall): Float32Array {
  const shapes = inputs.map(({ shape }) => shape);
  const y = new Float64Array(sizeOf(kernel.shape(shapes, params)));
  const arrays = inputs.map(({ data }) => data);
  kernel.reference(y, arrays, kernel.sizes(shapes, params), params);
  return Float32Array.from(y);
}

/** NaN, infinities and signed zeros are equal; other numbers are near. */
function alike(found: number, expected: number, { isGpu }: DeviceUnderTest): boolean {
  if (Object.is(found, expected)) return true;
  const bothZero = found === 0 && expected === 0; // with different signs, which shaders do not guarantee
  return (isGpu === true || !bothZero) && Math.abs(found - expected) <= 1e-5 * (1 + Math.abs(expected));
}

describe.each(devices.filter(({ dtype }) => dtype === 'float32'))('on $name', (on) => {
  const { device, dtype } = on;
  it.each(Object.entries(cases))('%s', async (_name, { kernel, calls, except = [] }) => {
    const extents = fc.integer({ min: 0, max: 19 }).filter((n) => !except.includes(n));
    const drawn = fc
      .tuple(extents, fc.nat(2))
      .chain(([n, turn]) => calls(n, turn))
      .chain((call) => fc.nat().map((seed) => spoilt(call, kernel, seed)));
    await fc.assert(
      fc.asyncProperty(drawn, async (call) => {
        fc.pre(kernel.name !== 'crossEntropyDx' || call.inputs[1].shape[1] !== 1); // there p − 1 is 0 or 1e-17
        const expected = expectedOf(kernel, call);
        const shapes = call.inputs.map(({ shape }) => shape);
        const storages = call.inputs.map(({ data }) => device.upload(data, dtype));
        const shape = kernel.shape(shapes, call.params);
        const found = await device.read(device.run(kernel, storages, shapes, shape, call.params, false));
        const wrong = expected.findIndex((value, k) => !alike(found[k], value, on));
        if (wrong < 0) return;
        throw new Error(`element ${wrong} is ${found[wrong]}, by the reference ${expected[wrong]}`);
      }),
      inPage ? {} : { numRuns: 60 },
    );
  });
});
