/** Tests of the wasm device: float64, slices, memory of other devices, and builds. */
import { describe, expect, it } from 'vitest';
import {
  arange,
  BatchNorm1d,
  Dense,
  DeviceError,
  DTypeError,
  eye,
  full,
  glorotUniform,
  ones,
  randn,
  tensor,
  type TensorOptions,
  uniform,
  zeros,
} from '../../../../src/index.ts';
import { builds, openWasm, type WasmDevice } from '../../../../src/tensor/device/wasm/open-wasm.ts';
import { wasmBuilds } from '../../../laws/kernel-laws.ts';
import { expectError } from '../../expect-error.ts';
import { wasmDevice } from './wasm-device.ts';

const device = await wasmDevice();

describe('float64 throws, with a hint to the cpu device:', () => {
  const float64 = { dtype: 'float64' } as const satisfies TensorOptions;
  const makers: Record<string, () => unknown> = {
    tensor: () => tensor([1], float64),
    zeros: () => zeros([1], float64),
    ones: () => new BatchNorm1d(2, float64), // γ is made by ones
    full: () => full([1], 2, float64),
    eye: () => eye(2, float64),
    arange: () => arange(0, 1, 1, float64),
    randn: () => randn([1], float64),
    uniform: () => uniform([1], 0, 1, float64),
    glorotUniform: () => new Dense(2, 2, { init: glorotUniform, ...float64 }),
    kaimingUniform: () => new Dense(2, 2, float64),
  };

  it.each(Object.entries(makers))('%s', (name, make) => {
    const message = new RegExp(
      `^${name}: the device 'wasm' has no float64\\. Hint: \\{ device: 'cpu' \\} has float64$`,
    );
    expectError(make, DTypeError, message);
  });

  it('a float64 array without a dtype is converted to float32', () => {
    expect(
      ones([2])
        .add(tensor(Float64Array.of(0.5, 1)))
        .dataSync(),
    ).toEqual(Float32Array.of(1.5, 2));
  });
});

describe('slices at any offset', () => {
  const values = Float32Array.from({ length: 61 }, (_, i) => Math.sin(7 * i));

  it('compute like any other array', () => {
    for (let begin = 0; begin < 20; begin++) {
      const x = tensor(values).slice(begin, 61 - (begin % 7));
      const part = values.slice(begin, 61 - (begin % 7));
      expect(x.dataSync()).toEqual(part);
      expect(x.mul(x).dataSync()).toEqual(part.map((value) => value * value));
      expect(x.maximum(tensor(0)).add(x).dataSync()).toEqual(part.map((value) => Math.max(value, 0) + value));
      expect(x.max().item()).toBe(Math.max(...part));
      expect(x.sum().item()).toBeCloseTo(
        part.reduce((sum, value) => sum + value, 0),
        5,
      );
    }
  });

  it('of rows of any length multiply correctly', () => {
    for (const width of [1, 2, 3, 5, 6, 7, 9, 11]) {
      const x = tensor(values.slice(0, 5 * width), { shape: [5, width] });
      const gram = x.slice(1, 4).matmul(x.slice(2).transpose());
      const row = (i: number) => Array.from(values.slice(i * width, (i + 1) * width));
      const dot = (i: number, j: number) => row(i).reduce((sum, value, k) => sum + value * row(j)[k], 0);
      const expected = [1, 2, 3].flatMap((i) => [2, 3, 4].map((j) => dot(i, j)));
      gram.dataSync().forEach((value, k) => expect(value).toBeCloseTo(expected[k], 5));
    }
  });
});

describe('two wasm devices', () => {
  it('have separate memory, and refuse each other’s tensors', () => {
    const other: WasmDevice = openWasm();
    const there = tensor([1], { device: other });
    expectError(() => tensor([1]).add(there), DeviceError, /^add: tensors on different devices: wasm, wasm/);
    expectError(() => device.readSync(there.storage), DeviceError, /^wasm: memory of another device/);
    expectError(() => device.free(there.storage), DeviceError, /^wasm: memory of another device/);
    expect(there.add(there).item()).toBe(2);
  });
});

describe('builds', () => {
  it('are tried fastest first, and named by the adapter', () => {
    expect(builds).toEqual(['relaxed', 'simd']);
    const accepted = wasmBuilds.filter((build) => 'device' in build).map((build) => build.device.adapter);
    expect(accepted.length).toBeGreaterThan(0);
    expect(openWasm().adapter).toBe(accepted[0]);
    expect(accepted.at(-1)).toBe('WebAssembly, SIMD');
  });

  it('throw an error that names the missing feature', () => {
    expectError(
      () => openWasm([]),
      DeviceError,
      /^wasm: this engine's WebAssembly has no SIMD\. Hint: the device 'cpu'/,
    );
  });
});
