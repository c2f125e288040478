import { describe, expect, it } from 'vitest';
import {
  Adam,
  AdamW,
  BatchNorm1d,
  DataLoader,
  type Dataset,
  Dense,
  Dropout,
  type DType,
  fit,
  type History,
  type LearningRate,
  manualSeed,
  type Optimizer,
  ReLU,
  RMSprop,
  Sequential,
  SGD,
  type Tensor,
  ValueError,
} from '../../../src/index.ts';
import { streams } from '../../../src/tensor/random.ts';
import { decodeSafetensors, encodeSafetensors, type Safetensors } from '../../../src/io/safetensors.ts';
import {
  CheckpointError,
  type CheckpointParts,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreCheckpoint,
} from '../../../src/training/checkpoint/checkpoint.ts';
import { refusal } from '../../layers/helpers.ts';
import { inFloat64 } from '../../on-devices.ts';
import { values } from '../../tensors.ts';

/** Two-dimensional points of three classes, which a small network learns slowly. */
const data: Dataset = {
  x: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i) + (i % 3)),
  shape: [2],
  labels: Uint8Array.from({ length: 30 }, (_, i) => i % 3),
};

type MakeOptimizer = (params: Tensor[]) => Optimizer<LearningRate>;

/** Seeds the generators and builds the model, the loader and the optimizer. */
function start(
  makeOptimizer: MakeOptimizer = (params) => new Adam(params, { lr: 0.01 }),
  { seed = 1, dtype = 'float32' }: { readonly seed?: number; readonly dtype?: DType } = {},
) {
  manualSeed(seed);
  const model = new Sequential(
    new Dense(2, 8, { bias: false, dtype }),
    new BatchNorm1d(8, { dtype }),
    new ReLU(),
    new Dropout(0.3),
    new Dense(8, 3, { dtype }),
  );
  const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
  return { model, loader, optimizer: makeOptimizer(model.parameters()) };
}

/** The history without the times, which differ between runs. */
function measured({ seconds, ...columns }: History): Record<string, number[]> {
  expect(seconds.every((s) => s > 0)).toBe(true);
  return columns;
}

const train = ({ model, loader, optimizer }: ReturnType<typeof start>, epochs: number) =>
  fit(model, { train: loader, validation: data, optimizer, epochs });

/** The contents of a checkpoint as an object, so that a failing comparison shows the difference. */
async function stateOf(parts: CheckpointParts): Promise<Safetensors> {
  return decodeSafetensors(await encodeCheckpoint(parts));
}

/** The parts after two epochs of training, so that no part of the checkpoint has its initial value. */
async function trained(): Promise<ReturnType<typeof start>> {
  const parts = start();
  await train(parts, 2);
  return parts;
}

