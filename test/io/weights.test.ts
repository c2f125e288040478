/** Weights from and to PyTorch. The goldens are made by `goldens/make_weights.py`. */
import { execFileSync } from 'node:child_process';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  BatchNorm1d,
  decodeSafetensors,
  Dense,
  encodeCheckpoint,
  encodeSafetensors,
  encodeWeights,
  FormatError,
  loadWeights,
  manualSeed,
  randn,
  ReLU,
  type SafetensorsInput,
  Sequential,
  StateDictError,
  type Tensor,
  tensor,
  ValueError,
} from '../../src/index.ts';
import { loadCheckpoint, loadWeights as loadWeightsFile, saveWeights } from '../../src/node.ts';
import { folder } from '../data/helpers.ts';
import weights from '../goldens/weights.json' with { type: 'json' };
import { expectClose, refusal, snapshot } from '../layers/helpers.ts';
import { inFloat64, onDevices } from '../on-devices.ts';
import { pythonWithTorch } from '../python.ts';
import { values } from '../tensors.ts';

const net = (features = 3, hidden = 4, classes = 2, dtype: 'float32' | 'float64' = 'float32') =>
  new Sequential(
    new Dense(features, hidden, { dtype }),
    new BatchNorm1d(hidden, { dtype }),
    new ReLU(),
    new Dense(hidden, classes, { dtype }),
  );

/** A network after two batches. */
function trained(): Sequential {
  manualSeed(1);
  const model = net();
  for (let batch = 0; batch < 2; batch++) model.forward(randn([6, 3]));
  return model;
}

/** The tensors and metadata of a file, with changes. */
function changed(
  bytes: Uint8Array,
  changes: Record<string, SafetensorsInput>,
  metadata?: Record<string, string>,
) {
  const file = decodeSafetensors(bytes);
  return encodeSafetensors({ ...file.tensors, ...changes }, metadata ?? file.metadata);
}

/** The message of a failing load, after which the model must be unchanged. */
function refused(
  model: Sequential,
  bytes: Uint8Array,
  options: Parameters<typeof loadWeights>[2] = {},
  kind: typeof FormatError | typeof StateDictError | typeof ValueError = StateDictError,
): string {
  const before = snapshot(model);
  const message = refusal(() => loadWeights(model, bytes, options), kind);
  expect(snapshot(model)).toEqual(before);
  return message;
}

onDevices(() => {
  describe('a state dict of PyTorch', () => {
    it.each(weights.cases)('in $name gives the outputs of PyTorch', ({ file, sizes, x, y }) => {
      const bytes = Buffer.from(file, 'base64');
      const model = net(...(sizes as [number, number, number]));
      const isSquare = sizes[0] === sizes[1];
      for (const options of isSquare
        ? [{ layout: 'pytorch' as const }]
        : [{}, { layout: 'pytorch' as const }]) {
        expect(loadWeights(model, bytes, options)).toEqual({ missing: [], unexpected: [] });
        expectClose(model.eval().forward(tensor(x.data, { shape: x.shape })), y, 1e-6);
        expect(model.layers[1]).toMatchObject({ numBatchesTracked: 3 });
      }
      if (isSquare) {
        expect(refused(model, bytes, {}, FormatError)).toBe(
          'loadWeights: the data does not state its layout, and all dense weights are square. ' +
            "Hint: pass { layout: 'pytorch' } for a file of PyTorch, or { layout: 'gammabeta' }",
        );
      }
    });
  });

  describe('encodeWeights', () => {
    it.each(['gammabeta', 'pytorch'] as const)('in the layout %s is read back bit for bit', (layout) => {
      const [from, to] = [trained(), net()];
      const bytes = encodeWeights(from, { layout });
      for (const options of [{}, { layout }, { strict: false }]) {
        expect(loadWeights(to, bytes, options)).toEqual({ missing: [], unexpected: [] });
        expect(snapshot(to)).toEqual(snapshot(from));
        loadWeights(to, encodeWeights(net()));
      }
      const other = layout === 'pytorch' ? 'gammabeta' : 'pytorch';
      expect(refused(to, bytes, { layout: other }, FormatError)).toContain(
        `is in the layout ${layout}, not ${other}`,
      );
    });
  });
});

