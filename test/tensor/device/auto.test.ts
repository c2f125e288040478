/**
 * `useDevice('auto', { for: model, batch })`: the faster of a GPU and `wasm`. The GPUs here are the cpu device under
 * another name, made slow or broken.
 */
import { afterEach, describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  DeviceError,
  deviceInfo,
  type DeviceInfo,
  type DeviceOptions,
  Dropout,
  type Layer,
  ReLU,
  Sequential,
  ShapeError,
  SGD,
  type Tensor,
  tensor,
  uniform,
  useDevice,
  ValueError,
} from '../../../src/index.ts';
import { cpu } from '../../../src/tensor/device/cpu.ts';
import { currentDevice, opened } from '../../../src/tensor/device/current.ts';
import type { Device } from '../../../src/tensor/device/device.ts';
import { type Candidate, useDeviceFrom } from '../../../src/tensor/device/registry.ts';
import { streams } from '../../../src/tensor/random.ts';
import { expectRejection } from '../expect-error.ts';

/** A GPU that computes on the cpu, with a method replaced. */
function gpuLike(changes: Partial<Device> = {}): Device {
  const base: Device = { ...cpu, name: 'webgpu', dtypes: ['float32'], adapter: 'a test' };
  return { ...base, ...changes };
}

/** A kernel that takes this long. */
const slowly =
  (milliseconds: number): Device['run'] =>
  (...args) => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    return cpu.run(...args);
  };

await useDevice('wasm');
const wasm = currentDevice();

const processors: readonly Candidate[] = [
  { name: 'wasm', kind: 'processor', open: () => wasm },
  { name: 'cpu', kind: 'processor', open: () => cpu },
];

/** `useDevice('auto')` where this is the GPU. */
function auto(gpu: Device, options: DeviceOptions, others = processors): Promise<DeviceInfo> {
  for (const name of ['webgpu', 'wasm'] as const) opened.delete(name);
  return useDeviceFrom([{ name: 'webgpu', kind: 'gpu', open: () => gpu }, ...others], 'auto', options);
}

/** The devices of the program are again its own. */
async function restore(): Promise<void> {
  opened.delete('webgpu');
  opened.set('wasm', wasm);
  await useDevice('wasm');
}

/** `wasm`, slowed down. */
const slowWasm: readonly Candidate[] = [
  { name: 'wasm', kind: 'processor', open: () => gpuLike({ name: 'wasm', run: slowly(2) }) },
];

const network = () =>
  new Sequential(new Dense(6, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.5), new Dense(8, 3));

/** All that timing could change. */
const stateOf = (model: Layer, x: Tensor) => ({
  values: Object.entries(model.stateDict()).map(([name, t]) => [name, t.toArray()]),
  gradients: model.parameters().map(({ grad }) => grad),
  devices: [x, ...model.parameters()].map(({ device }) => device),
  dropout: streams.dropout.state,
  training: model.training,
});

