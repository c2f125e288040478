/** Law: tensors, layers and states that a program uses for what they are not are refused, with a hint. Nothing is NaN. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  Adam,
  DataLoader,
  Dense,
  evaluate,
  fit,
  GammaBetaError,
  Layer,
  OptimizerStateError,
  predict,
  ReLU,
  Sequential,
  SGD,
  summary,
  type Tensor,
  tensor,
  trainStep,
  useDevice,
} from '../../src/index.ts';

beforeEach(() => useDevice('cpu'));

describe('a tensor in the place of a number is refused in', () => {
  const t: unknown = tensor([3]);
  const uses: Record<string, () => unknown> = {
    '+t': () => Number(t),
    '2 * t': () => 2 * (t as number),
    't - 1': () => (t as number) - 1,
    't > 0': () => (t as number) > 0,
    'Math.max(t, 0)': () => Math.max(t as number, 0),
    'Math.sqrt(t)': () => Math.sqrt(t as number),
    'isNaN(t)': () => isNaN(t as number),
    'Float32Array.of(t)': () => Float32Array.of(t as number),
  };
  it.each(Object.entries(uses))('%s', (_, use) => {
    expect(use).toThrow(/a tensor was used as a number\. Hint: use t\.item\(\), or t\.mul\(2\)/);
    expect(use).toThrow(GammaBetaError);
  });

  it('and not in text', () => {
    expect(`loss ${t as string}`).toMatch(/^loss Tensor\(\[3\], shape \[1\]/);
    expect('loss ' + (t as string)).toMatch(/^loss Tensor\(\[3\], shape \[1\]/);
  });
});

/** A layer whose `forward` returns what a function makes of its output. */
class Returning extends Layer {
  private readonly dense: Layer;
  private readonly wrap: (y: Tensor) => unknown;
  constructor(wrap: (y: Tensor) => unknown, inner: Layer = new Dense(2, 2)) {
    super();
    this.dense = this.addLayer('dense', inner);
    this.wrap = wrap;
  }
  override forward(x: Tensor): Tensor {
    return this.wrap(this.dense.forward(x)) as Tensor;
  }
}

/** A layer without layers inside. */
class Leaf extends Layer {
  private readonly wrap: (y: Tensor) => unknown;
  constructor(wrap: (y: Tensor) => unknown) {
    super();
    this.wrap = wrap;
  }
  override forward(x: Tensor): Tensor {
    return this.wrap(x) as Tensor;
  }
}

describe('a layer is refused by name if its forward returns something else than a tensor', () => {
  const results: Record<string, (y: Tensor) => unknown> = {
    'an array': (y) => [y],
    'an object': (y) => ({ y }),
    'a promise': (y) => Promise.resolve(y),
    nothing: () => undefined,
    null: () => null,
    'a number': () => 1,
    'a typed array': (y) => y.dataSync(),
  };
  const models: Record<string, (wrap: (y: Tensor) => unknown) => Layer> = {
    alone: (wrap) => new Returning(wrap),
    last: (wrap) => new Sequential(new Dense(2, 2), new Returning(wrap)),
    first: (wrap) => new Sequential(new Returning(wrap), new ReLU()),
    'inside another': (wrap) => new Sequential(new Dense(2, 2), new Sequential(new Leaf(wrap))),
  };
  const data = { x: new Float32Array([1, 2, 3, 4]), shape: [2], labels: new Uint8Array([0, 1]) };
  const optimizer = (model: Layer) => new SGD(model.parameters(), { lr: 0.1 });
  const calls: Record<string, (model: Layer) => unknown> = {
    fit: (model) => fit(model, { train: data, optimizer: optimizer(model), epochs: 1 }),
    'fit with a loss': (model) =>
      fit(model, { train: data, optimizer: optimizer(model), epochs: 1, loss: (y) => y.sum(), metrics: {} }),
    trainStep: (model) => {
      const [batch] = new DataLoader(data, { batchSize: 2 });
      return trainStep(model, batch, { optimizer: optimizer(model) });
    },
    evaluate: (model) => evaluate(model, data),
    predict: (model) => predict(model, data),
    summary: (model) => summary(model, [2]),
  };
  const cases = Object.keys(models).flatMap((model) => Object.keys(calls).map((call) => [call, model]));

  it.each(cases)('by %s, %s', async (call, model) => {
    for (const wrap of Object.values(results)) {
      const attempt = () => Promise.resolve().then(() => calls[call](models[model](wrap)));
      await expect(attempt()).rejects.toThrow(/(?:Returning|Leaf): its forward returned .+\. Hint: /);
      await expect(attempt()).rejects.toThrow(GammaBetaError);
    }
    await calls[call](models[model]((y) => y));
  });
});

it('a state of an optimizer with entries that it does not know is refused', () => {
  const optimizer = new Adam([tensor([1], { requiresGrad: true })]);
  const state = optimizer.stateDict();
  for (const more of [{ step: -1 }, { lr: 0.5 }, { param_groups: [] }]) {
    expect(() => {
      optimizer.loadStateDict({ ...state, ...more });
    }).toThrow(OptimizerStateError);
  }
  optimizer.loadStateDict(state);
});
