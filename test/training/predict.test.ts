import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  DataLoader,
  Dense,
  Dropout,
  Flatten,
  Layer,
  manualSeed,
  ones,
  predict,
  randn,
  Sequential,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { onDevices } from '../on-devices.ts';

onDevices(({ dtype }) => {
  function network() {
    manualSeed(3);
    const model = new Sequential(
      new Flatten(),
      new Dense(4, 3, { dtype }),
      new BatchNorm1d(3, { dtype }),
      new Dropout(0.5),
    );
    model.forward(randn([9, 2, 2], { dtype }));
    return model;
  }
  const x = Float32Array.from({ length: 28 }, (_, i) => Math.sin(i));

  describe('predict', () => {
    it('gives the outputs in evaluation mode, whatever the form of the data and the batch size', async () => {
      const model = network();
      const input = tensor(x, { shape: [7, 2, 2], dtype });
      const expected = model.eval().forward(input).toArray();
      model.train();
      const dataset = { x, shape: [2, 2] };
      const loader = new DataLoader(
        { ...dataset, labels: new Uint8Array(7) },
        { batchSize: 3, shuffle: true, dropLast: true },
      );
      for (const data of [dataset, loader, input, input.toArray() as number[][][]]) {
        for (const options of [{}, { batchSize: 1 }, { batchSize: 4 }]) {
          const y = await predict(model, data, options);
          expect(y.toArray()).toEqual(expected);
          expect([y.dtype, y.requiresGrad]).toEqual([dtype, false]);
        }
      }
      expect(model.training).toBe(true);
      expect(loader.epoch).toBe(0);
    });

    it('scales the values of a dataset as a loader does', async () => {
      const y = await predict(new Dense(1, 1, { init: ones, dtype }), {
        x: new Uint8Array([51, 102]),
        shape: [1],
        divisor: 51,
      });
      expect(y.toArray()).toEqual([[1], [2]]);
    });

    it('takes no rows', async () => {
      expect((await predict(network(), tensor([], { shape: [0, 2, 2], dtype }))).shape).toEqual([0, 3]);
    });

    it('stops at an abort', async () => {
      await expect(predict(network(), { x, shape: [2, 2] }, { signal: AbortSignal.abort() })).rejects.toThrow(
        'abort',
      );
    });

    it('refuses what is no data', async () => {
      await expect(predict(network(), 3 as never)).rejects.toThrow(
        'predict: the data is neither a DataLoader nor a dataset: 3. Hint: pass nested arrays, a tensor [n, …], a dataset',
      );
      await expect(predict(network(), tensor(1))).rejects.toThrow('predict: the data is a single number');
      await expect(predict(network(), [[1, 2]])).rejects.toThrow('expected x [batch, 4]: [1, 2]');
      await expect(predict([] as never, [[1]])).rejects.toThrow('predict: the model is not a layer');
    });
  });
});

describe('a model that returns another number of rows', () => {
  const returning = (forward: (x: Tensor) => Tensor): Layer =>
    new (class extends Layer {
      override forward(x: Tensor): Tensor {
        return forward(x);
      }
    })();

  it('is refused: its outputs are not those of the examples', async () => {
    const rows = [[1, 2], [2, 3], [4, 5]]; // prettier-ignore
    const wrong = [(x: Tensor) => x.sum(), (x: Tensor) => x.max(0), (x: Tensor) => x.slice(0, 1)];
    for (const forward of wrong) {
      await expect(predict(returning(forward), rows)).rejects.toThrow(
        /^predict: the output for a batch of 3 has shape \[.*\]\. Hint: the model has to return one row for each example/,
      );
    }
    expect(
      (
        await predict(
          returning((x) => x.sum(1)),
          rows,
        )
      ).toArray(),
    ).toEqual([3, 5, 9]);
  });
});

describe('evaluate and predict', () => {
  it('take parameters with the names of JavaScript’s own members', async () => {
    class Scale extends Layer {
      readonly scale = this.addParameter('toString', tensor([2, 3], { requiresGrad: true }));
      override forward(x: Tensor): Tensor {
        return x.mul(this.scale);
      }
    }
    expect((await predict(new Scale(), [[1, 1]])).toArray()).toEqual([[2, 3]]);
  });
});