/** The checkpoint with changed metadata or renamed tensors. */
function changed(
  bytes: Uint8Array,
  metadata: Record<string, unknown>,
  rename: (name: string) => string = (name) => name,
): Uint8Array {
  const old = decodeSafetensors(bytes);
  const texts = Object.entries(metadata).map(([key, value]): [string, string] => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return encodeSafetensors(
    Object.fromEntries(Object.entries(old.tensors).map(([name, entry]) => [rename(name), entry])),
    { ...old.metadata, ...Object.fromEntries(texts) },
  );
}

/** The message of a failing restore, after which model, optimizer and loader must be unchanged. */
async function refusedUnchanged(bytes: Uint8Array, parts: CheckpointParts): Promise<string> {
  const before = await stateOf(parts);
  const message = refusal(() => restoreCheckpoint(bytes, parts), CheckpointError);
  expect(await stateOf(parts)).toEqual(before);
  return message;
}

const optimizers: Record<string, MakeOptimizer> = {
  'SGD with momentum': (params) => new SGD(params, { lr: 0.05, momentum: 0.9 }),
  Adam: (params) => new Adam(params, { lr: 0.01 }),
  'AdamW with amsgrad': (params) => new AdamW(params, { lr: 0.01, amsgrad: true }),
  'RMSprop, centered': (params) => new RMSprop(params, { lr: 0.01, centered: true, momentum: 0.5 }),
  'Adam in two groups': ([first, ...others]) =>
    new Adam([{ params: [first], lr: 0.02 }, { params: others }], { lr: 0.005 }),
};

describe('5 epochs, a checkpoint and 5 more epochs', () => {
  it.each(Object.entries(optimizers))('equal 10 epochs, bit for bit: %s', async (_, makeOptimizer) => {
    const whole = start(makeOptimizer);
    const history = measured(await train(whole, 10));

    const first = start(makeOptimizer);
    const before = measured(await train(first, 5));
    const bytes = await encodeCheckpoint(first);

    const second = start(makeOptimizer);
    const { epoch } = restoreCheckpoint(bytes, second);
    const after = measured(await train(second, 10 - epoch));

    expect(epoch).toBe(5);
    for (const [column, numbers] of Object.entries(history)) {
      expect([...before[column], ...after[column]]).toEqual(numbers);
    }
    expect(await stateOf(second)).toEqual(await stateOf(whole));
  });

  it('equal 10 epochs in a process with another seed, if the loader gets the saved seed', async () => {
    const whole = start();
    await train(whole, 10);
    const first = start();
    await train(first, 5);
    const bytes = await encodeCheckpoint(first);

    const { model, optimizer } = start(undefined, { seed: 2 });
    const { seed = -1 } = decodeCheckpoint(bytes).loader ?? {};
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true, seed });
    restoreCheckpoint(bytes, { model, optimizer, loader });
    await train({ model, optimizer, loader }, 5);
    expect(await stateOf({ model, optimizer, loader })).toEqual(await stateOf(whole));
  });

  it('equal 10 epochs if encodeCheckpoint is not awaited before training continues', async () => {
    const whole = start();
    let saved: Promise<Uint8Array> | undefined;
    await fit(whole.model, {
      train: whole.loader,
      optimizer: whole.optimizer,
      epochs: 10,
      onEpoch: ({ epoch }) => {
        if (epoch === 5) saved = encodeCheckpoint(whole); // not awaited
      },
    });
    const second = start();
    restoreCheckpoint((await saved) ?? new Uint8Array(), second);
    await fit(second.model, { train: second.loader, optimizer: second.optimizer, epochs: 5 });
    expect(await stateOf(second)).toEqual(await stateOf(whole));
  });
});

describe('encodeCheckpoint', () => {
  it('gives the same bytes for the same state, also after a restore', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    expect(await encodeCheckpoint(parts)).toEqual(bytes);
    const again = start();
    restoreCheckpoint(bytes, again);
    expect(await encodeCheckpoint(again)).toEqual(bytes);
  });

  it("names the model's tensors by PyTorch's keys and the optimizer's by parameter", async () => {
    const parts = await trained();
    const { tensors } = decodeSafetensors(await encodeCheckpoint(parts));
    const state = parts.model.stateDict();
    expect(Object.keys(state)).toContain('1.running_mean');
    for (const [name, value] of Object.entries(state)) {
      expect(tensors[`model.${name}`]).toEqual({ dtype: 'F32', shape: value.shape, data: value.dataSync() });
    }
    expect(Object.keys(tensors).filter((name) => name.startsWith('optimizer.0.'))).toEqual([
      'optimizer.0.m',
      'optimizer.0.v',
    ]);
  });

  it("takes the loader's epoch unless one is given, and 0 without a loader", async () => {
    const parts = await trained();
    expect(decodeCheckpoint(await encodeCheckpoint(parts)).epoch).toBe(2);
    expect(decodeCheckpoint(await encodeCheckpoint({ ...parts, epoch: 7 })).epoch).toBe(7);
    expect(decodeCheckpoint(await encodeCheckpoint({ model: parts.model })).epoch).toBe(0);
  });

  it.each([
    null,
    true,
    'the text of a note: "ü"',
    [1, -0.1, 2 ** -1074],
    { loss: [0.1, 0.2], best: { accuracy: 0.5 } },
  ])('keeps %j as extra', async (extra) => {
    const { model } = start();
    const bytes = await encodeCheckpoint({ model, extra });
    expect(restoreCheckpoint(bytes, { model }).extra).toEqual(extra);
  });

  it('keeps a history', async () => {
    const parts = start();
    const history = await train(parts, 1);
    const { extra } = restoreCheckpoint(await encodeCheckpoint({ ...parts, extra: history }), parts);
    expect(extra).toEqual(history);
  });

  it.each([NaN, Infinity])('refuses %d, which JSON would turn into null', async (loss) => {
    const encoding = encodeCheckpoint({ model: start().model, extra: { best: [{ loss }] } });
    await expect(encoding).rejects.toThrow(CheckpointError);
    await expect(encoding).rejects.toThrow(
      `encodeCheckpoint: extra holds a value that JSON cannot represent: loss is ${loss}. Hint: write null`,
    );
  });

  it('refuses unknown options and negative epochs', async () => {
    const { model } = start();
    const misspelt = { model, optimiser: null };
    await expect(encodeCheckpoint(misspelt)).rejects.toThrow('unknown option: optimiser');
    await expect(encodeCheckpoint({ model, epoch: -1 })).rejects.toThrow(ValueError);
  });
});

