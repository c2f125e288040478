/** Layers and tensors that a layer of the user's holds or uses without having registered them. */
import { describe, expect, it, vi } from 'vitest';
import {
  assign,
  BatchNorm1d,
  DataLoader,
  Dense,
  Dropout,
  Embedding,
  fit,
  freeze,
  Layer,
  noGrad,
  ones,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from '../../src/index.ts';
import { refusal } from './helpers.ts';

const x = ones([3, 2]);

/** A layer of the user's: `parts` makes its fields, `forward` is its forward pass. */
class Net<Parts> extends Layer {
  readonly first: Dense;
  parts: Parts;
  readonly #run: (x: Tensor, net: Net<Parts>) => Tensor;

  constructor(
    parts: Parts,
    run: (x: Tensor, net: Net<Parts>) => Tensor = (input, net) => net.first.forward(input),
  ) {
    super();
    this.first = this.addLayer('first', new Dense(2, 2));
    this.parts = parts;
    this.#run = run;
  }

  override forward(input: Tensor): Tensor {
    return this.#run(input, this);
  }
}

describe('a layer in a field is found', () => {
  const dense = () => new Dense(2, 2);
  const fields: Record<string, () => unknown> = {
    'in nested arrays': () => [[new ReLU()], [dense()]],
    'in an object in an array': () => [{ fc: dense() }],
    'in a Map': () => new Map([['a', dense()]]),
    'in a Set': () => new Set([dense()]),
    'in a Map of arrays': () => new Map([['a', [dense()]]]),
  };
  it.each(Object.entries(fields))('%s', (_, make) => {
    for (const use of [
      (net: Layer) => net.forward(x),
      (net: Layer) => net.parameters(),
      (net: Layer) => net.stateDict(),
      (net: Layer) => net.eval(),
    ]) {
      expect(refusal(() => use(new Net(make())), ValueError)).toContain(
        "its field 'parts' holds a layer that is not",
      );
    }
  });

  it('and also if it takes the place of another one later, as when the head of a trained net is replaced', () => {
    const net = new Net<Layer | null>(null);
    net.forward(x);
    net.parts = new Dense(2, 5);
    for (const use of [() => net.parameters(), () => net.stateDict(), () => net.train()]) {
      expect(refusal(use, ValueError)).toContain("its field 'parts' holds a layer that is not registered");
    }
  });

  it('but not if it is registered deeper inside, or registered again', () => {
    class Deep extends Layer {
      readonly block = this.addLayer('block', new Sequential(new Dense(2, 2), new ReLU()));
      readonly all = [...this.block.layers];
      readonly weight = this.block.parameters()[0];
      fc = this.addLayer('fc', new Dense(2, 2));
      replace(): void {
        this.fc = this.addLayer('fc', new Dense(2, 7));
      }
      override forward(input: Tensor): Tensor {
        return this.fc.forward(this.block.forward(input));
      }
    }
    const net = new Deep();
    expect(net.forward(x).shape).toEqual([3, 2]);
    net.replace();
    expect(net.forward(x).shape).toEqual([3, 7]);
    expect(net.parameters().map(({ shape }) => shape)).toEqual([[2, 2], [2], [2, 7], [7]]);
  });
});

describe('a layer that the forward pass uses is found', () => {
  class Hidden extends Layer {
    readonly #fc = new Dense(2, 2);
    override forward(input: Tensor): Tensor {
      return this.#fc.forward(input);
    }
  }
  const outside = new Sequential(new Dense(2, 2), new ReLU());
  const nets: Record<string, () => Layer> = {
    'in a private field': () => new Hidden(),
    'in a variable': () => new Net(null, (input) => outside.forward(input)),
    'made in each forward pass': () => new Net(null, (input) => new Dense(2, 2).forward(input)),
    'in an object of another class': () => {
      class Block {
        readonly fc = new Dense(2, 2);
      }
      return new Net(new Block(), (input, { parts }) => parts.fc.forward(input));
    },
    'inside another layer of the user': () => new Net(null, (input) => new Net(null).forward(input)),
  };
  it.each(Object.entries(nets))('%s', async (_, make) => {
    expect(refusal(() => make().forward(x), ValueError)).toMatch(
      /its forward uses .+, which is not registered, so it is neither trained nor saved/,
    );
    const model = new Sequential(make(), new Dense(2, 2));
    const train = new DataLoader(
      { x: new Float32Array(8), shape: [2], labels: new Uint8Array(4) },
      { batchSize: 2 },
    );
    const optimizer = new SGD(model.layers[1].parameters(), { lr: 1 });
    await expect(fit(model, { train, optimizer, epochs: 1 })).rejects.toThrow('layer 0');
  });

  it('if it has no parameters, but computes something else in evaluation', () => {
    const net = new Net(null, (input) => new Dropout(0.5).forward(input));
    expect(refusal(() => net.forward(x), ValueError)).toContain(
      'its forward uses Dropout(0.5), which is not registered, so eval() passes it by',
    );
  });

  it('at the first pass that is recorded', () => {
    const net = nets['in a variable']();
    noGrad(() => net.forward(x));
    expect(() => net.forward(x)).toThrow(ValueError);
  });

  it('but not a teacher under noGrad, a frozen layer, or one that always computes the same', () => {
    const teacher = new Dense(2, 2);
    const frozen = freeze(new BatchNorm1d(2));
    vi.spyOn(console, 'warn').mockImplementationOnce(() => undefined); // it was not trained
    const net = new Net(null, (input, { first }) => {
      const target = noGrad(() => teacher.forward(input));
      return new ReLU().forward(frozen.forward(first.forward(input))).sub(target);
    });
    expect(net.forward(x).shape).toEqual([3, 2]);
  });

  it('but not one that the model around it has registered, as for shared weights', () => {
    class Decoder extends Layer {
      readonly #words: () => Embedding;
      constructor(words: () => Embedding) {
        super();
        this.#words = words;
      }
      override forward(input: Tensor): Tensor {
        return input.matmul(this.#words().weight.transpose()).add(
          this.#words()
            .forward(zeros([3]))
            .sum(),
        );
      }
    }
    class Language extends Layer {
      readonly words = this.addLayer('words', new Embedding(5, 4));
      readonly decoder = this.addLayer('decoder', new Decoder(() => this.words));
      override forward(input: Tensor): Tensor {
        return this.decoder.forward(this.words.forward(input));
      }
    }
    expect(new Language().forward(zeros([3])).shape).toEqual([3, 5]);
  });
});

describe('a tensor that takes the place of a registered one is found', () => {
  class Counter extends Layer {
    count = this.addBuffer('count', zeros([1]));
    override forward(input: Tensor): Tensor {
      this.count = this.count.add(1);
      return input;
    }
  }
  it('in a layer of the user', () => {
    const counter = new Counter();
    counter.forward(x);
    expect(refusal(() => counter.stateDict(), ValueError)).toBe(
      "Counter: its field 'count' was given another value, which is neither trained nor saved. Hint: write into the " +
        'tensor that it held: assign(target, values); or make a new layer',
    );
  });

  it('in a layer of the library, from JavaScript', () => {
    const model = new Sequential(new Dense(2, 2));
    Reflect.set(model.layers[0], 'weight', ones([2, 2]));
    for (const use of [() => model.parameters(), () => model.stateDict()]) {
      expect(refusal(use, ValueError)).toContain(
        "layer 0, Dense(2 → 2): its field 'weight' was given another value",
      );
    }
    const other = new Sequential(new Dense(2, 2));
    Reflect.set(other, 'layers', [new Dense(2, 3)]);
    expect(refusal(() => other.parameters(), ValueError)).toContain(
      "its field 'layers' was given another value",
    );
  });

  it('and values that are written in place are kept', () => {
    const dense = new Dense(2, 2);
    assign(dense.weight, ones([2, 2]));
    expect(dense.stateDict().weight.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

describe('a name', () => {
  class Named extends Layer {
    readonly parts: readonly (Layer | Tensor)[];
    constructor(
      make: (layer: {
        add: (name: string) => Tensor;
        addLayer: (name: string) => Layer;
      }) => (Layer | Tensor)[],
    ) {
      super();
      this.parts = make({
        add: (name) => this.addParameter(name, ones([1], { requiresGrad: true })),
        addLayer: (name) => this.addLayer(name, new Dense(2, 2)),
      });
    }
    override forward(input: Tensor): Tensor {
      return input;
    }
  }

  it('is given once: otherwise the first layer or tensor would not be trained', () => {
    const layers = new Named(({ addLayer }) => [addLayer('a'), addLayer('a')]);
    const tensors = new Named(({ add }) => [add('a'), add('a')]);
    for (const [net, kind, add] of [
      [layers, 'layer', "addLayer('parts', …)"],
      [tensors, 'tensor', "addParameter('parts', …) (or addBuffer, addConstant)"],
    ] as const) {
      expect(refusal(() => net.parameters(), ValueError)).toBe(
        `Named: its field 'parts' holds a ${kind} that is not registered, so it is neither trained nor saved. Hint: in ` +
          `the constructor, wrap it: this.${add}, with a name of its own`,
      );
    }
  });

  it.each(['', 'a.b'])('is a word without dots: not %j', (name) => {
    for (const make of [
      () => new Named(({ add }) => [add(name)]),
      () => new Named(({ addLayer }) => [addLayer(name)]),
    ]) {
      expect(refusal(make, ValueError)).toContain('the first argument is a word without dots');
    }
  });
});

describe('a parameter', () => {
  class Scaled extends Layer {
    constructor(scale: Tensor) {
      super();
      this.addParameter('scale', scale);
    }
    override forward(input: Tensor): Tensor {
      return input;
    }
  }

  it('can learn: it requires a gradient, and is no result of an op', () => {
    expect(refusal(() => new Scaled(tensor([1])), ValueError)).toContain(
      'the parameter scale requires no gradient',
    );
    const result = tensor([1], { requiresGrad: true }).mul(2);
    expect(refusal(() => new Scaled(result), ValueError)).toContain(
      'the parameter scale is the result of an op',
    );
  });
});

it('a layer in JavaScript without a forward pass says so', () => {
  class Unfinished extends Layer {
    override forward(input: Tensor): Tensor {
      return input;
    }
  }
  Reflect.deleteProperty(Unfinished.prototype, 'forward');
  expect(refusal(() => new Sequential(new Unfinished()).forward(x), ValueError)).toBe(
    'Unfinished: it has no forward. Hint: implement forward(x), which returns a tensor',
  );
});
