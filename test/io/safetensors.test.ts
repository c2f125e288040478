/** The safetensors format: every rule of https://github.com/huggingface/safetensors#format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeSafetensors,
  Dense,
  type ElementType,
  encodeSafetensors,
  FormatError,
  type Safetensors,
  type SafetensorsInput,
  tensor,
} from '../../src/index.ts';
import { crc32 } from '../../src/io/crc32.ts';
import { fromBF16, fromF16, toBF16, toF16 } from '../../src/io/half.ts';
import { joined, plainSource } from '../../src/io/safetensors.ts';
import { parseStrictly } from '../../src/io/strict-json.ts';
import { refusal } from '../layers/helpers.ts';

/** A safetensors file with this header and `size` zero bytes of values. */
function bytesOf(header: unknown, size = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const refused = (header: unknown, size = 0) =>
  refusal(() => decodeSafetensors(bytesOf(header, size)), FormatError);

const sizes: Readonly<Record<ElementType, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2 },
  ...{ I64: 8, I32: 4, U8: 1, BOOL: 1 },
};

const entry = (shape: unknown, data_offsets: unknown, dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets,
});

const all: Safetensors = {
  tensors: {
    odd: { dtype: 'F32', shape: [3], data: new Float32Array([1, -0, NaN]) },
    wide: { dtype: 'F64', shape: [2, 1], data: new Float64Array([Math.PI, 2 ** -1074]) },
    scalar: { dtype: 'F32', shape: [], data: new Float32Array([2 ** -149]) },
    empty: { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) },
    huge: { dtype: 'F64', shape: [2], data: new Float64Array([-Infinity, Number.MAX_VALUE]) },
    half: { dtype: 'F16', shape: [5], data: new Float32Array([65504, -(2 ** -24), Infinity, NaN, -0]) },
    brain: { dtype: 'BF16', shape: [3], data: new Float32Array([1.5, -(2 ** 127), NaN]) },
    count: { dtype: 'I64', shape: [], data: new BigInt64Array([-(2n ** 63n)]) },
    int: { dtype: 'I32', shape: [2], data: new Int32Array([-1, 2 ** 31 - 1]) },
    bytes: { dtype: 'U8', shape: [3], data: new Uint8Array([0, 128, 255]) },
    flags: { dtype: 'BOOL', shape: [2], data: new Uint8Array([0, 1]) },
  },
  metadata: { note: 'with "quotes" and ümläute' },
};

describe('safetensors', () => {
  it('are read back bit for bit', () => {
    expect(decodeSafetensors(encodeSafetensors(all.tensors, all.metadata))).toEqual(all);
  });

  it('are aligned: each value starts at a multiple of its size', () => {
    const bytes = encodeSafetensors(all.tensors, all.metadata);
    const length = new DataView(bytes.buffer).getUint32(0, true);
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string,
      { dtype: ElementType; data_offsets: [number, number] }
    >;
    for (const name of Object.keys(all.tensors)) {
      const { dtype, data_offsets } = header[name];
      expect(data_offsets[0] % sizes[dtype]).toBe(0);
    }
  });

  it('of the reference implementation are read', () => {
    // safetensors 0.8.0 for Python: serialize({ b: float32 [1, -2, 0.5], a: float64 0.1 }, { k: 'v' })
    const reference =
      'iAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidiJ9LCJhIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMi' +
      'OlswLDhdfSwiYiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzgsMjBdfX0gICAgmpmZmZmZuT8AAIA/' +
      'AAAAwAAAAD8=';
    expect(decodeSafetensors(Buffer.from(reference, 'base64'))).toEqual({
      tensors: {
        a: { dtype: 'F64', shape: [], data: new Float64Array([0.1]) },
        b: { dtype: 'F32', shape: [3], data: new Float32Array([1, -2, 0.5]) },
      },
      metadata: { k: 'v' },
    });
  });

  it('without metadata are read', () => {
    expect(decodeSafetensors(bytesOf({ a: entry([1], [0, 4]) }, 4)).metadata).toEqual({});
  });

  it('are read whatever the order of their values', () => {
    const { tensors } = decodeSafetensors(
      bytesOf({ a: entry([1], [4, 8]), none: entry([0], [4, 4]), b: entry([1], [0, 4]) }, 8),
    );
    expect(Object.keys(tensors)).toEqual(['a', 'none', 'b']);
  });
});