describe('decodeCheckpoint', () => {
  it('returns everything that was saved', async () => {
    const parts = await trained();
    const at = streams.dropout.state;
    const saved = decodeCheckpoint(await encodeCheckpoint({ ...parts, extra: 'note' }));
    expect(saved.streams.dropout).toEqual(at);
    expect(saved.extra).toBe('note');
    expect(saved.loader).toEqual({
      epoch: 2,
      seed: parts.loader.seed,
      shuffle: true,
      batchSize: 4,
      dropLast: false,
      examples: 30,
    });
    expect(saved.optimizer?.optimizer).toBe('Adam');
    expect(saved.optimizer?.slots[0].step).toBe(16);
    const { 0: weight } = parts.model.parameters();
    expect(values(saved.model['0.weight'])).toEqual(values(weight));
  });

  it('returns null for parts that were not saved', async () => {
    const saved = decodeCheckpoint(await encodeCheckpoint({ model: start().model }));
    expect(saved).toMatchObject({ optimizer: null, loader: null, epoch: 0, extra: null });
  });
});

describe('restoreCheckpoint', () => {
  it('restores parameters, buffers, the optimizer, the loader and the generators', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    const at = streams.dropout.state;
    const again = start();
    again.loader.epoch = 9;
    restoreCheckpoint(bytes, again);
    expect(again.loader.epoch).toBe(2);
    expect(streams.dropout.state).toEqual(at);
    expect(again.model.layers[1]).toMatchObject({ numBatchesTracked: 16 });
    expect(again.optimizer.stateDict().slots[0].step).toBe(16);
  });

  it('restores the model alone, for inference', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    const { model } = start(undefined, { seed: 3 });
    restoreCheckpoint(bytes, { model });
    expect(await stateOf({ model })).toEqual(await stateOf({ model: parts.model }));
  });

  it('restores a learning rate that was set to 0, as a schedule may do', async () => {
    const first = start();
    first.optimizer.lr = 0;
    const second = start();
    restoreCheckpoint(await encodeCheckpoint(first), second);
    expect(second.optimizer.lr).toBe(0);
  });

  it('reads bytes at an unaligned offset of their buffer', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    restoreCheckpoint(shifted, start());
  });

  it('refuses another model and lists every difference', async () => {
    const bytes = await encodeCheckpoint(await trained());
    const other = new Sequential(
      new Dense(2, 9),
      new ReLU(),
      new Dropout(0.3),
      new Dense(8, 4),
      new Dense(4, 3),
    );
    expect(await refusedUnchanged(bytes, { model: other })).toBe(
      'restoreCheckpoint: the data does not fit the model: missing: 0.bias, 3.weight, 3.bias; ' +
        'unexpected: 1.weight, 1.bias, 1.running_mean, 1.running_var, 1.num_batches_tracked; ' +
        '0.weight is [2, 8] float32, not [2, 9] float32; 4.weight is [8, 3] float32, not [4, 3] float32. ' +
        'Hint: build the model that was saved; to load parts of it, use decodeCheckpoint(bytes).model and loadStateDict',
    );
  });

  it('refuses another optimizer and leaves the model unchanged', async () => {
    const bytes = await encodeCheckpoint(await trained());
    const refusalOf = async (makeOptimizer: MakeOptimizer) =>
      refusedUnchanged(bytes, start(makeOptimizer, { seed: 2 }));
    const sgd: MakeOptimizer = (params) => new SGD(params, { lr: 1 });
    const { model } = start(undefined, { seed: 2 });
    expect(await refusedUnchanged(bytes, { model, optimizer: sgd(model.parameters()) })).toBe(
      'restoreCheckpoint: the data does not fit the optimizer: SGD: the state does not fit: optimizer is Adam, not SGD. ' +
        'Hint: build the optimizer that was saved, over the same parameters, and pass its stateDict()',
    );
    expect(await refusalOf(sgd)).toMatch(/does not fit the loader: seed is \d+, not \d+/);
    const fewer = new Adam(model.parameters().slice(1));
    expect(await refusedUnchanged(bytes, { model, optimizer: fewer })).toContain(
      'm of parameter 0 is [2, 8] float32, not [8] float32; v of parameter 0',
    );
    const more = new Adam([...model.parameters(), ...new Dense(1, 1).parameters()]);
    expect(await refusedUnchanged(bytes, { model, optimizer: more })).toContain(
      'groups is [0, 1, 2, 3, 4], not [0, 1, 2, 3, 4, 5, 6]',
    );
  });

  it('refuses a loader that yields other batches', async () => {
    const bytes = await encodeCheckpoint(await trained());
    const { model, optimizer } = start();
    const loader = new DataLoader(
      { ...data, x: data.x.subarray(2), labels: data.labels.subarray(1) },
      {
        batchSize: 5,
        shuffle: true,
        seed: 3,
        dropLast: true,
      },
    );
    expect(await refusedUnchanged(bytes, { model, optimizer, loader })).toMatch(
      /^restoreCheckpoint: the data does not fit the loader: batchSize is 4, not 5; seed is \d+, not 3; dropLast is false, not true; examples is 30, not 29\. Hint: build the loader that was saved, with the same seed; or leave it out and set loader\.epoch$/,
    );
  });

  it('ignores the seed of a loader that does not shuffle', async () => {
    const { model } = start();
    const inOrder = (seed: number) => new DataLoader(data, { batchSize: 4, seed });
    const saved = inOrder(1);
    saved.epoch = 3;
    const loader = inOrder(2);
    restoreCheckpoint(await encodeCheckpoint({ model, loader: saved }), { model, loader });
    expect(loader.epoch).toBe(3);
  });

  it('refuses to restore a part that was not saved', async () => {
    const { model, optimizer, loader } = await trained();
    const bytes = await encodeCheckpoint({ model });
    expect(await refusedUnchanged(bytes, { model, optimizer })).toBe(
      'restoreCheckpoint: the data has no optimizer. Hint: it was saved without one: leave optimizer out',
    );
    expect(await refusedUnchanged(bytes, { model, loader })).toContain('has no loader');
  });

  it('refuses unknown options', async () => {
    const { model } = start();
    const bytes = await encodeCheckpoint({ model });
    const misspelt = { model, optimiser: null };
    expect(refusal(() => restoreCheckpoint(bytes, misspelt), ValueError)).toContain('optimiser');
  });

  const adam = { optimizer: 'Adam', groups: [{ params: [0], options: {} }], numbers: [{}] };
  it.each([
    ['the epoch is -1', { epoch: -1 }],
    ['the epoch is null', { epoch: 'null' }],
    ["the metadata's epoch is not JSON", { epoch: 'five' }],
    ["the generators' states are null", { streams: null }],
    ["the generators' states are", { streams: { initialization: [1, 2, 3, 4], shuffling: [1, 2, 3, 4] } }],
    ["the generators' states are", { streams: { initialization: [0, 0, 0, 0] } }],
    ['the loader is {"epoch":1}', { loader: { epoch: 1 } }],
    ["the optimizer's entry is not { optimizer, groups, numbers }", { optimizer: 'true' }],
    ["the optimizer's entry is not { optimizer, groups, numbers }", { optimizer: { ...adam, groups: [{}] } }],
    [
      "the optimizer's entry is not { optimizer, groups, numbers }",
      { optimizer: { ...adam, numbers: [{ step: 'one' }] } },
    ],
    ["the optimizer's groups list parameters [0] of 2", { optimizer: { ...adam, numbers: [{}, {}] } }],
    ["optimizer.1.m is not a tensor of the optimizer's state", { optimizer: adam }],
    ["optimizer.0.m is not a tensor of the optimizer's state", { optimizer: 'null' }],
    [
      "optimizer.0.m is not a tensor of the optimizer's state",
      { optimizer: { ...adam, numbers: [{ m: 1 }] } },
    ],
  ])('refuses invalid metadata: %s', async (problem, metadata) => {
    const parts = await trained();
    const bytes = changed(await encodeCheckpoint(parts), metadata);
    const message = await refusedUnchanged(bytes, parts);
    expect(message).toContain(`restoreCheckpoint: the data is damaged: ${problem}`);
    expect(message).toMatch(/Hint: the file is damaged: use another checkpoint$/);
  });

  it('refuses options that the optimizer does not accept', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    const { optimizer } = decodeSafetensors(bytes).metadata;
    for (const [from, to] of [
      ['"lr":0.01', '"lr":-1'],
      ['"lr":0.01', '"rate":0.01'],
      ['[0.9,0.999]', '0.9'],
    ]) {
      expect(optimizer).toContain(from);
      const message = await refusedUnchanged(
        changed(bytes, { optimizer: optimizer.replace(from, to) }),
        parts,
      );
      expect(message).toContain('does not fit the optimizer');
    }
  });

  it('refuses tensors that belong to neither the model nor the optimizer', async () => {
    const parts = await trained();
    const bytes = changed(await encodeCheckpoint(parts), {}, (name) => name.replace(/^model\.0\./, ''));
    expect(await refusedUnchanged(bytes, parts)).toContain(
      'the tensor weight belongs to neither the model nor the optimizer',
    );
  });

  it('refuses safetensors of other programs and of later versions', async () => {
    const parts = await trained();
    const other = encodeSafetensors({ weight: { shape: [1], data: new Float32Array(1) } }, { format: 'pt' });
    expect(await refusedUnchanged(other, parts)).toContain(
      'the data is not a checkpoint: it is in the safetensors format, but from another program',
    );
    const later = changed(await encodeCheckpoint(parts), { gammabeta: '2' });
    expect(await refusedUnchanged(later, parts)).toContain('has an unknown format version: 2');
  });
});

