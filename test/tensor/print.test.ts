/** Tensors as text: `String(t)` and `console.log(t)`. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { arange, full, scope, type Tensor, tensor, zeros } from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { describe as describeTensor } from '../../src/tensor/print.ts';
import { onDevices } from '../on-devices.ts';

/** The values in the text: what stands before the shape. */
const valuesOf = (t: Tensor) => String(t).replace(/^Tensor\(([^]*), shape \[.*\)$/, '$1');

onDevices(({ device, dtype }) => {
  describe('the text of a tensor', () => {
    it('has its values, shape, element type, device and whether it requires a gradient', () => {
      expect(String(tensor(1))).toBe(`Tensor(1, shape [], float32, ${device})`);
      expect(String(tensor([[1, 2]], { dtype, requiresGrad: true }))).toBe(
        `Tensor([[1, 2]], shape [1, 2], ${dtype}, ${device}, requiresGrad)`,
      );
    });

    it('is what Node prints', () => {
      const t = tensor([1.5, -2]);
      expect(inspect(t)).toBe(String(t));
      expect(inspect({ t })).toBe(`{ t: ${String(t)} }`);
    });

    it('aligns rows, and separates matrices by an empty line', () => {
      expect(
        valuesOf(
          tensor([
            [
              [1, -20],
              [3, 4],
            ],
            [
              [5, 6],
              [7, 8],
            ],
          ]),
        ),
      ).toBe(
        ['[[[  1, -20],', '         [  3,   4]],', '', '        [[  5,   6],', '         [  7,   8]]]'].join(
          '\n',
        ),
      );
    });

    it('gives four digits after the point, except for integers', () => {
      expect(valuesOf(tensor([1.5, 2, -0.33333]))).toBe('[ 1.5000,  2.0000, -0.3333]');
      expect(valuesOf(tensor([60000, -1, -0]))).toBe('[60000,    -1,    -0]');
      expect(valuesOf(tensor([0, 1e-7]))).toBe('[0.0000e+0, 1.0000e-7]');
      expect(valuesOf(tensor([0.5, 1234567]))).toBe('[5.0000e-1, 1.2346e+6]');
      expect(valuesOf(tensor([NaN, Infinity, 0.5]))).toBe('[     NaN, Infinity,   0.5000]');
      expect(valuesOf(tensor([NaN, -Infinity]))).toBe('[      NaN, -Infinity]');
    });

    it('shows empty tensors', () => {
      expect(valuesOf(zeros([0]))).toBe('[]');
      expect(valuesOf(zeros([2, 0]))).toBe('[[],\n        []]');
      expect(valuesOf(zeros([5000, 0])).split('\n').length).toBe(7);
    });

    it('breaks long rows', () => {
      const lines = valuesOf(arange(30)).split('\n');
      expect(lines.length).toBe(2);
      expect(lines[1]).toBe('        20, 21, 22, 23, 24, 25, 26, 27, 28, 29]');
      for (const line of String(arange(1000).mul(0.1)).split('\n').slice(0, -1)) {
        expect(line.length).toBeLessThan(95);
      }
    });

    it('leaves out the middle of more than 1000 values', () => {
      expect(valuesOf(full([1000], 3))).not.toContain('...');
      expect(valuesOf(full([1001], 3))).toBe('[3, 3, 3, ..., 3, 3, 3]');
      expect(valuesOf(arange(2000).reshape([40, 50]))).toBe(
        [
          '[[   0,    1,    2, ...,   47,   48,   49],',
          '        [  50,   51,   52, ...,   97,   98,   99],',
          '        [ 100,  101,  102, ...,  147,  148,  149],',
          '        ...,',
          '        [1850, 1851, 1852, ..., 1897, 1898, 1899],',
          '        [1900, 1901, 1902, ..., 1947, 1948, 1949],',
          '        [1950, 1951, 1952, ..., 1997, 1998, 1999]]',
        ].join('\n'),
      );
      expect(valuesOf(arange(1500).reshape([500, 3])).split('\n').length).toBe(7);
    });
  });

  it('the short text for error messages has no values', () => {
    expect(describeTensor(tensor([[1, 2]], { requiresGrad: true }))).toBe(
      `Tensor([1, 2], float32, ${device}, requiresGrad)`,
    );
  });
});

describe('the text of a tensor that cannot be read at once', () => {
  it('says how to read it', () => {
    const gpu: Device = { ...cpu, name: 'webgpu', dtypes: ['float32'] };
    expect(String(tensor([1, 2], { device: gpu }))).toBe(
      'Tensor(shape [2], float32, webgpu; await t.data() reads the values)',
    );
  });

  it('says that it was freed', () => {
    let inside = tensor(0);
    scope(() => {
      inside = tensor([1, 2], { device: 'wasm' }).mul(2);
    });
    expect(String(inside)).toMatch(
      /^Tensor\(shape \[2\], float32, wasm; .* in a scope\(\) which has ended\)$/,
    );
  });
});
