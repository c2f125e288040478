/** `fit({ fallback: true })` on a device that is lost: what the program set since the last batch is kept. */
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import {
  Adam,
  type BatchProgress,
  BatchNorm1d,
  cosineDecay,
  DataLoader,
  Dense,
  DeviceLostError,
  Dropout,
  fit,
  type FitOptions,
  manualSeed,
  Sequential,
  useDevice,
} from '../../../src/index.ts';
import { cpu } from '../../../src/tensor/device/cpu.ts';
import type { Device } from '../../../src/tensor/device/device.ts';
import { quadrants } from '../../browser/train.ts';

beforeAll(() => useDevice('wasm'));
afterEach(() => vi.restoreAllMocks());

/** A device that computes like `cpu` until it is lost. */
function losableDevice(): { readonly device: Device; readonly lose: () => void } {
  let lost = false;
  const unlessLost =
    <A extends readonly unknown[], R>(method: (...args: A) => R) =>
    (...args: A): R => {
      if (!lost) return method(...args);
      throw new DeviceLostError('webgl', 'the GPU was lost', 'await useDevice again');
    };
  const device: Device = {
    ...cpu,
    name: 'webgl',
    get lost() {
      return lost;
    },
    upload: unlessLost((...args) => cpu.upload(...args)),
    run: unlessLost((...args: Parameters<Device['run']>) => cpu.run(...args)),
    read: (storage) => unlessLost((...args: Parameters<Device['read']>) => cpu.read(...args))(storage),
    readSync: unlessLost((...args) => cpu.readSync(...args)),
  };
  return { device, lose: () => void (lost = true) };
}

function network(): Sequential {
  manualSeed(1);
  return new Sequential(
    new Dense(2, 6, { bias: false }),
    new BatchNorm1d(6),
    new Dropout(0.3),
    new Dense(6, 4),
  );
}

type Change = (parts: { model: Sequential; optimizer: Adam } & BatchProgress) => void;

/** Trains for 2 epochs of 4 batches; `change` is called after each batch, and the device is lost after batch `at`. */
async function trained(change: Change, at: number | null, options: Partial<FitOptions> = {}) {
  const model = network();
  const { device, lose } = losableDevice();
  if (at !== null) {
    for (const x of model.tensors()) {
      x.storage = device.upload(x.dataSync(), x.dtype);
      x.home = device;
    }
  }
  const optimizer = new Adam(model.parameters(), { lr: 0.05 });
  const train = new DataLoader(quadrants(32), { batchSize: 8, shuffle: true, seed: 2 });
  const onBatch = (progress: BatchProgress) => {
    change({ model, optimizer, ...progress });
    if ((progress.epoch - 1) * 4 + progress.batch === at) lose();
  };
  const fallback = at !== null;
  const { loss } = await fit(model, { train, optimizer, epochs: 2, fallback, onBatch, ...options });
  const state = Object.values(model.stateDict()).flatMap((x) => Array.from(x.dataSync()));
  return [...loss, optimizer.lr, ...state];
}

const once =
  (change: Change): Change =>
  (parts) => {
    if (parts.epoch === 1 && parts.batch === 2) change(parts);
  };

const other = network().stateDict();
const changes: Record<string, [change: Change, options?: Partial<FitOptions>]> = {
  nothing: [() => undefined],
  'a learning rate': [once(({ optimizer }) => void (optimizer.lr = 0.3))],
  'a schedule': [() => undefined, { schedule: cosineDecay(0.2, { steps: 8 }) }],
  'a state of the model, batches before': [once(({ model }) => model.loadStateDict(other))],
  'options of the optimizer, batches before': [
    once(({ optimizer }) => {
      const { groups, ...state } = optimizer.stateDict();
      const options = { ...groups[0].options, betas: [0.5, 0.5] };
      optimizer.loadStateDict({ ...state, groups: [{ ...groups[0], options }] });
    }),
  ],
  'a seed': [once(() => manualSeed(8))],
};

it.each(Object.entries(changes))('%s', async (name, [change, options]) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const expected = await trained(change, null, options);
  const found = await trained(change, name.endsWith('before') ? 3 : 2, options);
  expect(warn).toHaveBeenCalledOnce();
  expect(found.length).toBe(expected.length);
  found.forEach((value, k) => expect(value).toBeCloseTo(expected[k], 4));
});

it('a state that was loaded and lost before the next batch is an error, not forgotten', async () => {
  const run = trained(
    once(({ model }) => model.loadStateDict(other)),
    2,
  );
  await expect(run).rejects.toThrow(
    'fit: the GPU was lost, with the state that was loaded since the last batch. Hint: load that state again',
  );
});