describe('a damaged checkpoint', () => {
  it('is refused, and changes nothing, at whatever length it is cut', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    for (let length = 0; length < bytes.length; length += 1 + Math.floor(length / 100)) {
      const message = refusal(() => restoreCheckpoint(bytes.subarray(0, length), parts), CheckpointError);
      expect(message).toMatch(length < 8 ? /is not a checkpoint/ : /is cut short: \d+ bytes of at least/);
    }
    expect(await encodeCheckpoint(parts)).toEqual(bytes);
  });

  it('is refused or fully restored, whichever byte of its header is changed', async () => {
    const parts = await trained();
    const bytes = await encodeCheckpoint(parts);
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true);
    const fresh = start();
    const before = await encodeCheckpoint(fresh);
    let refusals = 0;
    for (let at = 0; at < header; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 << (at % 8);
      try {
        restoreCheckpoint(damaged, fresh);
        restoreCheckpoint(before, fresh);
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw new Error(`byte ${at}`, { cause: error });
        refusals++;
        if (at % 50 === 0) expect(await encodeCheckpoint(fresh)).toEqual(before);
      }
    }
    expect(await encodeCheckpoint(fresh)).toEqual(before);
    expect(refusals).toBeGreaterThan(header / 2);
  });
});

inFloat64(() => {
  it('5 epochs, a checkpoint and 5 more epochs equal 10 epochs, bit for bit', async () => {
    const wide = () => start(undefined, { dtype: 'float64' });
    const whole = wide();
    await train(whole, 10);
    const first = wide();
    await train(first, 5);
    const bytes = await encodeCheckpoint(first);
    const second = wide();
    restoreCheckpoint(bytes, second);
    await train(second, 5);
    expect(await stateOf(second)).toEqual(await stateOf(whole));
    expect(second.model.parameters()[0].dtype).toBe('float64');
  });

  it('the state dict of decodeCheckpoint loads into a model of another element type', async () => {
    const { model } = await trained();
    const wide = start(undefined, { dtype: 'float64' }).model;
    wide.loadStateDict(decodeCheckpoint(await encodeCheckpoint({ model })).model);
    expect(values(wide.parameters()[0])).toEqual(values(model.parameters()[0]));
  });

  it('restoreCheckpoint refuses a model of another element type', async () => {
    const bytes = await encodeCheckpoint(await trained());
    const other = new Sequential(
      new Dense(2, 8, { dtype: 'float64' }),
      new ReLU(),
      new Dropout(0.3),
      new Dense(8, 4),
      new Dense(4, 3),
    );
    expect(await refusedUnchanged(bytes, { model: other })).toBe(
      'restoreCheckpoint: the data does not fit the model: missing: 0.bias, 3.weight, 3.bias; ' +
        'unexpected: 1.weight, 1.bias, 1.running_mean, 1.running_var, 1.num_batches_tracked; ' +
        '0.weight is [2, 8] float32, not [2, 8] float64; 4.weight is [8, 3] float32, not [4, 3] float32. ' +
        'Hint: build the model that was saved; to load parts of it, use decodeCheckpoint(bytes).model and loadStateDict',
    );
  });
});
