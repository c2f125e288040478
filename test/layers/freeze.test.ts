import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  DataLoader,
  Dense,
  fit,
  freeze,
  Layer,
  manualSeed,
  randn,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  unfreeze,
} from '../../src/index.ts';

const data = {
  x: Float32Array.from({ length: 40 }, (_, i) => Math.cos(i)),
  shape: [2],
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 2),
};

function network() {
  manualSeed(1);
  const [first, bn, last] = [new Dense(2, 4), new BatchNorm1d(4), new Dense(4, 2)];
  const backbone = new Sequential(first, bn, new ReLU());
  const model = new Sequential(backbone, last);
  return { model, backbone, bn, first, last };
}

const train = (model: Layer, more = {}) =>
  fit(model, {
    train: new DataLoader(data, { batchSize: 5 }),
    optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.1 }),
    epochs: 2,
    ...more,
  });

const stateOf = (layer: Layer) => Object.entries(layer.stateDict()).map(([name, t]) => [name, t.toArray()]);

describe('freeze', () => {
  it('leaves parameters, running statistics and the count of batches as they are in fit', async () => {
    const { model, backbone, last, bn } = network();
    bn.forward(randn([8, 4]));
    freeze(backbone);
    const [before, lastBefore] = [stateOf(backbone), stateOf(last)];
    await train(model);
    expect(stateOf(backbone)).toEqual(before);
    expect(stateOf(last)).not.toEqual(lastBefore);
  });

  it('holds against train() of the model and of the layer', () => {
    const { model, backbone, bn } = network();
    freeze(backbone);
    model.train();
    bn.train();
    expect([backbone.training, bn.training, model.training]).toEqual([false, false, true]);
  });

  it('stops a gradient that has been computed', () => {
    const { model, first } = network();
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    model
      .forward(randn([4, 2]))
      .sum()
      .backward();
    freeze(first);
    const before = first.weight.toArray();
    optimizer.step();
    expect(first.weight.toArray()).toEqual(before);
  });

  it('is undone by unfreeze, which leaves what was fixed before', async () => {
    const { model, backbone, first, bn } = network();
    first.weight.requiresGrad = false;
    freeze(bn);
    freeze(backbone); // bn a second time
    model.eval();
    unfreeze(backbone);
    expect(first.weight.requiresGrad).toBe(false);
    expect(first.bias?.requiresGrad).toBe(true);
    expect(bn.training).toBe(false); // the mode of model.eval()
    model.train();
    expect(bn.training).toBe(true);
    const before = stateOf(bn);
    await train(model);
    expect(stateOf(bn)).not.toEqual(before);
  });

  it('of the whole model makes fit refuse', async () => {
    const { model } = network();
    freeze(model);
    await expect(train(model)).rejects.toThrow(
      'fit: no parameter of the model requires a gradient. Hint: call unfreeze',
    );
  });

  it('refuses what is not a layer', () => {
    expect(() => freeze([] as unknown as Layer)).toThrow(
      'freeze: the model is not a layer: an Array of 0. Hint: pass a layer',
    );
    expect(() => unfreeze(Dense as unknown as Layer)).toThrow('Hint: make an instance: new Dense(…)');
  });
});

describe('the modes that the user sets', () => {
  it('stay: fit leaves a layer in evaluation mode inside a model in training mode', async () => {
    const { model, bn } = network();
    bn.forward(randn([8, 4]));
    bn.eval();
    await train(model);
    expect(bn.numBatchesTracked).toBe(1);
    expect(bn.training).toBe(false);
  });

  it('model.eval() before fit or in a callback does not change how batches are trained', async () => {
    const alone = network();
    const history = await train(alone.model);
    const { model, bn } = network();
    model.eval();
    const { loss } = await train(model, { onBatch: () => void model.eval().forward(randn([1, 2])) });
    expect(loss).toEqual(history.loss);
    expect(bn.numBatchesTracked).toBe(8);
    expect(model.training).toBe(false);
  });

  it('model.eval() in a callback leaves a layer in evaluation mode that was in it before', async () => {
    const { model, bn } = network();
    bn.forward(randn([8, 4]));
    bn.eval();
    await train(model, { onBatch: () => void model.eval() });
    expect(bn.numBatchesTracked).toBe(1);
  });
});

describe('a layer that holds parts it has not registered', () => {
  class Net extends Layer {
    readonly first = this.addLayer('first', new Dense(2, 2));
    readonly norms: BatchNorm1d[] | Record<string, BatchNorm1d> | BatchNorm1d;
    constructor(norms: BatchNorm1d[] | Record<string, BatchNorm1d> | BatchNorm1d) {
      super();
      this.norms = norms;
    }
    override forward(x: Tensor): Tensor {
      return this.first.forward(x);
    }
  }
  class Scale extends Layer {
    readonly scale = randn([2]);
    last: Tensor | null = null;
    override forward(x: Tensor): Tensor {
      return x.mul(this.scale);
    }
  }
  const uses: Record<string, (net: Layer) => unknown> = {
    forward: (net) => net.forward(randn([3, 2])),
    'forward inside a Sequential': (net) => new Sequential(net).forward(randn([3, 2])),
    parameters: (net) => net.parameters(),
    stateDict: (net) => net.stateDict(),
    loadStateDict: (net) => {
      net.loadStateDict({});
    },
    'eval()': (net) => net.eval(),
  };
  const norm = new BatchNorm1d(2);
  it.each(Object.entries(uses))('says so in %s', (_, use) => {
    for (const norms of [norm, [norm], { a: norm }]) {
      expect(() => use(new Net(norms))).toThrow(
        "Net: its field 'norms' holds a layer that is not registered, so it is neither trained nor saved. Hint: in the " +
          "constructor, wrap it: this.addLayer('norms', …)",
      );
    }
    expect(() => use(new Scale())).toThrow("this.addParameter('scale', …) (or addBuffer, addConstant)");
  });

  it('says so in fit, before the first batch', async () => {
    const model = new Sequential(new Net(norm));
    const optimizer = new SGD([new Dense(1, 1).weight], { lr: 1 });
    await expect(
      fit(model, { train: new DataLoader(data, { batchSize: 5 }), optimizer, epochs: 1 }),
    ).rejects.toThrow('layer 0, Net: its field');
  });

  it('may keep inputs and results from its first forward pass on', () => {
    class Keeps extends Layer {
      last: Tensor | null = null;
      override forward(x: Tensor): Tensor {
        this.last = x;
        return x;
      }
    }
    const layer = new Keeps();
    layer.forward(randn([2]));
    expect(layer.parameters()).toEqual([]);
  });

  it('is found in a class whose parent is a layer of the library', () => {
    class Mine extends Dense {
      readonly extra = new Dense(1, 1);
    }
    expect(() => new Mine(2, 2).forward(randn([3, 2]))).toThrow("its field 'extra' holds a layer");
  });
});
