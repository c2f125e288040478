/** Checkpoints that are damaged, or hold what cannot be: they are refused, and nothing changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  CheckpointError,
  type CheckpointContents,
  DataLoader,
  decodeCheckpoint,
  decodeSafetensors,
  Dense,
  DeviceLostError,
  encodeCheckpoint,
  encodeSafetensors,
  Layer,
  manualSeed,
  type Optimizer,
  type LearningRate,
  randn,
  restoreCheckpoint,
  RMSprop,
  type SafetensorsInput,
  Sequential,
  SGD,
  type Tensor,
  ValueError,
  zeros,
} from '../../../src/index.ts';
import { refusal } from '../../layers/helpers.ts';

type MakeOptimizer = (params: Tensor[]) => Optimizer<LearningRate>;
const adam: MakeOptimizer = (params) => new Adam(params, { lr: 0.01 });

/** A model and its optimizer after two steps. */
function trained(makeOptimizer: MakeOptimizer = adam, features = 8) {
  manualSeed(1);
  const model = new Sequential(new Dense(3, features), new BatchNorm1d(features));
  const optimizer = makeOptimizer(model.parameters());
  for (let step = 0; step < 2; step++) {
    optimizer.zeroGrad();
    model.forward(randn([4, 3])).pow(2).sum().backward(); // prettier-ignore
    optimizer.step();
  }
  return { model, optimizer };
}

/** The message of a failing restore, after which model and optimizer must be unchanged. */
async function refusedUnchanged(
  bytes: Uint8Array,
  parts: ReturnType<typeof trained>,
  kind: typeof CheckpointError | typeof DeviceLostError = CheckpointError,
): Promise<string> {
  const before = await encodeCheckpoint(parts);
  const message = refusal(() => restoreCheckpoint(bytes, parts), kind);
  expect(await encodeCheckpoint(parts)).toEqual(before);
  return message;
}

/** Where the values begin. */
const dataOf = (bytes: Uint8Array<ArrayBuffer>) => 8 + new DataView(bytes.buffer).getUint32(0, true);

/** The checkpoint with other tensors or metadata, and checksums that fit. */
function changed(
  bytes: Uint8Array,
  change: (
    tensors: Record<string, SafetensorsInput>,
    optimizer: { groups: { options: Record<string, unknown> }[]; numbers: Record<string, unknown>[] },
  ) => void,
): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const optimizer = JSON.parse(metadata.optimizer) as Parameters<typeof change>[1];
  const own = { ...tensors };
  change(own, optimizer);
  return encodeSafetensors(own, { ...metadata, optimizer: JSON.stringify(optimizer) });
}