describe('decodeSafetensors refuses', () => {
  it.each([
    ['an empty file', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['an HTML page', new TextEncoder().encode('<!doctype html><title>404</title>')],
    ["PyTorch's pickle format", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0])],
    ['a JSON array as header', bytesOf('[]')],
  ])('%s', (_, bytes) => {
    expect(refusal(() => decodeSafetensors(bytes), FormatError)).toMatch(
      /^decodeSafetensors: the data is not a safetensors file: \d+ bytes that do not begin with a safetensors header\. Hint: pass the bytes/,
    );
  });

  it('a header that is longer than the file', () => {
    const bytes = bytesOf({ a: entry([1], [0, 4]) }).subarray(0, 20);
    expect(refusal(() => decodeSafetensors(bytes), FormatError)).toMatch(
      /^decodeSafetensors: the data is cut short: 20 bytes of at least \d+\. Hint: the copy is incomplete/,
    );
  });

  it('a header that is not JSON or not UTF-8', () => {
    expect(refused('{"a":')).toMatch(/^decodeSafetensors: the data is damaged: the header is not JSON: /);
    const bytes = bytesOf('{"a":"?"}');
    bytes[14] = 0xff;
    expect(refusal(() => decodeSafetensors(bytes), FormatError)).toContain(
      'the data is damaged: the header is not UTF-8',
    );
  });

  it('metadata that is not an object of strings', () => {
    expect(refused({ __metadata__: { epoch: 5 } })).toContain('__metadata__ is not an object of strings');
    expect(refused({ __metadata__: 'x' })).toContain('__metadata__ is not an object of strings');
  });

  it.each([
    ['"F8_E4M3"', entry([8], [0, 8], 'F8_E4M3')],
    ['"U64"', entry([1], [0, 8], 'U64')],
    ['"f32"', entry([2], [0, 8], 'f32')],
    ['"toString"', entry([2], [0, 8], 'toString')],
  ])('the element type %s', (dtype, value) => {
    expect(refused({ a: value }, 8)).toBe(
      `decodeSafetensors: the data stores a in an unsupported element type: ${dtype}. ` +
        'Hint: convert it to F64, F32, F16, BF16, I64, I32, U8, BOOL',
    );
  });

  it.each([
    ['the entry of a is 7', 7],
    ['the entry of a is null', null],
    ['the entry of a is []', []],
    ['the element type of a is 5', entry([1], [0, 4], 5)],
    ['the element type of a is undefined', { shape: [1], data_offsets: [0, 4] }],
    ['the shape of a is [-1]', entry([-1], [0, 4])],
    ['the shape of a is [1.5]', entry([1.5], [0, 4])],
    ['the shape of a is "3"', entry('3', [0, 4])],
    ['the shape of a is [0]', '{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'],
    ['the offsets of a are [0]', entry([1], [0])],
    ['the offsets of a are [-4,0]', entry([1], [-4, 0])],
    ['a [1] has 8 bytes, F32 needs 4', entry([1], [0, 8])],
    ['a [1] has 4 bytes, F64 needs 8', entry([1], [0, 4], 'F64')],
    ['a [2] has -8 bytes, F32 needs 8', entry([2], [8, 0])],
    ['a [3037000500, 3037000500] has 4 bytes', entry([3037000500, 3037000500], [0, 4])],
  ])('%s', (problem, value) => {
    const header = typeof value === 'string' ? value : { a: value };
    expect(refused(header, 8)).toContain(`decodeSafetensors: the data is damaged: ${problem}`);
  });

  it('values with overlaps or gaps', () => {
    expect(refused({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8)).toContain('b begins at 4, not at 8');
    expect(refused({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12)).toContain(
      'b begins at 8, not at 4',
    );
    expect(refused({ a: entry([1], [4, 8]) }, 8)).toContain('a begins at 4, not at 0');
  });

  it('values beyond the end of the file, and bytes after the last value', () => {
    expect(refused({ a: entry([2], [0, 8]) }, 7)).toContain('the data is cut short');
    expect(refused({ a: entry([1], [0, 4]) }, 5)).toContain('1 bytes after the last value');
    expect(refused({}, 1)).toContain('1 bytes after the last value');
  });

  it('a header that claims more bytes than any file has, at once', () => {
    for (const size of [2n ** 53n, 2n ** 64n - 1n, 100_000_001n]) {
      const bytes = bytesOf('{}');
      new DataView(bytes.buffer).setBigUint64(0, size, true);
      expect(refusal(() => decodeSafetensors(bytes), FormatError)).toContain(
        'is not a safetensors file: 10 bytes',
      );
    }
  });

  it.each([
    ['{"a":{},"b":{},"a":{}}', 'the key "a" is given twice'],
    ['{"a":{"dtype":"F32","shape":[],"dtype":"F64"}}', 'the key "dtype" is given twice'],
    ['{"__metadata__":{"x":"1","\\u0078":"2"}}', 'the key "x" is given twice'],
    ['{"__proto__":{"dtype":"F32"}}', 'a key is __proto__'],
    ['{"__metadata__":{"__proto__":"x"}}', 'a key is __proto__'],
  ])('keys that could be read in two ways: %s', (header, problem) => {
    expect(refused(header)).toContain(`the data is damaged: the header is not JSON: ${problem}`);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });

  it('JSON that is nested 6,000 levels deep, wherever it is', () => {
    const deep = '['.repeat(6000) + ']'.repeat(6000);
    for (const header of [
      `{"a":${deep}}`,
      `{"a":{"dtype":${deep}}}`,
      `{"a":{"dtype":"F32","shape":${deep}}}`,
      `{"a":{"dtype":"F32","shape":[],"data_offsets":${deep}}}`,
      `{"__metadata__":${deep}}`,
      deep.replace('[', '{"a":').replace(/]$/, '}'),
    ]) {
      expect(refused(header)).toContain('the header is not JSON: it is nested more than 128 levels deep');
    }
    expect(refused('{"a":'.repeat(1_000_000))).toContain('it is nested more than 128 levels deep');
  });

  it('names of millions of characters, with a short message', () => {
    const name = 'x'.repeat(1_000_000);
    for (const value of [
      7,
      entry([1], [0, 4], 'F8'),
      entry([-1], [0, 4]),
      entry([1], [0, 8]),
      entry([1], [4, 8]),
    ]) {
      expect(refused({ [name]: value }, 8).length).toBeLessThan(1000);
    }
  });

  it('a BOOL that is neither 0 nor 1', () => {
    const bytes = bytesOf({ a: entry([2], [0, 2], 'BOOL') }, 2);
    bytes[bytes.length - 1] = 2;
    expect(refusal(() => decodeSafetensors(bytes), FormatError)).toContain(
      'a has a BOOL that is 2, not 0 or 1',
    );
  });

  it.each([
    null,
    undefined,
    'model.safetensors',
    [1, 2],
    new Float32Array(4),
    new DataView(new ArrayBuffer(16)),
  ])('%s in place of bytes', (data) => {
    expect(refusal(() => decodeSafetensors(data as never), FormatError)).toMatch(
      /^decodeSafetensors: the data is .*\. Hint: pass the bytes of the file, a Uint8Array$/,
    );
  });
});