describe("PyTorch's layout", () => {
  it('has dense weights [out, in] and an int64 count', () => {
    const model = trained();
    const { tensors, metadata } = decodeSafetensors(encodeWeights(model, { layout: 'pytorch' }));
    expect(metadata.format).toBe('pt');
    const theirs = decodeSafetensors(Buffer.from(weights.cases[0].file, 'base64')).tensors;
    const form = (file: typeof tensors) =>
      Object.entries(file).map(([name, { dtype, shape }]) => [name, dtype, shape]).sort(); // prettier-ignore
    expect(form(tensors)).toEqual(form(theirs));
    expect(tensors['1.num_batches_tracked'].data).toEqual(BigInt64Array.of(2n));
    const [weight] = model.parameters();
    expect(values(tensor(tensors['0.weight'].data as Float32Array, { shape: [4, 3] }).transpose())).toEqual(
      values(weight),
    );
  });

  it('of layers in layers, and of a layer that is used twice', () => {
    const twice = new Dense(2, 3);
    const model = new Sequential(new Sequential(twice), new Dense(3, 2), twice, new BatchNorm1d(3));
    const { tensors } = decodeSafetensors(encodeWeights(model, { layout: 'pytorch' }));
    expect(Object.entries(tensors).map(([name, { shape }]) => [name, shape])).toEqual(
      expect.arrayContaining([
        ['0.0.weight', [3, 2]],
        ['1.weight', [2, 3]],
        ['2.weight', [3, 2]],
        ['3.num_batches_tracked', []],
      ]),
    );
    const alone = decodeSafetensors(encodeWeights(new BatchNorm1d(1), { layout: 'pytorch' })).tensors;
    expect(alone.num_batches_tracked.dtype).toBe('I64');
    expect(decodeSafetensors(encodeWeights(new BatchNorm1d(1))).tensors.num_batches_tracked.dtype).toBe(
      'F32',
    );
  });
});

