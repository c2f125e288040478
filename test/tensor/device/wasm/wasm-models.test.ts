/** Tests with random models: training on wasm matches the cpu, and tensors that user layers keep stay unchanged. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  Adam,
  BatchNorm1d,
  crossEntropy,
  Dense,
  Dropout,
  Flatten,
  Layer,
  LeakyReLU,
  manualSeed,
  noGrad,
  randn,
  ReLU,
  scope,
  Sequential,
  SGD,
  Sigmoid,
  Softmax,
  Tanh,
  type Tensor,
  tensor,
  useDevice,
} from '../../../../src/index.ts';
import { values } from '../../../tensors.ts';
import { Held } from './wasm-device.ts';

const BATCH = 6;
const WIDTH = 5;
const labels = [0, 1, 2, 3, 4, 0];

/** The function of a user's layer: it returns y, and perhaps a value on a separate branch of the graph. */
type Look = (x: Tensor) => { readonly y: Tensor; readonly branch?: Tensor };

class Watching extends Layer {
  private readonly held: Held;
  private readonly branches: Tensor[];
  private readonly look: Look;

  constructor(held: Held, branches: Tensor[], look: Look) {
    super();
    this.held = held;
    this.branches = branches;
    this.look = look;
  }

  override forward(x: Tensor): Tensor {
    const { y, branch } = this.look(this.held.hold('seen', x));
    if (branch?.requiresGrad && this.training) this.branches.push(this.held.hold('branch', branch));
    return this.held.hold('made', y);
  }
}

type Make = (held: Held, branches: Tensor[]) => Layer;

const watching =
  (look: Look): Make =>
  (held, branches) =>
    new Watching(held, branches, look);

/** Layers from [6, 5] to [6, 5]. */
const layers: Record<string, Make> = {
  dense: () => new Dense(WIDTH, WIDTH),
  'dense without a bias': () => new Dense(WIDTH, WIDTH, { bias: false }),
  batchnorm: () => new BatchNorm1d(WIDTH),
  'batchnorm without statistics': () => new BatchNorm1d(WIDTH, { trackRunningStats: false, affine: false }),
  relu: () => new ReLU(),
  'leaky relu': () => new LeakyReLU(0.3),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  softmax: () => new Softmax(),
  dropout: () => new Dropout(0.2),
  flatten: () => new Flatten(),
  nested: (held, branches) =>
    new Sequential(
      new Dense(WIDTH, WIDTH),
      new ReLU(),
      layers.watching(held, branches),
      new BatchNorm1d(WIDTH),
    ),
  watching: watching((x) => ({ y: x })),
  'watching a product': watching((x) => ({ y: x.mul(0.9).add(x.reshape(x.shape)) })),
  'a branch': watching((x) => ({ y: x.tanh(), branch: x.mul(x).mean() })),
  'a branch beside a detached output': watching((x) => ({ y: x.detach(), branch: x.pow(2).mean() })),
};

const programs = fc.record({
  names: fc.array(fc.constantFrom(...Object.keys(layers)), { minLength: 1, maxLength: 7, size: 'max' }),
  seed: fc.nat(),
  adam: fc.boolean(),
  scoped: fc.boolean(),
  /**
   * Whether the losses of the branches are added to the model's loss; otherwise each has a backward pass of its own.
   */
  together: fc.boolean(),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

/** Trains three steps, with an evaluation after each. Returns losses, gradients and outputs. */
function train({ names, seed, adam, scoped, together }: Program, held: Held): number[] {
  manualSeed(seed);
  const branches: Tensor[] = [];
  const inside = names.map((name) => layers[name](held, branches));
  const model = new Sequential(new Dense(WIDTH, WIDTH), ...inside, new Dense(WIDTH, WIDTH));
  const optimizer = adam
    ? new Adam(model.parameters())
    : new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const results: number[] = [];
  for (let step = 0; step < 3; step++) {
    const x = held.hold('x', randn([BATCH, WIDTH]));
    const pass = (): Tensor => {
      const loss = crossEntropy(held.hold('logits', model.forward(x)), labels);
      optimizer.zeroGrad();
      const parts = [loss, ...branches.splice(0)];
      const sum = parts.reduce((total, part) => total.add(part));
      if (together || names.includes('a branch')) sum.backward();
      else for (const part of parts) part.backward();
      return held.hold('sum', sum).detach();
    };
    results.push((scoped && inside.length > 0 ? scopedPass(pass, held) : pass()).item());
    for (const w of model.parameters())
      if (w.grad !== null) results.push(...values(held.hold('gradient', w.grad)));
    optimizer.step();
    const y = noGrad(() => model.eval().forward(x));
    results.push(...values(held.hold('y in evaluation', y)));
    model.train();
    held.check();
  }
  return results;
}

/** Runs the pass in a scope, which frees all tensors but the result; so none of them is held. */
function scopedPass(pass: () => Tensor, held: Held): Tensor {
  held.pause();
  try {
    return scope(pass);
  } finally {
    held.resume();
  }
}

it('training matches the cpu, and held tensors stay unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      await useDevice('cpu');
      const expected = train(program, new Held());
      await useDevice('wasm');
      const found = train(program, new Held());
      expect(found).toHaveLength(expected.length);
      // Values are only compared where rounding errors stay small. Adam turns a gradient that is 0 up to rounding
      // into a full step; each batch normalization enlarges the errors of a nearly constant column 300 times.
      const norms = program.names.filter((name) => /batchnorm|nested/.test(name)).length;
      if (program.adam || norms > 1) return;
      const scale = 1 + Math.max(...expected.map(Math.abs));
      found.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(5e-3 * scale));
      expect(tensor(1).device).toBe('wasm');
    }),
    { numRuns: 100 },
  );
});
