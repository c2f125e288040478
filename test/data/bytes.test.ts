import { describe, expect, it } from 'vitest';
import { parseCifar10, parseIdx } from '../../src/index.ts';
import { records } from './cifar10-records.ts';
import { refusal } from './helpers.ts';

const idx = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 10, 20);

describe('the bytes of a file', () => {
  it('may be an ArrayBuffer, as fetch and Blob give them', () => {
    expect(parseIdx(idx.buffer)).toEqual(parseIdx(idx));
    expect(parseCifar10(records([1, 2]).slice().buffer)).toEqual(parseCifar10(records([1, 2])));
  });

  it('are not changed by what is parsed from them', () => {
    const file = idx.slice();
    parseIdx(file.buffer).data.fill(9);
    expect(file).toEqual(idx);
  });

  it.each([
    [new Response(idx), 'Response', /await file\.arrayBuffer\(\)/],
    [new Blob([idx]), 'Blob', /await file\.arrayBuffer\(\)/],
    [Promise.resolve(idx), 'Promise', /await/],
    ['text', 'string', /without an encoding/],
    [Array.from(idx), 'Array', /Uint8Array/],
    [new Float32Array(4), 'Float32Array', /Uint8Array/],
    [new DataView(idx.buffer), 'DataView', /Uint8Array/],
    [undefined, 'undefined', /Uint8Array/],
    [null, 'null', /Uint8Array/],
  ])('are not %s', (file, kind, hint) => {
    for (const parse of [parseIdx, parseCifar10]) {
      const error = refusal(() => parse(file as never));
      expect(error.problem).toContain('the file is not a Uint8Array or an ArrayBuffer');
      expect(error.problem).toContain(kind);
      expect(error.hint).toMatch(hint);
    }
  });
});