describe('loadWeights', () => {
  it('reads any element type, and rounds to that of the model', () => {
    const model = new Dense(2, 1);
    for (const [dtype, data] of [
      ['F64', new Float64Array([0.1, -3])],
      ['F16', new Float32Array([0.5, -3])],
      ['I64', BigInt64Array.of(7n, -3n)],
      ['I32', Int32Array.of(2 ** 24 + 1, -3)],
      ['U8', Uint8Array.of(255, 0)],
      ['BOOL', Uint8Array.of(1, 0)],
    ] as const) {
      const file = encodeSafetensors({ weight: { dtype, shape: [1, 2], data }, bias: tensor([5]) });
      loadWeights(model, file);
      expect(values(model.weight)).toEqual([...data].map((x) => Math.fround(Number(x))));
    }
  });

  it('ignores missing and unexpected tensors with strict: false, and names them', () => {
    const model = trained();
    const before = snapshot(model);
    const file = encodeSafetensors({ '3.bias': tensor([7, 8]), extra: tensor([1]) });
    expect(refused(model, file)).toMatch(
      /^loadWeights: the state does not fit .*: missing: 0\.weight, .*unexpected: extra/,
    );
    const { missing, unexpected } = loadWeights(model, file, { strict: false });
    expect(missing).toEqual(Object.keys(before).filter((name) => name !== '3.bias'));
    expect(unexpected).toEqual(['extra']);
    expect(snapshot(model)).toEqual({ ...before, '3.bias': [7, 8] });
  });

  it('refuses other shapes, and values that cannot be, and changes nothing', () => {
    const model = trained();
    const good = encodeWeights(trained(), { layout: 'pytorch' });
    expect(refused(net(3, 5, 2), good)).toContain(
      '0.weight is a tensor of shape [3, 4], not a tensor of shape [3, 5]',
    );
    for (const [changes, problem] of [
      [
        { '3.bias': { shape: [2], data: new Float64Array([0, 1e39]) } },
        '3.bias cannot be loaded: it has the value 1e+39',
      ],
      [
        { '1.running_var': { shape: [4], data: new Float32Array([1, 1, -1, 1]) } },
        '1.running_var cannot be loaded',
      ],
      [{ '1.num_batches_tracked': { shape: [], data: BigInt64Array.of(-1n) } }, 'the count is -1'],
      [
        { '1.num_batches_tracked': { shape: [1], data: BigInt64Array.of(1n) } },
        '1.num_batches_tracked is a tensor of shape [1], not a tensor of shape []',
      ],
    ] as [Record<string, SafetensorsInput>, string][]) {
      expect(refused(model, changed(good, changes))).toContain(problem);
    }
    const large = { '1.num_batches_tracked': { shape: [], data: BigInt64Array.of(2n ** 53n) } };
    expect(refused(model, changed(good, large), {}, FormatError)).toContain(
      '1.num_batches_tracked has the value 9007199254740992. Hint: integers up to ±2⁵³',
    );
    const exact = { '1.num_batches_tracked': { shape: [], data: BigInt64Array.of(2n ** 24n + 1n) } };
    loadWeights(model, changed(good, exact));
    expect(model.layers[1]).toMatchObject({ numBatchesTracked: 2 ** 24 + 1 });
  });

  it('counts NaN in a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const model = trained();
    const broken = { '3.bias': { shape: [2], data: new Float32Array([NaN, Infinity]) } };
    loadWeights(model, changed(encodeWeights(model), broken));
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringMatching(/^loadWeights: 1 values are NaN: 3\.bias\. Hint: /),
    ]);
    encodeWeights(model);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });

  it('refuses a checkpoint, with a hint', async () => {
    const model = trained();
    const message = refused(model, await encodeCheckpoint({ model }), {}, FormatError);
    expect(message).toContain('the data is a checkpoint, not a file of weights. Hint: use restoreCheckpoint');
  });

  it('refuses damage and what is no file', () => {
    const model = trained();
    const bytes = encodeWeights(trained());
    bytes[bytes.length - 1] ^= 1;
    expect(refused(model, bytes, {}, FormatError)).toMatch(/the data is damaged: the checksum of/);
    for (const given of ['model.safetensors', null, undefined, {}, [1]]) {
      expect(refused(model, given as never, {}, FormatError)).toContain('Hint: pass the bytes of the file');
    }
  });

  it('takes files whose extents are enormous, if another one is 0', () => {
    const empty = { shape: [2 ** 52, 0], data: new Float32Array(0) };
    const file = encodeSafetensors({ weight: empty, bias: tensor([1]) });
    const message = refusal(() => loadWeights(new Dense(2, 1), file, { layout: 'pytorch' }), StateDictError);
    expect(message).toContain(
      'weight is a tensor of shape [0, 4503599627370496], not a tensor of shape [2, 1]',
    );
  });

  it('refuses wrong arguments', () => {
    const model = trained();
    const bytes = encodeWeights(model);
    for (const options of [
      { layout: 'keras' },
      { layout: null },
      { strikt: true },
      { strict: 1 },
      'pytorch',
      null,
    ]) {
      refused(model, bytes, options as never, ValueError);
      if (!(options !== null && typeof options === 'object' && 'strict' in options)) {
        expect(refusal(() => encodeWeights(model, options as never), ValueError)).toMatch(/^encodeWeights: /);
      }
    }
    for (const other of [Dense, model.stateDict(), null, model.parameters()]) {
      expect(refusal(() => loadWeights(other as never, bytes), ValueError)).toContain(
        'the model is not a layer',
      );
      expect(refusal(() => encodeWeights(other as never), ValueError)).toContain('the model is not a layer');
    }
  });
});