describe('damage of the values is noticed:', () => {
  it('any single flipped bit', { timeout: 60_000 }, async () => {
    const parts = trained(adam, 200);
    const bytes = await encodeCheckpoint(parts);
    const start = dataOf(bytes);
    fc.assert(
      fc.property(fc.nat(bytes.length - start - 1), fc.nat(7), (at, bit) => {
        bytes[start + at] ^= 1 << bit;
        const message = refusal(() => restoreCheckpoint(bytes, parts), CheckpointError);
        bytes[start + at] ^= 1 << bit;
        expect(message).toMatch(
          /the data is damaged: the checksum of (?:model|optimizer)\.\S+ is \d+, not \d+/,
        );
      }),
      { numRuns: 300, endOnFailure: true },
    );
    restoreCheckpoint(bytes, parts);
  });

  it('any page of zeros', { timeout: 60_000 }, async () => {
    const parts = trained(adam, 200);
    const bytes = await encodeCheckpoint(parts);
    const start = dataOf(bytes);
    const page = 512;
    fc.assert(
      fc.property(fc.nat(bytes.length - start - page), (at) => {
        const damaged = bytes.slice().fill(0, start + at, start + at + page);
        expect(refusal(() => restoreCheckpoint(damaged, parts), CheckpointError)).toContain(
          'the checksum of',
        );
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });

  it('but a file without checksums is read', async () => {
    const parts = trained();
    const { tensors, metadata } = decodeSafetensors(await encodeCheckpoint(parts));
    const { 'gammabeta.crc32': sums, ...others } = metadata;
    expect(Object.keys(JSON.parse(sums) as object).sort()).toEqual(Object.keys(tensors).sort());
    restoreCheckpoint(encodeSafetensors(tensors, others), parts);
    const wrong = encodeSafetensors(tensors, others);
    expect(decodeSafetensors(wrong).metadata['gammabeta.crc32']).toBeUndefined();
  });

  it('and checksums that are none are an error', async () => {
    const parts = trained();
    const bytes = await encodeCheckpoint(parts);
    const text = new TextDecoder('latin1').decode(bytes);
    const at = text.indexOf('"gammabeta.crc32":"') + '"gammabeta.crc32":"'.length;
    const end = text.indexOf('}"', at);
    const broken = bytes.slice();
    broken.fill(0x31, at, end + 1); // the number 1111…
    expect(await refusedUnchanged(broken, parts)).toContain(
      "the metadata's gammabeta.crc32 is not an object",
    );
  });
});

describe('a state that cannot be is named:', () => {
  const optimizers: Record<string, MakeOptimizer> = {
    SGD: (params) => new SGD(params, { lr: 0.05, momentum: 0.9 }),
    Adam: adam,
    amsgrad: (params) => new Adam(params, { lr: 0.01, amsgrad: true }),
    RMSprop: (params) => new RMSprop(params, { lr: 0.01, centered: true, momentum: 0.5 }),
  };

  it.each(Object.entries(optimizers))(
    'a slot that is missing or renamed, of %s',
    async (_, makeOptimizer) => {
      const parts = trained(makeOptimizer);
      const bytes = await encodeCheckpoint(parts);
      const slots = Object.keys(decodeSafetensors(bytes).tensors).flatMap((name) => {
        return /^optimizer\.1\.(.+)$/.exec(name)?.[1] ?? [];
      });
      expect(slots.length).toBeGreaterThan(0);
      for (const slot of slots) {
        const renamed = changed(bytes, (tensors) => {
          tensors['optimizer.1.q'] = tensors[`optimizer.1.${slot}`];
          Reflect.deleteProperty(tensors, `optimizer.1.${slot}`);
        });
        expect(await refusedUnchanged(renamed, parts)).toContain(
          `the state does not fit parameter 1: missing: ${slot}; unexpected: q.`,
        );
        const added = changed(bytes, (tensors) => {
          tensors['optimizer.1.__proto__'] = tensors[`optimizer.1.${slot}`];
        });
        expect(await refusedUnchanged(added, parts)).toContain(
          'the state does not fit parameter 1: unexpected: __proto__.',
        );
      }
    },
  );

  it.each([-1, 1.5, '2', null, undefined])('step %s of Adam', async (step) => {
    const parts = trained();
    const bytes = changed(await encodeCheckpoint(parts), (_, { numbers }) => {
      numbers[2].step = step;
    });
    const message = await refusedUnchanged(bytes, parts);
    expect(message).toMatch(
      typeof step === 'number'
        ? `step of parameter 2 cannot be loaded: the count is ${step}`
        : /optimizer|missing: step/,
    );
  });

  it.each([
    ['lr', null],
    ['lr', -1],
    ['betas', [0.9, null]],
    ['eps', 'small'],
    ['more', 1],
  ])('the option %s: %s', async (name, value) => {
    const parts = trained();
    const bytes = changed(await encodeCheckpoint(parts), (_, { groups }) => {
      groups[0].options[name] = value;
    });
    const message = await refusedUnchanged(bytes, parts);
    expect(message).toMatch(new RegExp(`does not fit the optimizer: Adam: .*\\b${name}\\b`));
  });

  it.each([
    ['model.1.num_batches_tracked', -1, '1.num_batches_tracked cannot be loaded: the count is -1'],
    ['model.1.num_batches_tracked', 0.5, 'the count is 0.5'],
    ['model.1.num_batches_tracked', NaN, 'the count is NaN'],
    ['model.1.running_var', -1e-3, '1.running_var cannot be loaded: it has the value -0.001'],
    ['optimizer.0.v', -1, 'v of parameter 0 cannot be loaded: it has the value -1'],
  ])('%s = %s', async (name, value, problem) => {
    const parts = trained();
    const bytes = changed(await encodeCheckpoint(parts), (tensors) => {
      tensors[name].data.fill(value as never, 0, 1);
    });
    expect(await refusedUnchanged(bytes, parts)).toContain(problem);
  });

  it('NaN and infinite parameters are restored', async () => {
    const parts = trained();
    const bytes = changed(await encodeCheckpoint(parts), (tensors) => {
      (tensors['model.0.bias'].data as Float32Array).set([NaN, -Infinity]);
    });
    restoreCheckpoint(bytes, parts);
    expect(Array.from(parts.model.parameters()[1].dataSync()).slice(0, 2)).toEqual([NaN, -Infinity]);
  });
});

describe('restoreCheckpoint', () => {
  it('changes nothing if the device of the optimizer was lost', async () => {
    const saved = await encodeCheckpoint(trained());
    const parts = trained();
    const last = parts.model.parameters()[3];
    const { home } = last;
    const before = await encodeCheckpoint({ model: parts.model });
    const lost = (): never => {
      throw new DeviceLostError('tensor', 'lost', 'start again');
    };
    last.home = { ...home, upload: lost };
    manualSeed(5);
    expect(refusal(() => restoreCheckpoint(saved, parts), DeviceLostError)).toContain('lost');
    last.home = home;
    manualSeed(1);
    trained(); // sets the generators as they were
    expect(await encodeCheckpoint({ model: parts.model })).toEqual(before);
  });

  it('takes an ArrayBuffer', async () => {
    const parts = trained();
    const bytes = await encodeCheckpoint(parts);
    restoreCheckpoint(bytes.buffer, parts);
    expect(Object.keys(decodeCheckpoint(bytes.buffer).model)).toContain('0.weight');
  });

  it.each([null, undefined, 'latest.safetensors', [1, 2, 3], {}, new Float32Array(8)])(
    'refuses %s in place of bytes',
    (bytes) => {
      for (const read of [
        () => restoreCheckpoint(bytes as never, trained()),
        () => decodeCheckpoint(bytes as never),
      ]) {
        expect(refusal(read, CheckpointError)).toMatch(/: the data is .*Hint: pass the bytes of the file/);
      }
    },
  );

  it('refuses parts that are none, and restores parts with names that objects inherit', async () => {
    const { model, optimizer } = trained();
    const bytes = await encodeCheckpoint({ model, optimizer });
    const wrong = [
      {},
      { model: null },
      { model: Dense },
      { model: model.stateDict() },
      { model, optimizer: null },
      { model, optimizer: model },
      { model, optimizer, loader: [1] },
    ];
    for (const parts of wrong) {
      expect(refusal(() => restoreCheckpoint(bytes, parts as never), ValueError)).toMatch(
        /^restoreCheckpoint: /,
      );
      await expect(encodeCheckpoint(parts as never)).rejects.toThrow(/^encodeCheckpoint: .*Hint: /);
    }
    for (const parts of [null, undefined, 3, 'a', [model]]) {
      expect(refusal(() => restoreCheckpoint(bytes, parts as never), ValueError)).toContain('options');
    }

    const odd = new Odd();
    const saved = await encodeCheckpoint({ model: odd, optimizer: adam(odd.parameters()) });
    const other = new Odd();
    restoreCheckpoint(saved, { model: other, optimizer: adam(other.parameters()) });
    expect(Object.keys(decodeCheckpoint(saved).model)).toEqual(Odd.names);
  });
});

/** A layer whose parameters have the names of properties that every object inherits. */
class Odd extends Layer {
  static readonly names = ['toString', 'constructor', '__proto__'];

  constructor() {
    super();
    for (const name of Odd.names) this.addParameter(name, zeros([1], { requiresGrad: true }));
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

describe('extra', () => {
  const circular: { self?: unknown } = {};
  circular.self = [circular];
  const deep: unknown = JSON.parse('['.repeat(6000) + ']'.repeat(6000));
  const sparse = Array<number>(3).fill(1, 1);
  class Point {
    x = 1;
  }

  it.each([
    ['undefined members', { best: undefined }, 'best is undefined'],
    ['undefined elements', [1, undefined], '1 is undefined'],
    ['NaN', { loss: [NaN] }, '0 is NaN'],
    ['an infinite number', -Infinity, '-Infinity'],
    ['functions', { save: Math.abs }, 'save is the function abs'],
    ['BigInts', { count: 3n }, 'count is 3n'],
    ['symbols', { key: Symbol('s') }, 'key is Symbol(s)'],
    ['members named by symbols', { [Symbol('s')]: 1 }, 'an Object with symbols or hidden members'],
    ['hidden members', Object.defineProperty({}, 'hidden', { value: 1 }), 'an Object with symbols or hidden'],
    ['dates', { at: new Date(0) }, 'at is a Date'],
    ['maps', { m: new Map() }, 'm is a Map'],
    ['sets', new Set([1]), 'a Set'],
    ['typed arrays', { history: new Float32Array(3) }, 'history is a Float32Array of 3'],
    ['instances of classes', { p: new Point() }, 'p is an Object'],
    ['tensors', { w: zeros([2]) }, 'w is a tensor of shape [2]'],
    ['boxed numbers', { n: Object(1) as unknown }, 'n is a Number'],
    ['objects with toJSON', { n: { toJSON: () => 1 } }, 'toJSON is the function toJSON'],
    ['arrays with empty places', { a: sparse }, 'a is an Array with empty places or other members'],
    ['arrays with other members', { a: Object.assign([1], { b: 1 }) }, 'a is an Array with empty places'],
    ['itself', circular, '0 is part of itself'],
    ['6,000 levels', deep, '0 is nested in 500 arrays and objects'],
  ])('may not hold %s', async (_, extra, problem) => {
    const encoding = encodeCheckpoint({ model: new Dense(1, 1), extra } as CheckpointContents);
    await expect(encoding).rejects.toThrow(CheckpointError);
    await expect(encoding).rejects.toThrow(
      `encodeCheckpoint: extra holds a value that JSON cannot represent: ${problem}`,
    );
  });

  it('reads back exactly, whatever JSON can hold', async () => {
    const model = new Dense(1, 1);
    const again = async (extra: unknown) => {
      return decodeCheckpoint(await encodeCheckpoint({ model, extra } as CheckpointContents)).extra;
    };
    const shared = { twice: 1 };
    for (const extra of [-0, [-0], 1e300, 5e-324, 2 ** 53, '\ud800', [shared, shared], Object.create(null)]) {
      expect(await again(extra)).toEqual(extra);
    }
    const named = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":[]}') as unknown;
    expect(Object.keys((await again(named)) as object)).toEqual(['__proto__', 'constructor', 'toString']);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), async (extra) => {
        const expected = JSON.parse(JSON.stringify(extra), (_, value: unknown) => value) as unknown;
        expect(JSON.stringify(await again(extra))).toBe(JSON.stringify(expected));
      }),
    );
  });
});

describe('a header that is nested 6,000 levels deep', () => {
  it('is an error of the library, in the header and in the metadata', async () => {
    const parts = trained();
    const bytes = await encodeCheckpoint(parts);
    const { tensors, metadata } = decodeSafetensors(bytes);
    const deep = '['.repeat(6000) + ']'.repeat(6000);
    for (const key of ['epoch', 'streams', 'optimizer', 'gammabeta']) {
      await refusedUnchanged(encodeSafetensors(tensors, { ...metadata, [key]: deep }), parts);
    }
    const loader = new DataLoader(
      { x: new Float32Array(2), shape: [1], labels: new Uint8Array(2) },
      { batchSize: 1 },
    );
    const withLoader = encodeSafetensors(tensors, { ...metadata, loader: deep });
    expect(refusal(() => restoreCheckpoint(withLoader, { ...parts, loader }), CheckpointError)).toContain(
      'loader',
    );
  });
});
