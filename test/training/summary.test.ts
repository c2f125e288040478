import { describe, expect, it } from 'vitest';
import {
  BatchNorm1d,
  Dense,
  Dropout,
  Flatten,
  freeze,
  Layer,
  randn,
  ReLU,
  Sequential,
  summary,
  type Tensor,
} from '../../src/index.ts';

const state = (model: Layer) => Object.values(model.stateDict()).map((t) => t.toArray());

describe('summary', () => {
  const network = () =>
    new Sequential(
      new Flatten(),
      new Sequential(new Dense(784, 300, { bias: false }), new BatchNorm1d(300), new ReLU()),
      new Dropout(0.2),
      new Dense(300, 10),
    );

  it('lists layers, output shapes, parameters and totals', () => {
    const model = network();
    freeze(model.layers[1]);
    expect(summary(model, [28, 28])).toBe(
      `
layer                  output    parameters
0  Flatten             [N, 784]           0
1.0  Dense(784 → 300)  [N, 300]     235,200
1.1  BatchNorm1d(300)  [N, 300]         600
1.2  ReLU              [N, 300]           0
2  Dropout(0.2)        [N, 300]           0
3  Dense(300 → 10)     [N, 10]        3,010
parameters                          238,810
of them frozen                      235,800
buffers                                 600`.trim(),
    );
  });

  it('finds the shape of an example from the first layer, or leaves the column out', () => {
    expect(summary(new Dense(3, 2))).toContain('[N, 2]');
    expect(summary(new Sequential(new ReLU(), new Dense(3, 2)))).not.toContain('output');
  });

  it('leaves the model and the layers as they are', () => {
    const model = network();
    model.forward(randn([4, 784]));
    const [before, training] = [state(model), model.modules().map((layer) => layer.training)];
    summary(model, [784]);
    expect(state(model)).toEqual(before);
    expect(model.modules().map((layer) => layer.training)).toEqual(training);
  });

  it('counts shared parameters once in the total, and those of a layer around others', () => {
    class Scaled extends Layer {
      readonly inner = this.addLayer('inner', new Dense(2, 2));
      readonly again = this.addLayer('again', this.inner);
      readonly scale = this.addParameter('scale', randn([2], { requiresGrad: true }));
      override forward(x: Tensor): Tensor {
        return this.inner.forward(x).mul(this.scale);
      }
    }
    const text = summary(new Scaled(), [2]);
    expect(text).toMatch(/of layers around them +2\n/);
    expect(text).toMatch(/parameters +8\n/);
  });

  it('refuses a model that is no layer, and a shape that does not fit', () => {
    expect(() => summary('model' as never)).toThrow('summary: the model is not a layer');
    expect(() => summary(new Dense(3, 2), [4])).toThrow('expected x [batch, 3]: [2, 4]');
    expect(() => summary(new Dense(3, 2), 4 as never)).toThrow('summary: not a shape: 4');
  });
});
