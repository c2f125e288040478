/** ONNX files, run by ONNX Runtime, compute what the models compute in evaluation. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  Dropout,
  Embedding,
  Flatten,
  FormatError,
  GroupNorm,
  Identity,
  Layer,
  LayerNorm,
  LeakyReLU,
  manualSeed,
  onForward,
  randn,
  ReLU,
  Sequential,
  ShapeError,
  Sigmoid,
  Softmax,
  Tanh,
  type Tensor,
  tensor,
  uniform,
  useDevice,
  ValueError,
} from '../../../src/index.ts';
import { nets } from '../../../src/networks.ts';
import { toOnnx } from '../../../src/onnx.ts';
import { folder } from '../../data/helpers.ts';
import { build, networkSpecs } from '../../laws/random-networks.ts';
import { expectClose, refusal, snapshot } from '../../layers/helpers.ts';
import { pythonWith } from '../../python.ts';
import { readOnnx } from './read-onnx.ts';
import { runOnnx } from './run-onnx.ts';

/** The operators of a file. */
const opsOf = (bytes: Uint8Array): string[] => readOnnx(bytes).nodes.map(({ op }) => op);

/** Runs training batches, so that running statistics and modes are those of a model in training. */
function trainOn(model: Layer, shape: readonly number[]): void {
  for (let batch = 0; batch < 3; batch++) model.train().forward(uniform([8, ...shape], -1, 2));
}

async function expectSame(model: Layer, bytes: Uint8Array, inputs: readonly Tensor[]): Promise<void> {
  const outputs = await runOnnx(bytes, inputs);
  const modes = model.modules().map(({ training }) => training);
  model.eval();
  inputs.forEach((x, k) => expectClose(outputs[k], model.forward(x), 1e-5));
  model.modules().forEach((layer, k) => (layer.training = modes[k]));
}

beforeEach(async () => {
  await useDevice('cpu');
  manualSeed(1);
});
afterEach(() => vi.restoreAllMocks());

