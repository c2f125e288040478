/** Tensors as JSON. */
import { describe, expect, it } from 'vitest';
import {
  Adam,
  Dense,
  DeviceError,
  full,
  ReLU,
  Sequential,
  tensor,
  type TensorJson,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { cpu } from '../../src/tensor/device/cpu.ts';
import type { Device } from '../../src/tensor/device/device.ts';
import { drawn } from './draw.ts';
import { onDevices } from '../on-devices.ts';
import { expectError } from './expect-error.ts';

onDevices(({ dtype }) => {
  describe('JSON of a tensor', () => {
    it('has the shape, the element type and the values in order', () => {
      expect(
        JSON.stringify(
          tensor(
            [
              [1, 2],
              [3, 4.5],
            ],
            { dtype },
          ),
        ),
      ).toBe(`{"shape":[2,2],"dtype":"${dtype}","data":[1,2,3,4.5]}`);
      expect(JSON.stringify({ loss: tensor(5) })).toBe('{"loss":{"shape":[],"dtype":"float32","data":[5]}}');
    });

    it('makes the same tensor again, to the bit', () => {
      for (const x of [drawn([3, 4], 1).mul(1 / 3), tensor(0.1, { dtype }), zeros([0, 3], { dtype })]) {
        const { data, ...options } = JSON.parse(JSON.stringify(x)) as TensorJson;
        expect(tensor(data, options)).toEqual(x);
        expect(tensor(data, options).dtype).toBe(x.dtype);
      }
    });

    it('is that of a state dict', () => {
      const state = new Dense(2, 3).stateDict();
      const { weight, bias } = JSON.parse(JSON.stringify(state)) as Record<string, TensorJson>;
      expect(weight).toEqual({ shape: [2, 3], dtype: 'float32', data: Array.from(state.weight.dataSync()) });
      expect(bias).toEqual(state.bias.toJSON());
    });

    it('of a layer and of an optimizer is that of its state dict', async () => {
      const model = new Sequential(new Dense(2, 3), new ReLU());
      const optimizer = new Adam(model.parameters());
      model
        .forward(zeros([1, 2]))
        .sum()
        .backward();
      optimizer.step();
      for (const part of [model, optimizer]) {
        expect(JSON.stringify(part)).toBe(JSON.stringify(part.stateDict()));
      }
      const state = JSON.parse(JSON.stringify(model)) as Record<string, TensorJson>;
      const again = new Sequential(new Dense(2, 3), new ReLU());
      again.loadStateDict(
        Object.fromEntries(
          Object.entries(state).map(([name, { data, ...options }]) => [name, tensor(data, options)]),
        ),
      );
      expect(await again.parameters()[0].data()).toEqual(await model.parameters()[0].data());
    });

    it('is an error if a value is not finite, since JSON would make it null', () => {
      for (const [value, is] of [
        [NaN, 'NaN'],
        [Infinity, 'Infinity'],
        [-Infinity, '-Infinity'],
      ] as const) {
        const message = new RegExp(`^toJSON: value 2 is ${is}, which JSON cannot represent\\. Hint: `);
        expectError(() => JSON.stringify(tensor([1, 2, value])), ValueError, message);
      }
      expectError(() => JSON.stringify([full([1], NaN)]), ValueError, /value 0 is NaN/);
    });
  });
});

it('JSON is an error if the device cannot read synchronously', () => {
  const gpu: Device = {
    ...cpu,
    name: 'webgpu',
    readSync: () => {
      throw new DeviceError('dataSync', 'webgpu cannot be read at once', 'use await t.data()');
    },
  };
  expectError(() => JSON.stringify(tensor(1, { device: gpu })), DeviceError, /Hint: use await t\.data\(\)/);
});