describe("useDevice('auto', { for: model, batch })", () => {
  afterEach(restore);

  it('chooses wasm if it is faster than the GPU, says by how much, and leaves the model as it was', async () => {
    const [model, x] = [network(), uniform([4, 6])];
    model.forward(x).sum().backward();
    const before = stateOf(model, x);
    const info = await auto(gpuLike({ run: slowly(2) }), { for: model, batch: x });
    expect(info.device).toBe('wasm');
    expect(info.passedOver).toEqual([
      {
        device: 'webgpu',
        reason: expect.stringMatching(
          /^slower for this model: [\d.]+ ms a step, [\d.]+ ms on wasm$/,
        ) as string,
      },
    ]);
    const [onGpu, onWasm] = info.measured ?? [];
    expect([onGpu.device, onWasm.device]).toEqual(['webgpu', 'wasm']);
    expect(onGpu.milliseconds).toBeGreaterThan(20); // at least ten kernels of 2 ms
    expect(onWasm.milliseconds).toBeLessThan(onGpu.milliseconds);
    expect(deviceInfo()).toEqual(info);
    expect(stateOf(model, x)).toEqual(before);
  });

  it('chooses the GPU if it is faster, and moves the model there, ready to be trained', async () => {
    const [model, x] = [network(), uniform([4, 6])];
    const { values, dropout } = stateOf(model, x);
    const info = await auto(gpuLike(), { for: model, batch: x }, slowWasm);
    expect(info).toMatchObject({ device: 'webgpu', passedOver: [{ device: 'wasm' }] });
    expect(info.passedOver[0].reason).toMatch(/^slower for this model: .* on webgpu$/);
    expect(model.parameters().map(({ device }) => device)).toEqual(model.parameters().map(() => 'webgpu'));
    expect(x.device).toBe('wasm');
    expect(stateOf(model, x)).toMatchObject({ values, dropout });
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    model
      .forward(tensor(await x.data(), { shape: x.shape }))
      .sum()
      .backward();
    optimizer.step();
    expect(stateOf(model, x).values).not.toEqual(values);
  });

  it('passes over a GPU that fails while it is timed', async () => {
    const failing = gpuLike({
      run: () => {
        throw new DeviceError('matmul', 'out of memory', 'use less');
      },
    });
    const info = await auto(failing, { for: network(), batch: uniform([4, 6]) });
    expect(info).toMatchObject({
      device: 'wasm',
      passedOver: [{ device: 'webgpu', reason: 'out of memory' }],
      measured: [{ device: 'wasm' }],
    });
  });

  it('passes over devices without the element type of the model', async () => {
    await useDevice('cpu');
    const model = new Dense(6, 3, { dtype: 'float64' });
    const batch = uniform([4, 6], 0, 1, { dtype: 'float64' });
    const info = await auto(gpuLike(), { for: model, batch });
    expect(info).toMatchObject({
      device: 'cpu',
      passedOver: [
        { device: 'webgpu', reason: 'it has no float64' },
        { device: 'wasm', reason: 'it has no float64' },
      ],
    });
    expect(info.measured).toBeUndefined();
  });

  it('measures nothing without a hardware GPU', async () => {
    const none: readonly Candidate[] = [
      {
        name: 'webgpu',
        kind: 'gpu',
        open: () => {
          throw new DeviceError('webgpu', 'its GPU is software: a test', 'none');
        },
      },
      ...processors,
    ];
    const info = await useDeviceFrom(none, 'auto', { for: network(), batch: uniform([4, 6]) });
    expect(info).toMatchObject({ device: 'wasm', passedOver: [{ reason: 'its GPU is software: a test' }] });
    expect(info.measured).toBeUndefined();
  });

  it('a batch that does not fit the model is an error, and nothing changes', async () => {
    const [model, x] = [network(), uniform([4, 5])];
    const before = { state: stateOf(model, x), info: deviceInfo() };
    await expectRejection(auto(gpuLike(), { for: model, batch: x }), ShapeError, /layer 0, Dense\(6 → 8\)/);
    expect({ state: stateOf(model, x), info: deviceInfo() }).toEqual(before);
  });

  it.each<[what: string, options: object, message: RegExp]>([
    [
      'a batch without a model',
      { batch: 1 },
      /for: undefined is not a layer\. Hint: pass a layer and a batch/,
    ],
    ['a model without a batch', { for: new ReLU() }, /batch/],
    ['a function', { for: () => new ReLU(), batch: 1 }, /is not a layer/],
    ['a batch that is no tensor', { for: new ReLU(), batch: [1, 2] }, /pass a tensor of inputs of the model/],
  ])('refuses %s', async (_what, options, message) => {
    await expectRejection(useDevice('auto', options), ValueError, message);
  });

  it('is for auto only', async () => {
    const options = { for: new ReLU(), batch: tensor([1]) };
    await expectRejection(
      useDevice('wasm', options),
      ValueError,
      /for with a device chosen by name\. Hint: only 'auto'/,
    );
  });
});

describe("useDevice('auto') without a model", () => {
  afterEach(restore);

  it('takes the first hardware GPU, as documented', async () => {
    const info = await auto(gpuLike({ run: slowly(2) }), {});
    expect(info).toMatchObject({ device: 'webgpu', passedOver: [] });
    expect(info.measured).toBeUndefined();
  });
});
