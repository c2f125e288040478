/** The GPU is lost during training: the error, Recovery, and the fallback of fit. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  Dense,
  DeviceLostError,
  deviceInfo,
  fit,
  type History,
  manualSeed,
  Recovery,
  ReLU,
  Sequential,
  SGD,
  tensor,
  useDevice,
} from '../../src/index.ts';
import { expectRejection } from '../tensor/expect-error.ts';
import { read } from '../tensors.ts';
import { watch } from './gpu-watch.ts';
import { quadrants } from './train.ts';

const data = quadrants(64);

function training() {
  manualSeed(1);
  const model = new Sequential(
    new Dense(2, 16, { bias: false }),
    new BatchNorm1d(16),
    new ReLU(),
    new Dense(16, 4),
  );
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const step = () => {
    const loss = crossEntropy(model.forward(tensor(data.x, { shape: [64, 2] })), data.labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, optimizer, step };
}

/** The values of all parameters, buffers and optimizer slots. */
async function state({
  model,
  optimizer,
}: Pick<ReturnType<typeof training>, 'model' | 'optimizer'>): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(model.stateDict())) found[name] = await read(x);
  for (const [k, slots] of optimizer.stateDict().slots.entries()) {
    for (const [name, slot] of Object.entries(slots)) {
      found[`${k}.${name}`] = typeof slot === 'number' ? slot : await read(slot);
    }
  }
  return found;
}

const message = (name: string, adapter: string) =>
  new RegExp(`^\\w+: the GPU of ${name}, ${adapter.replace(/[()]/g, '\\$&')}, was lost: .+\\. Hint: .*wasm`);

describe.each(['webgl', 'webgpu'] as const)('after the loss of %s', (name) => {
  const gpu = watch(name);
  const lostError = () => message(name, deviceInfo().adapter);

  beforeAll(() => useDevice('wasm'));
  afterEach(() => vi.restoreAllMocks());

  it('the next op or read throws a DeviceLostError', async () => {
    await useDevice(name);
    const { model, step } = training();
    step();
    const x = tensor([1, 2]).mul(2);
    const unread = x.mul(3);
    gpu.lose();
    await expectRejection(
      (async () => {
        await x.mul(2).data();
      })(),
      DeviceLostError,
      lostError(),
    );
    await expectRejection(unread.data(), DeviceLostError, lostError());
    expect(() => x.add(x)).toThrow(DeviceLostError);
    expect(() => tensor([1])).toThrow(DeviceLostError);
    expect(step).toThrow(DeviceLostError);
    await expectRejection((async () => model.parameters()[0].data())(), DeviceLostError, lostError());
  });

  it('the device can be opened again', async () => {
    const info = await useDevice(name);
    expect(info.device).toBe(name);
    expect(await read(tensor([1, 2]).mul(2))).toEqual([2, 4]);
    const { step } = training();
    const [first] = await read(step());
    for (let k = 0; k < 20; k++) step();
    expect((await read(step()))[0]).toBeLessThan(first / 2);
  });

  it('Recovery restores the last saved state bit for bit', async () => {
    await useDevice(name);
    const { model, optimizer, step } = training();
    const recovery = new Recovery({ model, optimizer });
    let saved: Record<string, unknown> = {};
    const losses: number[] = [];
    for (let k = 0; k < 5; k++) {
      losses.push((await read(step()))[0]);
      await recovery.save();
      saved = await state({ model, optimizer });
    }
    const loss = crossEntropy(model.forward(tensor(data.x, { shape: [64, 2] })), data.labels);
    gpu.lose();
    const halfway = async () => {
      loss.backward();
      optimizer.step();
      await recovery.save();
    };
    await expectRejection(halfway(), DeviceLostError, lostError());
    await recovery.resume('wasm');
    expect(deviceInfo().device).toBe('wasm');
    expect(await state({ model, optimizer })).toEqual(saved);
    expect(model.tensors().map(({ device }) => device)).toEqual(model.tensors().map(() => 'wasm'));
    for (let k = 0; k < 30; k++) losses.push(step().item());
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[5] / 3);
    expect(
      Object.values(await state({ model, optimizer }))
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
  });

  /** Trains for three epochs of 8 batches. In the second epoch, calls `lose` after a step, or in the middle of one. */
  async function fitted(
    device: 'wasm' | typeof name,
    fallback: boolean,
    lose: () => void,
    inStep = false,
  ): Promise<History> {
    await useDevice(device);
    const { model, optimizer } = training();
    let steps = 0;
    const history = await fit(model, {
      loss: (y, labels) => {
        const loss = crossEntropy(y, labels);
        if (inStep && ++steps === 12) lose(); // the forward pass is collected, and not yet submitted
        return loss;
      },
      train: new DataLoader(quadrants(256), { batchSize: 32, shuffle: true }),
      validation: quadrants(100),
      optimizer,
      epochs: 3,
      fallback,
      onBatch: ({ epoch, batch }) => {
        if (!inStep && epoch === 2 && batch === 4) lose();
      },
    });
    expect(model.tensors().map((x) => x.device)).toEqual(model.tensors().map(() => 'wasm'));
    expect(
      Object.values(await state({ model, optimizer }))
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
    return history;
  }

  it.each([
    ['after a step', false],
    ['in the middle of a step', true],
  ])('%s, fit with fallback: true continues on wasm with the same results', async (_when, inStep) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const expected = await fitted('wasm', true, () => undefined, inStep);
    expect(warn).not.toHaveBeenCalled();
    const found = await fitted(name, true, () => gpu.lose(), inStep);
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^fit: the GPU of .* was lost: .*; training continues on wasm from the last step$/,
        ),
      ],
    ]);
    expect(deviceInfo().device).toBe('wasm');
    for (const column of ['loss', 'accuracy', 'valLoss', 'valAccuracy']) {
      expect(found[column]).toHaveLength(3);
      found[column].forEach((value, epoch) => {
        expect(Math.abs(value - expected[column][epoch])).toBeLessThan(column.endsWith('oss') ? 1e-4 : 0.02);
      });
    }
  });

  it('fit without fallback rejects with a DeviceLostError', async () => {
    await expectRejection(
      fitted(name, false, () => gpu.lose()),
      DeviceLostError,
      /was lost/,
    );
    expect(deviceInfo().device).toBe(name);
    await useDevice('wasm');
  });
});
