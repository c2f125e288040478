import { describe, expect, it } from 'vitest';
import {
  CheckpointError,
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from '../../../src/training/checkpoint/format.ts';
import { refusal } from '../../layers/helpers.ts';

const source = { op: 'read', name: 'it' };

/** A safetensors file with this header and `size` zero bytes of values. */
function bytesOf(header: unknown, size = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const refused = (header: unknown, size = 0) =>
  refusal(() => readSafetensors(source, bytesOf(header, size)), CheckpointError);

const entry = (shape: unknown, data_offsets: unknown, dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets,
});

const all: Safetensors = {
  tensors: {
    odd: { shape: [3], values: new Float32Array([1, -0, NaN]) },
    wide: { shape: [2, 1], values: new Float64Array([Math.PI, 2 ** -1074]) },
    scalar: { shape: [], values: new Float32Array([2 ** -149]) },
    empty: { shape: [0, 5], values: new Float32Array(0) },
    huge: { shape: [2], values: new Float64Array([-Infinity, Number.MAX_VALUE]) },
  },
  metadata: { note: 'with "quotes" and ümläute' },
};

describe('safetensors', () => {
  it('are read back bit for bit', () => {
    expect(readSafetensors(source, writeSafetensors(all))).toEqual(all);
  });

  it('are aligned: each value starts at a multiple of its size', () => {
    const bytes = writeSafetensors(all);
    const length = new DataView(bytes.buffer).getUint32(0, true);
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string,
      { dtype: string; data_offsets: [number, number] }
    >;
    for (const name of Object.keys(all.tensors)) {
      const { dtype, data_offsets } = header[name];
      expect(data_offsets[0] % (dtype === 'F64' ? 8 : 4)).toBe(0);
    }
  });

  it('of the reference implementation are read', () => {
    // safetensors 0.8.0 for Python: serialize({ b: float32 [1, -2, 0.5], a: float64 0.1 }, { k: 'v' })
    const reference =
      'iAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidiJ9LCJhIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMi' +
      'OlswLDhdfSwiYiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzgsMjBdfX0gICAgmpmZmZmZuT8AAIA/' +
      'AAAAwAAAAD8=';
    expect(readSafetensors(source, Buffer.from(reference, 'base64'))).toEqual({
      tensors: {
        a: { shape: [], values: new Float64Array([0.1]) },
        b: { shape: [3], values: new Float32Array([1, -2, 0.5]) },
      },
      metadata: { k: 'v' },
    });
  });

  it('without metadata are read', () => {
    expect(readSafetensors(source, bytesOf({ a: entry([1], [0, 4]) }, 4)).metadata).toEqual({});
  });

  it('are read whatever the order of their values', () => {
    const { tensors } = readSafetensors(
      source,
      bytesOf({ a: entry([1], [4, 8]), none: entry([0], [4, 4]), b: entry([1], [0, 4]) }, 8),
    );
    expect(Object.keys(tensors)).toEqual(['a', 'none', 'b']);
  });
});

describe('readSafetensors refuses', () => {
  it.each([
    ['an empty file', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['an HTML page', new TextEncoder().encode('<!doctype html><title>404</title>')],
    ["PyTorch's pickle format", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0])],
    ['a JSON array as header', bytesOf('[]')],
  ])('%s', (_, bytes) => {
    expect(refusal(() => readSafetensors(source, bytes), CheckpointError)).toMatch(
      /^read: it is not a checkpoint: \d+ bytes that do not begin with a safetensors header\. Hint: give the path/,
    );
  });

  it('a header that is longer than the file', () => {
    const bytes = bytesOf({ a: entry([1], [0, 4]) }).subarray(0, 20);
    expect(refusal(() => readSafetensors(source, bytes), CheckpointError)).toMatch(
      /^read: it is cut short: 20 bytes of at least \d+\. Hint: the copy is incomplete/,
    );
  });

  it('a header that is not JSON or not UTF-8', () => {
    expect(refused('{"a":')).toMatch(/^read: it is damaged: the header is not JSON: /);
    const bytes = bytesOf('{"a":"?"}');
    bytes[14] = 0xff;
    expect(refusal(() => readSafetensors(source, bytes), CheckpointError)).toContain(
      'it is damaged: the header is not UTF-8',
    );
  });

  it('metadata that is not an object of strings', () => {
    expect(refused({ __metadata__: { epoch: 5 } })).toContain('__metadata__ is not an object of strings');
    expect(refused({ __metadata__: 'x' })).toContain('__metadata__ is not an object of strings');
  });

  it.each([
    ['"BF16"', entry([2], [0, 4], 'BF16')],
    ['"I64"', entry([1], [0, 8], 'I64')],
    ['undefined', 7],
  ])('the element type %s', (dtype, value) => {
    expect(refused({ a: value }, 8)).toBe(
      `read: it stores a in an unsupported element type: ${dtype}. Hint: convert it to F32 or F64`,
    );
  });

  it.each([
    ['the shape of a is [-1]', entry([-1], [0, 4])],
    ['the shape of a is [1.5]', entry([1.5], [0, 4])],
    ['the shape of a is "3"', entry('3', [0, 4])],
    ['the offsets of a are [0]', entry([1], [0])],
    ['the offsets of a are [-4,0]', entry([1], [-4, 0])],
    ['a [1] has 8 bytes, F32 needs 4', entry([1], [0, 8])],
    ['a [1] has 4 bytes, F64 needs 8', entry([1], [0, 4], 'F64')],
    ['a [2] has -8 bytes, F32 needs 8', entry([2], [8, 0])],
    ['a [3037000500, 3037000500] has 4 bytes', entry([3037000500, 3037000500], [0, 4])],
  ])('%s', (problem, value) => {
    expect(refused({ a: value }, 8)).toContain(`read: it is damaged: ${problem}`);
  });

  it('values with overlaps or gaps', () => {
    expect(refused({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8)).toContain('b begins at 4, not at 8');
    expect(refused({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12)).toContain(
      'b begins at 8, not at 4',
    );
    expect(refused({ a: entry([1], [4, 8]) }, 8)).toContain('a begins at 4, not at 0');
  });

  it('values beyond the end of the file, and bytes after the last value', () => {
    expect(refused({ a: entry([2], [0, 8]) }, 7)).toContain('it is cut short');
    expect(refused({ a: entry([1], [0, 4]) }, 5)).toContain('1 bytes after the last value');
    expect(refused({}, 1)).toContain('1 bytes after the last value');
  });
});
