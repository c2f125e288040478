import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIdx, type IdxArray } from '../../src/data/idx.ts';
import { encodeIdx } from './encode-idx.ts';
import { refusal } from './helpers.ts';

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 });

/** Arrays of every element type and rank, including rank 0 and empty ones. */
const arrays: fc.Arbitrary<IdxArray> = shapes.chain((shape) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  const exactly = { minLength: length, maxLength: length };
  return fc.oneof(
    fc.uint8Array(exactly).map((data): IdxArray => ({ shape, dtype: 'uint8', data })),
    fc.int8Array(exactly).map((data): IdxArray => ({ shape, dtype: 'int8', data })),
    fc.int16Array(exactly).map((data): IdxArray => ({ shape, dtype: 'int16', data })),
    fc.int32Array(exactly).map((data): IdxArray => ({ shape, dtype: 'int32', data })),
    fc.float32Array(exactly).map((data): IdxArray => ({ shape, dtype: 'float32', data })),
    fc.float64Array(exactly).map((data): IdxArray => ({ shape, dtype: 'float64', data })),
  );
});

const header = (code: number, ...extents: number[]) =>
  Uint8Array.from([0, 0, code, extents.length, ...extents.flatMap(bigEndian)]);
const bigEndian = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255);
const text = (s: string) => new TextEncoder().encode(s);
const problem = (bytes: Uint8Array) => refusal(() => parseIdx(bytes)).problem;

describe('parseIdx reads', () => {
  it('what was encoded, for every element type and rank', () => {
    fc.assert(
      fc.property(arrays, (array) => {
        expect(parseIdx(encodeIdx(array))).toEqual(array);
      }),
    );
  });

  it('views with any offset in their buffer', () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 1, max: 9 }), (array, offset) => {
        const file = encodeIdx(array);
        const buffer = new Uint8Array(offset + file.length + 3);
        buffer.set(file, offset);
        expect(parseIdx(buffer.subarray(offset, offset + file.length))).toEqual(array);
      }),
    );
  });

  it('big-endian numbers', () => {
    const file = Uint8Array.from([...header(0x0b, 2), 0x01, 0x02, 0xff, 0xfe]);
    expect(parseIdx(file)).toEqual({ shape: [2], dtype: 'int16', data: new Int16Array([258, -2]) });
  });

  it('one element from a file of rank 0', () => {
    expect(parseIdx(new Uint8Array([0, 0, 8, 0, 7]))).toEqual({
      shape: [],
      dtype: 'uint8',
      data: new Uint8Array([7]),
    });
  });

  it('an empty array, whatever the other extents', () => {
    expect(parseIdx(header(0x0e, 0, 0xffffffff, 0xffffffff, 0xffffffff)).data).toEqual(new Float64Array());
  });

  it('into new memory', () => {
    for (const file of [Uint8Array.from([...header(8, 1), 5]), Buffer.from([...header(8, 1), 5])]) {
      const { data } = parseIdx(file);
      file.fill(0);
      expect(data).toEqual(new Uint8Array([5]));
      expect(data.buffer.byteLength).toBe(1);
    }
  });
});

describe('parseIdx refuses', () => {
  it('every truncation of a file', () => {
    fc.assert(
      fc.property(arrays, (array) => {
        const file = encodeIdx(array);
        for (let length = 0; length < file.length; length++) {
          expect(problem(file.subarray(0, length))).toContain(`found ${length}`);
        }
      }),
    );
  });

  it('a truncated header or truncated data, with the numbers of bytes', () => {
    expect(problem(new Uint8Array([0, 0, 8]))).toBe(
      'the file is truncated in its header: expected 4 bytes, found 3',
    );
    expect(problem(new Uint8Array([0, 0, 8, 2, 0, 0]))).toBe(
      'the file is truncated in its header of rank 2: expected 12 bytes, found 6',
    );
    expect(problem(header(0x0d, 2, 3))).toBe(
      'the file is truncated in its data of shape [2, 3]: expected 36 bytes, found 12',
    );
  });

  it('a file that is too long', () => {
    expect(problem(Uint8Array.from([...header(8, 1), 1, 2]))).toBe(
      'bytes are left over after the data: expected 9 bytes, found 10',
    );
  });

  it('extents whose product is absurd, before it allocates memory', () => {
    const most = 0xffffffff;
    expect(problem(header(0x08, most, most))).toBe(
      'the shape is absurd: [4294967295, 4294967295] of 1 bytes each is more than 2⁵³ bytes',
    );
    expect(problem(header(0x08, ...new Array<number>(255).fill(most)))).toContain('the shape is absurd');
    expect(problem(header(0x0e, most, 2 ** 18))).toContain('expected 9007199252643852 bytes, found 12');
  });

  it('an unknown element type', () => {
    expect(problem(header(0x0a, 1))).toBe('unknown element type: 0x0a');
  });

  it('files that do not begin with two zeros, and shows their first bytes', () => {
    expect(problem(text('PNG'))).toBe('this is not an IDX file: it begins with 50 4e');
    expect(problem(new Uint8Array([0, 5, 8, 1]))).toBe('this is not an IDX file: it begins with 00 05');
  });

  it.each(['<!doctype html>', '<html>', ' \r\n\t<HTML lang="en">', '\ufeff<!DOCTYPE html>'])(
    'the HTML page %j',
    (page) => {
      expect(problem(text(page))).toBe(
        'this is an HTML page, not an IDX file: the server sent an error page',
      );
    },
  );

  it('compressed bytes, and says how to decompress them', () => {
    const error = refusal(() => parseIdx(gzipSync(header(8, 0))));
    expect(error.problem).toContain('still compressed');
    expect(error.hint).toContain('gunzipSync');
  });

  it('or reads any bytes: it throws no other error', () => {
    const starts = fc.constantFrom([], [0, 0], [0, 0, 8], [0, 0, 13, 1]);
    fc.assert(
      fc.property(starts, fc.array(fc.nat(255)), (start, rest) => {
        const file = Uint8Array.from([...start, ...rest]);
        try {
          expect(encodeIdx(parseIdx(file))).toHaveLength(file.length);
        } catch (error) {
          expect(error).toHaveProperty('op', 'parseIdx');
        }
      }),
    );
  });
});