describe('toOnnx', () => {
  it('of random networks gives the outputs of evaluation, with and without folding', async () => {
    const options = fc.record({
      fold: fc.boolean(),
      softmax: fc.boolean(),
      opset: fc.integer({ min: 13, max: 21 }),
    });
    await fc.assert(
      fc.asyncProperty(networkSpecs, options, async (spec, { fold, softmax, opset }) => {
        const { model: inner, x } = build(spec);
        const { features } = spec;
        const outer = [new Flatten(), inner, new Identity(), ...(softmax ? [new Softmax()] : [])];
        const model = new Sequential(...outer);
        const dtype = 'float64';
        for (let batch = 0; batch < 3; batch++) model.forward(x.add(batch).reshape([-1, 1, features]));
        const bytes = toOnnx(model, { input: [1, features], fold, opset });
        // ONNX Runtime gets float32 values, so the model must too.
        const inputs = [1, 2, 5, 33].map((n) =>
          tensor(Float64Array.from(uniform([n * features], -1, 1).dataSync()), {
            shape: [n, 1, features],
            dtype,
          }),
        );
        await expectSame(model, bytes, inputs);
      }),
      { numRuns: 40 },
    );
  });

  it.each(Object.keys(nets))('of the network %s folds every batch normalization', async (name) => {
    const model = nets[name as keyof typeof nets]();
    trainOn(model, [784]);
    const inputs = [uniform([1, 784]), uniform([7, 784])];
    const plain = toOnnx(model, { input: [784] });
    const folded = toOnnx(model, { input: [784], fold: true });
    await expectSame(model, plain, inputs);
    await expectSame(model, folded, inputs);
    expect(opsOf(plain).filter((op) => op === 'BatchNormalization')).toHaveLength(
      name === 'plain' ? 0 : name === 'bn' ? 3 : 2,
    );
    const activation = name === 'plain' ? 'LeakyRelu' : 'Relu';
    expect(opsOf(folded)).toEqual(['Gemm', activation, 'Gemm', activation, 'Gemm']);
  });

  it('writes each layer as the operator that ONNX has for it, with the keys of the state dict', () => {
    const model = new Sequential(
      new Flatten(),
      new Sequential(new Dense(6, 4, { bias: false }), new BatchNorm1d(4, { eps: 0.25 })),
      new Dropout(0.5),
      new LeakyReLU(0.5),
      new Identity(),
      new Dense(4, 2),
      new Softmax(),
    );
    const file = readOnnx(toOnnx(model, { input: [2, 3] }));
    expect(file).toMatchObject({ ir: 8, opset: 17, producer: 'gammabeta' });
    expect(file.nodes).toEqual([
      { op: 'Flatten', name: '0.Flatten', inputs: ['x'], outputs: ['0.Flatten'], attributes: { axis: 1 } },
      {
        op: 'Gemm',
        name: '1.0.Gemm',
        inputs: ['0.Flatten', '1.0.weight'],
        outputs: ['1.Gemm'],
        attributes: {},
      },
      {
        op: 'BatchNormalization',
        name: '1.1.BatchNormalization',
        inputs: ['1.Gemm', '1.1.weight', '1.1.bias', '1.1.running_mean', '1.1.running_var'],
        outputs: ['2.BatchNormalization'],
        attributes: { epsilon: 0.25 },
      },
      {
        op: 'LeakyRelu',
        name: '3.LeakyRelu',
        inputs: ['2.BatchNormalization'],
        outputs: ['3.LeakyRelu'],
        attributes: { alpha: 0.5 },
      },
      {
        op: 'Gemm',
        name: '5.Gemm',
        inputs: ['3.LeakyRelu', '5.weight', '5.bias'],
        outputs: ['4.Gemm'],
        attributes: {},
      },
      { op: 'Softmax', name: '6.Softmax', inputs: ['4.Gemm'], outputs: ['y'], attributes: { axis: -1 } },
    ]);
    expect(file.inputs).toEqual({ x: ['N', 2, 3] });
    expect(file.outputs).toEqual({ y: ['N', 2] });
    expect(file.constants).toMatchObject({ '1.0.weight': [6, 4], '1.1.running_var': [4], '5.bias': [2] });
  });

  it('takes all inputs that the layers take', async () => {
    const cases: [Layer, number[]][] = [
      [new Sequential(new BatchNorm1d(3), new Flatten(), new Dense(12, 2)), [3, 4]],
      [new Sequential(new BatchNorm1d(3, { affine: false }), new BatchNorm1d(3), new Dense(3, 2)), [3]],
      [new BatchNorm1d(3), [3]],
      [new Dense(3, 2), [3]],
      [new Sequential(new Tanh(), new Sigmoid(), new Softmax()), [2, 5]],
      [new Flatten(), []],
      [new Dropout(0.5), [2]],
      [new Sequential(), [2]],
      [new Sequential(new Identity()), [2, 2]],
    ];
    for (const [model, shape] of cases) {
      trainOn(model, shape);
      for (const fold of [false, true]) {
        await expectSame(model, toOnnx(model, { input: shape, fold }), [
          randn([1, ...shape]),
          randn([5, ...shape]),
        ]);
      }
    }
    const words = new Sequential(new Embedding(7, 3), new Flatten(), new Dense(6, 2));
    await expectSame(words, toOnnx(words, { input: [2] }), [tensor([[0, 6]]), tensor([[3, 1], [2, 2]])]); // prettier-ignore
  });

  describe.each([13, 16, 17, 18, 21])('with opset %d', (opset) => {
    it('normalizes rows and groups of inputs of any shape', async () => {
      const cases: [Layer, number[]][] = [
        [new LayerNorm(3), [3]],
        [new LayerNorm(3), [4, 3]],
        [new LayerNorm(3, { affine: false, eps: 0.5 }), [2, 4, 3]],
        [new LayerNorm(1), [1]],
        [new GroupNorm(2, 4), [4]],
        [new GroupNorm(2, 4), [4, 3]],
        [new GroupNorm(1, 4), [4, 3, 2]],
        [new GroupNorm(4, 4, { affine: false, eps: 0.5 }), [4, 5]],
        [new GroupNorm(4, 4), [4]], // groups of one value
        [new GroupNorm(2, 4), [4, 0]],
      ];
      for (const [layer, shape] of cases) {
        const [weight, bias] = layer.parameters();
        if (layer.parameters().length > 0) {
          layer.loadStateDict({ weight: uniform(weight.shape, 0.5, 2), bias: uniform(bias.shape) });
        }
        const model = new Sequential(layer, new Tanh());
        const inputs = [0, 1, 6].map((n) =>
          randn([n, ...shape])
            .mul(3)
            .add(1),
        );
        for (const fold of [false, true])
          await expectSame(model, toOnnx(model, { input: shape, opset, fold }), inputs);
      }
    });
  });

  it('writes layer normalization as one operator if ONNX has it, and groups as instances', () => {
    const model = new Sequential(new LayerNorm(6, { eps: 0.25 }), new GroupNorm(2, 6, { eps: 0.5 }));
    const file = readOnnx(toOnnx(model, { input: [6] }));
    const groups = ['Reshape', 'InstanceNormalization', 'Reshape', 'Mul', 'Add'];
    expect(file.nodes.map(({ op }) => op)).toEqual(['LayerNormalization', ...groups]);
    expect(file.nodes[0]).toMatchObject({
      inputs: ['x', '0.weight', '0.bias'],
      attributes: { axis: -1, epsilon: 0.25 },
    });
    expect(file.nodes[2].attributes).toEqual({ epsilon: 0.5 });
    expect(file.constants).toMatchObject({ '0.weight': [6], '1.one': [2], '1.groups': [3], '1.shape': [2] });
    expect(opsOf(toOnnx(model, { input: [6], opset: 16 }))).toEqual([...groups, ...groups]);
  });

  it('does not change the model, and ignores its mode, hooks and subclasses that inherit forward', async () => {
    class Hidden extends Dense {
      constructor() {
        super(3, 3);
      }
    }
    const model = new Sequential(new Hidden(), new BatchNorm1d(3), new Dropout(0.5));
    trainOn(model, [3]);
    const before = snapshot(model);
    const bytes = toOnnx(model, { input: [3] });
    expect(toOnnx(model.eval(), { input: [3] })).toEqual(bytes);
    const end = onForward(model.layers[1], () => undefined);
    expect(toOnnx(model.train(), { input: [3] })).toEqual(bytes);
    end();
    expect(model.modules().every(({ training }) => training)).toBe(true);
    expect(snapshot(model)).toEqual(before);
    await expectSame(model, bytes, [randn([4, 3])]);
  });

  it('counts NaN in a warning', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const model = new Sequential(new Dense(2, 2));
    model.loadStateDict({ '0.bias': tensor([NaN, 1]) }, { strict: false });
    toOnnx(model, { input: [2], fold: true });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^toOnnx: 1 values are NaN: 0\.bias\. Hint: /)]]);
  });
});