describe('files of weights', () => {
  it('have the bytes of encodeWeights, and are loaded', async () => {
    const path = join(await folder({}), 'model.safetensors');
    const model = trained();
    await saveWeights(path, model, { layout: 'pytorch' });
    const loaded = net();
    expect(await loadWeightsFile(loaded, path)).toEqual({ missing: [], unexpected: [] });
    expect(snapshot(loaded)).toEqual(snapshot(model));
    await saveWeights(path, net()); // in the other layout
    await loadWeightsFile(loaded, path, { layout: 'gammabeta' });
  });

  it('are of the moment of the call', async () => {
    const path = join(await folder({}), 'model.safetensors');
    const model = trained();
    const before = snapshot(model);
    const saving = saveWeights(path, model);
    model.loadStateDict(net().stateDict());
    await saving;
    await loadWeightsFile(model, path);
    expect(snapshot(model)).toEqual(before);
  });

  it('of another model are refused by their header: gigabytes of values are not read', async () => {
    const values = { dtype: 'F32', shape: [2 ** 31], data_offsets: [0, 2 ** 33] };
    const headers = {
      foreign: { other: values },
      larger: { weight: values },
      checkpoint: { __metadata__: { gammabeta: '1' }, 'model.weight': values },
    };
    const sized = (header: object) => {
      const text = JSON.stringify(header);
      const size = Buffer.alloc(8);
      size.writeUInt32LE(text.length);
      return Buffer.concat([size, Buffer.from(text)]);
    };
    const files = Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, sized(header)]));
    const dir = await folder(files);
    for (const [name, { length }] of Object.entries(files)) await truncate(join(dir, name), length + 2 ** 33);
    const model = new Dense(2, 3);
    const start = performance.now();
    await expect(loadWeightsFile(model, join(dir, 'foreign'))).rejects.toThrow('unexpected: other');
    await expect(loadWeightsFile(model, join(dir, 'larger'))).rejects.toThrow(
      'weight is a tensor of shape [2147483648], not a tensor of shape [2, 3]',
    );
    await expect(loadCheckpoint(join(dir, 'checkpoint'), { model })).rejects.toThrow(
      'weight is [2147483648] float32, not [2, 3] float32',
    );
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('are named in errors', async () => {
    const dir = await folder({ text: 'no safetensors', empty: '' });
    const model = trained();
    const before = snapshot(model);
    for (const [name, problem] of [
      ['missing', 'cannot be read: ENOENT'],
      ['', 'cannot be read: EISDIR'],
      ['text', 'is not a safetensors file: 14 bytes'],
      ['empty', 'is not a safetensors file: 0 bytes'],
    ]) {
      const path = join(dir, name);
      await expect(loadWeightsFile(model, path)).rejects.toThrow(`loadWeights: ${path} ${problem}`);
    }
    await expect(saveWeights(dir, model)).rejects.toThrow(
      `saveWeights: ${dir} cannot be written: it is a folder`,
    );
    await expect(saveWeights(join(dir, 'x'), model, { layout: 'tf' } as never)).rejects.toThrow(ValueError);
    await expect(loadWeightsFile(model, encodeWeights(model) as never)).rejects.toThrow(ValueError);
    await expect(saveWeights(model as never, dir as never)).rejects.toThrow(/the path is a layer/);
    expect(snapshot(model)).toEqual(before);
  });
});

inFloat64(() => {
  it('float64 weights are read back bit for bit', () => {
    const [from, to] = [net(3, 4, 2, 'float64'), net(3, 4, 2, 'float64')];
    loadWeights(to, encodeWeights(from, { layout: 'pytorch' }));
    expect(snapshot(to)).toEqual(snapshot(from));
  });
});

const python = pythonWithTorch();

describe('PyTorch', () => {
  it.skipIf(python === undefined)(
    'loads the weights with strict=True, and gives the same outputs',
    async () => {
      const path = join(await folder({}), 'model.safetensors');
      const model = trained();
      await saveWeights(path, model, { layout: 'pytorch' });
      const x = randn([5, 3]);
      const program = join(import.meta.dirname, 'load_weights.py');
      const printed = execFileSync(python ?? '', [program, path, JSON.stringify(x.toArray())], {
        encoding: 'utf8',
      });
      const y: Tensor = tensor(JSON.parse(printed) as number[][]);
      expectClose(model.eval().forward(x), y, 1e-6);
    },
  );
});