describe('decodeSafetensors', () => {
  it('takes an ArrayBuffer, a Buffer, and bytes at an unaligned place of a larger buffer', () => {
    const bytes = encodeSafetensors(all.tensors, all.metadata);
    const larger = new Uint8Array(bytes.length + 13);
    larger.set(bytes, 5);
    const unaligned = larger.subarray(5, 5 + bytes.length);
    for (const given of [bytes.buffer, Buffer.from(bytes), unaligned]) {
      const decoded = decodeSafetensors(given);
      expect(decoded).toEqual(all);
      for (const { data } of Object.values(decoded.tensors)) expect(data.buffer).not.toBe(unaligned.buffer);
    }
  });

  it('reads values that are not aligned in the file', () => {
    const bytes = bytesOf({ b: entry([1], [0, 1], 'U8'), a: entry([2], [1, 17], 'F64') }, 17);
    new DataView(bytes.buffer).setFloat64(bytes.length - 8, Math.E, true);
    expect(decodeSafetensors(bytes).tensors.a.data).toEqual(new Float64Array([0, Math.E]));
  });

  it('reads names that objects inherit, and a file without tensors', () => {
    const names = ['toString', 'constructor', '', 'a b', 'ü\n"'];
    const tensors = Object.fromEntries(names.map((name) => [name, { shape: [], data: new Uint8Array([7]) }]));
    expect(Object.keys(decodeSafetensors(encodeSafetensors(tensors)).tensors)).toEqual(names);
    expect(decodeSafetensors(encodeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
  });
});

describe('encodeSafetensors', () => {
  it('takes tensors and views of larger arrays', () => {
    const row = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
    const { tensors } = decodeSafetensors(
      encodeSafetensors({
        w: tensor([[1, 2]]),
        row: { shape: [2], data: row },
        ...new Dense(1, 1).stateDict(),
      }),
    );
    expect(tensors.w).toEqual({ dtype: 'F32', shape: [1, 2], data: new Float32Array([1, 2]) });
    expect(tensors.row.data).toEqual(new Float32Array([2, 3]));
    expect(tensors.bias.shape).toEqual([1]);
  });

  it('rounds to 16 bits, ties to even', () => {
    const data = new Float32Array([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 2 ** -25, 3 * 2 ** -26]);
    const { tensors } = decodeSafetensors(encodeSafetensors({ a: { dtype: 'F16', shape: [5], data } }));
    expect(tensors.a.data).toEqual(new Float32Array([1, 1 + 2 ** -9, 65504, 0, 2 ** -24]));
  });

  it.each([
    ['__proto__', Object.fromEntries([['__proto__', tensor([1])]]), 'a tensor is named __proto__'],
    ['__metadata__', { __metadata__: tensor([1]) }, 'a tensor is named __metadata__'],
    ['nested arrays', { a: [[1, 2]] }, 'a has dtype undefined and data undefined'],
    ['an array', { a: { shape: [2], data: [1, 2] } }, 'a has dtype undefined and data an Array of 2'],
    ['another typed array', { a: { shape: [1], data: new Uint16Array(1) } }, 'data a Uint16Array of 1'],
    ['another type', { a: { dtype: 'F32', shape: [1], data: new Float64Array(1) } }, "a has dtype 'F32'"],
    ['an unknown type', { a: { dtype: 'F8', shape: [1], data: new Uint8Array(1) } }, "a has dtype 'F8'"],
    ['another size', { a: { shape: [2, 2], data: new Uint8Array(3) } }, 'a has 3 values in shape [2, 2]'],
    ['no shape', { a: { data: new Uint8Array(3) } }, 'a has 3 values in shape undefined'],
    [
      '70,000 as F16',
      { a: { dtype: 'F16', shape: [1], data: new Float32Array([70000]) } },
      'a has the value 70000',
    ],
    [
      '3.4e38 as BF16',
      { a: { dtype: 'BF16', shape: [1], data: new Float32Array([3.4e38]) } },
      'BF16 cannot hold',
    ],
    [
      '2 as BOOL',
      { a: { dtype: 'BOOL', shape: [1], data: new Uint8Array([2]) } },
      'a has the value 2, which BOOL',
    ],
    ['null', null, 'tensors is null'],
    ['an array of tensors', [tensor([1])], 'tensors is an Array of 1'],
  ])('refuses %s', (_, tensors, problem) => {
    expect(refusal(() => encodeSafetensors(tensors as never), FormatError)).toContain(problem);
  });

  it('refuses metadata that is not an object of strings', () => {
    for (const metadata of [{ epoch: 5 }, ['a'], 'text', null]) {
      expect(refusal(() => encodeSafetensors({}, metadata as never), FormatError)).toContain('metadata is');
    }
  });

  it('refuses names and metadata that are not Unicode', () => {
    const problem = 'encodeSafetensors: "a\\ud83d" has half of a surrogate pair. Hint: use whole Unicode';
    for (const [tensors, metadata] of [
      [{ 'a\ud83d': tensor([1]) }, {}],
      [{}, { 'a\ud83d': '' }],
      [{}, { key: 'a\ud83d' }],
    ] as const) {
      expect(refusal(() => encodeSafetensors(tensors, metadata), FormatError)).toContain(problem);
    }
    expect(decodeSafetensors(encodeSafetensors({}, { '😀': 'a😀' })).metadata).toEqual({ '😀': 'a😀' });
  });

  it('says so if the file is larger than an array can be', () => {
    const huge = Object.defineProperty(new Uint8Array(0), 'length', { value: 2 ** 53 });
    expect(refusal(() => joined(plainSource('encode'), [huge]), FormatError)).toMatch(
      /^encode: 9007199254740992 bytes are more than one array can hold\. Hint: save it to a file/,
    );
  });

  it('is the inverse of decodeSafetensors, for any tensors and metadata', () => {
    fc.assert(
      fc.property(
        fc.dictionary(name, anyTensor),
        fc.dictionary(name, fc.string({ unit: 'binary' })),
        (tensors, metadata) => {
          const bytes = encodeSafetensors(tensors, metadata);
          const decoded = decodeSafetensors(bytes);
          expect(Object.keys(decoded.tensors).sort()).toEqual(Object.keys(tensors).sort());
          expect({ ...decoded.metadata }).toEqual({ ...metadata });
          expect(encodeSafetensors(decoded.tensors, decoded.metadata)).toEqual(bytes);
        },
      ),
    );
  });
});

const name = fc.string().filter((text) => !text.startsWith('__'));

/** A tensor of any element type with any values, also NaN of any payload. */
const anyTensor: fc.Arbitrary<SafetensorsInput> = fc
  .tuple(fc.constantFrom(...(Object.keys(sizes) as ElementType[])), fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const n = shape.reduce((product, extent) => product * extent, 1);
    const size = sizes[dtype];
    return fc.uint8Array({ minLength: n * size, maxLength: n * size }).map((bits) => {
      const bytes = dtype === 'BOOL' ? bits.map((bit) => bit & 1) : bits;
      const file = bytesOf({ a: entry(shape, [0, bytes.length], dtype) }, bytes.length);
      file.set(bytes, file.length - bytes.length);
      return decodeSafetensors(file).tensors.a;
    });
  });

describe('16-bit floats', () => {
  it('F16 values are exact, and every word comes back', () => {
    const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = fromF16(words);
    for (let i = 0; i < 65536; i++) {
      const [sign, exponent, fraction] = [i >> 15 ? -1 : 1, (i >> 10) & 31, i & 1023];
      const finite = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      const value = exponent < 31 ? sign * finite : fraction === 0 ? sign * Infinity : NaN;
      if (!Object.is(values[i], value)) expect([i, values[i]]).toEqual([i, value]);
    }
    const back = toF16(values);
    const changed = words.filter((word) => !Number.isNaN(values[word]) && back[word] !== word);
    expect(changed).toEqual(new Uint16Array(0));
  });

  it('BF16 values are the upper half of float32', () => {
    const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = fromBF16(words);
    expect(values[0x3f80]).toBe(1);
    expect(values[0xc000]).toBe(-2);
    const back = toBF16(values);
    const changed = words.filter((word) => !Number.isNaN(values[word]) && back[word] !== word);
    expect(changed).toEqual(new Uint16Array(0));
  });

  it('are the nearest ones, and NaN stays NaN', () => {
    const near = (round: (x: Float32Array) => Float32Array, largest: number) =>
      fc.property(fc.float({ noNaN: true, max: largest, min: -largest }), (x) => {
        const y = round(new Float32Array([x]))[0];
        const [below, above] = [-1, 1].map((step) => {
          const [word] = round === half ? toF16(new Float32Array([y])) : toBF16(new Float32Array([y]));
          return (round === half ? fromF16 : fromBF16)(Uint16Array.of(word + step))[0];
        });
        for (const other of [below, above]) {
          if (Number.isFinite(other)) expect(Math.abs(x - y)).toBeLessThanOrEqual(Math.abs(x - other));
        }
      });
    const half = (x: Float32Array) => fromF16(toF16(x));
    const brain = (x: Float32Array) => fromBF16(toBF16(x));
    fc.assert(near(half, 65504));
    fc.assert(near(brain, Math.fround(3.3e38)));
    expect(half(new Float32Array([NaN]))[0]).toBeNaN();
    expect(brain(new Float32Array([NaN]))[0]).toBeNaN();
  });
});

describe('strict JSON', () => {
  it('ends for every text', () => {
    for (const text of ['{"', '{"a', '{"a\\"', '"', '\\"', '}]', '{"a":1}}', '{,', '']) {
      expect(() => parseStrictly(text), text).toThrow(SyntaxError);
    }
  });

  it('is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseStrictly(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses every object that has a key twice', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (key, a, b) => {
        const [k, x, y] = [key, a, b].map((value) => JSON.stringify(value));
        const text = `[[{"other":${x}  , ${k} : ${x}\n\t,  ${k}${' '.repeat(30)}:${y}}]]`;
        if (key !== 'other') expect(() => parseStrictly(text)).toThrow(/given twice|__proto__/);
      }),
    );
  });
});

describe('the checksum', () => {
  it('is CRC-32', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926); // the check value of its definition
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(crc32(bytes)).toBe(bitByBit(bytes));
      }),
    );
  });
});

/** CRC-32 by its definition: the remainder of a division of polynomials. */
function bitByBit(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}