const python = pythonWith('onnx');

describe("ONNX's checker", () => {
  it.skipIf(python === undefined)('accepts the files, and infers the shape of the output', async () => {
    const files = {
      'bn.onnx': toOnnx(nets.bn(), { input: [784] }),
      'folded.onnx': toOnnx(nets.bn(), { input: [784], fold: true }),
      'images.onnx': toOnnx(
        new Sequential(
          new BatchNorm1d(3),
          new Flatten(),
          new Dropout(),
          new Dense(6, 2),
          new Tanh(),
          new Softmax(),
        ),
        { input: [3, 2] },
      ),
      ...Object.fromEntries(
        [16, 17, 21].map((opset) => [
          `norms-${opset}.onnx`,
          toOnnx(new Sequential(new GroupNorm(2, 4), new LayerNorm(3)), { input: [4, 3], opset }),
        ]),
      ),
      'embedding.onnx': toOnnx(new Embedding(5, 2), { input: [4] }),
      'identity.onnx': toOnnx(new Identity(), { input: [] }),
      ...Object.fromEntries(
        [13, 15, 19, 21].map((opset) => [`${opset}.onnx`, toOnnx(nets.plain(), { input: [784], opset })]),
      ),
    };
    const dir = await folder(files);
    const paths = Object.keys(files).map((name) => join(dir, name));
    const { status, stdout, stderr } = spawnSync(
      python ?? '',
      [join(import.meta.dirname, 'check_onnx.py'), ...paths],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(paths.length);
    expect(lines).toContain('opset 17: Gemm Relu Gemm Relu Gemm');
    // Debian's ONNX 1.12 knows opset 17; newer ones know all.
    for (const line of lines) expect(line).toMatch(/^opset (?:1[3-7]: [A-Z]|(?:19|21): )/);
  });
});

describe('toOnnx refuses', () => {
  class Twice extends Layer {
    override forward(x: Tensor): Tensor {
      return x.mul(2);
    }
  }

  it('layers without a form, by name', () => {
    const own = new ReLU();
    own.forward = (x) => x.neg();
    for (const [layer, name] of [
      [new Twice(), 'Twice'],
      [own, 'ReLU'],
    ] as const) {
      // prettier-ignore
      const model = new Sequential(new Dense(2, 2), new Sequential(layer));
      expect(refusal(() => toOnnx(model, { input: [2] }), ValueError)).toBe(
        `toOnnx: layer 1.0, ${name}, has no ONNX form. Hint: use Dense, BatchNorm1d, LayerNorm, GroupNorm, Embedding, activations, Dropout, Flatten and Identity, in a Sequential`,
      );
    }
    expect(refusal(() => toOnnx(new Twice(), { input: [2] }), ValueError)).toContain(
      'the model, Twice, has no',
    );
    const norm = new Sequential(new BatchNorm1d(2, { trackRunningStats: false }));
    expect(refusal(() => toOnnx(norm, { input: [2] }), ValueError)).toContain(
      'layer 0, BatchNorm1d(2), has no running statistics',
    );
  });

  it('inputs that do not fit, with the name of the layer', () => {
    const model = new Sequential(new Dense(4, 3), new ReLU(), new BatchNorm1d(5));
    expect(refusal(() => toOnnx(model, { input: [1, 2, 2] }), ShapeError)).toContain(
      'layer 0, Dense(4 → 3), takes examples of shape [4], not [1, 2, 2]',
    );
    expect(refusal(() => toOnnx(model, { input: [4] }), ShapeError)).toContain(
      'layer 2, BatchNorm1d(5), takes examples of shape [5] or [5, L], not [3]',
    );
  });

  it('examples that a normalization does not take', () => {
    const cases: [Layer, number[], string][] = [
      [new LayerNorm(3), [3, 4], '[..., 3], not [3, 4]'],
      [new LayerNorm(3), [], '[..., 3], not []'],
      [new GroupNorm(2, 4), [3, 4], '[4] or [4, …], not [3, 4]'],
    ];
    for (const [layer, input, problem] of cases) {
      expect(refusal(() => toOnnx(layer, { input }), ShapeError)).toContain(
        `takes examples of shape ${problem}`,
      );
    }
    for (const layer of [
      new LayerNorm(2, { eps: 1e-300, dtype: 'float64' }),
      new GroupNorm(1, 2, { eps: 1e-300, dtype: 'float64' }),
    ]) {
      expect(refusal(() => toOnnx(layer, { input: [2] }), FormatError)).toContain(
        'which float32 cannot hold',
      );
    }
  });

  it('float64 values that float32 cannot hold, with the name of the tensor', () => {
    const float64 = { dtype: 'float64' } as const;
    const model = new Sequential(new Dense(1, 2, float64), new BatchNorm1d(2, float64));
    const load = (name: string, values: number[]) =>
      model.loadStateDict({ [name]: tensor(values, float64) }, { strict: false });
    load('0.bias', [1e38, 1e39]);
    expect(refusal(() => toOnnx(model, { input: [1] }), FormatError)).toContain(
      'toOnnx: 0.bias has the value 1e+39, which float32 cannot hold',
    );
    load('0.bias', [0, Infinity]); // float32 has it
    expect(toOnnx(model, { input: [1] }).length).toBeGreaterThan(100);
    load('0.bias', [0, 0]);
    load('1.bias', [1e39, 0]);
    expect(refusal(() => toOnnx(model, { input: [1], fold: true }), FormatError)).toContain(
      '0.bias has the value 1e+39',
    );
    const small = new BatchNorm1d(2, { eps: 1e-300, ...float64 });
    expect(refusal(() => toOnnx(small, { input: [2] }), FormatError)).toContain(
      'the model, BatchNorm1d(2), has eps 1e-300, which float32 cannot hold',
    );
  });

  it('wrong arguments', () => {
    const model = new Dense(2, 2);
    for (const options of [
      { input: [2], opset: 12 },
      { input: [2], opset: 22 },
      { input: [2], fold: 1 },
      { input: [2], ir: 8 },
      {},
    ]) {
      expect(() => toOnnx(model, options as never)).toThrow(/^toOnnx: .* Hint: /);
    }
    expect(refusal(() => toOnnx(model.stateDict() as never, { input: [2] }), ValueError)).toContain(
      'is not a layer',
    );
  });
});
