/** Invalid values, shapes and options, and their error messages. */
import { describe, expect, it } from 'vitest';
import {
  arange,
  DeviceError,
  DTypeError,
  eye,
  full,
  ones,
  randn,
  ShapeError,
  Tensor,
  tensor,
  type TensorData,
  type TensorOptions,
  uniform,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device, Storage } from '../../src/tensor/device/device.ts';
import { wide } from '../tensors.ts';
import { expectError } from './expect-error.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ device }) => {
  /** Arguments that TypeScript would reject and JavaScript passes through. */
  const data = (value: unknown) => value as TensorData;
  const options = (value: unknown) => value as TensorOptions;
  const shape = (value: unknown) => value as number[];

  describe('tensor refuses', () => {
    it.each<[what: string, nested: TensorData, message: RegExp]>([
      ['a longer row', [[1], [2, 3]], /an array of 2 where an array of 1 was expected/],
      ['a shorter row', [[1, 2], [3]], /an array of 1 where an array of 2 was expected/],
      ['a number among rows', [[1, 2], 3], /the number 3 where an array of 2 was expected/],
      ['a row among numbers', [1, [2]], /an array of 1 where a number was expected/],
      ['a shallower row', [[[1]], [2]], /the number 2 where an array of 1 was expected/],
      ['a row after an empty row', [[], [1]], /an array of 1 where an array of 0 was expected/],
    ])('ragged nesting: %s', (_what, nested, message) => {
      expectError(() => tensor(nested), ShapeError, message);
    });

    it('an array that contains itself', () => {
      const circular: unknown[] = [];
      circular.push(circular, circular);
      expect(() => tensor(data(circular))).toThrow(ShapeError);
    });

    it.each<[unknown]>([['1'], [null], [undefined], [true], [{}], [() => 1], [1n]])(
      'values that are not numbers, alone or nested: %s',
      (value) => {
        expectError(() => tensor(data(value)), ValueError, /^tensor: not a number: /);
        expectError(() => tensor(data([value])), ValueError, /^tensor: not a number: /);
        expectError(
          () =>
            tensor(
              data([
                [1, 2],
                [3, value],
              ]),
            ),
          ValueError,
          /^tensor: not a number: /,
        );
        expectError(() => tensor(data([[1, 2], value])), ValueError, /^tensor: not a number: /);
      },
    );

    it.each([new BigInt64Array(2), new BigUint64Array(2), new DataView(new ArrayBuffer(2))])(
      'typed arrays that hold no numbers: %s',
      (array) => {
        expectError(
          () => tensor(data(array)),
          ValueError,
          /^tensor: not a number: (?:0n\. Hint: convert each value with Number|a DataView\. Hint: pass numbers)/,
        );
      },
    );

    it('more elements than an array can hold', () => {
      expectError(() => zeros([2 ** 16, 2 ** 16]), ShapeError, /^zeros: 4294967296 elements in shape/);
      expectError(() => arange(0, 1, 1e-320), ShapeError, /^arange: not a shape: \[Infinity\]/);
    });

    it('a hole in an array', () => {
      const sparse = [1];
      sparse[2] = 3;
      expectError(() => tensor(sparse), ValueError, /not a number: undefined/);
    });

    it('an array that contains itself', () => {
      const circular: unknown[] = [];
      circular.push(circular, circular);
      expect(() => tensor(data(circular))).toThrow(ShapeError);
    });

    it('a shape of another size', () => {
      expectError(
        () => tensor([1, 2, 3], { shape: [2, 2] }),
        ShapeError,
        /3 values for shape \[2, 2\], which holds 4/,
      );
      expectError(
        () => tensor(new Uint8Array(2), { shape: [] }),
        ShapeError,
        /2 values for shape \[\], which holds 1/,
      );
      expectError(() => tensor([], { shape: [1] }), ShapeError, /0 values for shape \[1\]/);
    });

    it('an unknown option', () => {
      expectError(
        () => tensor(1, options({ dype: 'float64' })),
        ValueError,
        /unknown option: dype\. Hint: known options: shape, dtype/,
      );
    });
  });

  describe('every creation function refuses', () => {
    const makers: Record<string, (s: number[], o?: TensorOptions) => unknown> = {
      zeros,
      ones,
      full: (s, o) => full(s, 1, o),
      randn,
      uniform: (s, o) => uniform(s, 0, 1, o),
      tensor: (s, o = {}) => tensor([1, 2], { ...o, shape: s }),
    };

    it.each(Object.entries(makers))('an invalid shape: %s', (name, make) => {
      const extents: unknown[] = [[-1], [1.5], [NaN], [Infinity], [2 ** 53], ['2'], [[2]], 2, '2', null];
      for (const wrong of extents) {
        expectError(() => make(shape(wrong)), ShapeError, new RegExp(`^${name}: not a shape: `));
      }
    });

    it.each([...Object.entries(makers), ['eye', () => eye(1, options({ grad: true }))] as const])(
      'an unknown option: %s',
      (name, make) => {
        expectError(
          () => make([2], options({ grad: true })),
          ValueError,
          new RegExp(`^${name}: unknown option: grad`),
        );
      },
    );

    it('an unknown element type', () => {
      expectError(
        () => zeros([1], options({ dtype: 'int8' })),
        DTypeError,
        new RegExp(`zeros: the device '${device}' has no int8`),
      );
    });

    it('an element type that the device does not have', () => {
      const home: Device = { ...cpu, name: 'webgl', dtypes: ['float32'] };
      expectError(
        () => ones([1], { dtype: 'float64', device: home }),
        DTypeError,
        /ones: the device 'webgl' has no float64\. Hint: \{ device: 'cpu' \} has float64/,
      );
    });
  });

  it('eye refuses an invalid size', () => {
    for (const n of [-1, 1.5, NaN]) expectError(() => eye(n), ValueError, /^eye: n is /);
  });

  it('arange refuses bounds that are not finite, and a step of 0', () => {
    expectError(() => arange(NaN), ValueError, /arange: stop is NaN/);
    expectError(() => arange(-Infinity, 0), ValueError, /arange: start is -Infinity/);
    expectError(() => arange(0, 1, NaN), ValueError, /arange: step is NaN/);
    expectError(() => arange(0, 1, 0), ValueError, /arange: step is 0/);
    expectError(() => arange(0, 1, 1, options({ stop: 1 })), ValueError, /arange: unknown option: stop/);
  });

  it('uniform refuses bounds that are not finite or are in the wrong order', () => {
    expectError(() => uniform([1], NaN), ValueError, /uniform: low is NaN/);
    expectError(() => uniform([1], 0, Infinity), ValueError, /uniform: high is Infinity/);
    expectError(() => uniform([1], 2, 1), ValueError, /uniform: high is 1\. Hint: a finite number ≥ 2/);
  });

  it('item refuses anything but a single value', () => {
    expectError(() => wide([1, 2]).item(), ShapeError, /item: 2 values in shape \[2\]/);
    expectError(() => wide([]).item(), ShapeError, /item: 0 values in shape \[0\]/);
  });

  it('the device refuses memory of another device', () => {
    class Foreign implements Storage {
      version = 0;
      readonly dtype = 'float32';
      readonly size = 1;
    }
    const { home } = tensor([1]);
    expectError(
      () => home.readSync(new Foreign()),
      DeviceError,
      new RegExp(`${device}: memory of another device`),
    );
    expectError(
      () => tensor([1]).add(Tensor.leaf(new Foreign(), [1], home)),
      DeviceError,
      new RegExp(`${device}: memory of another device`),
    );
  });

  it('tensor still works after all these errors', () => {
    expect(tensor([1]).toArray()).toEqual([1]);
  });
});
