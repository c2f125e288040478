/** What a program keeps of a training or an evaluation stays as it was: fit gives back only what nobody has seen. */
import { expect, it } from 'vitest';
import {
  crossEntropy,
  DataLoader,
  type Dataset,
  Dense,
  Dropout,
  evaluate,
  fit,
  Flatten,
  Layer,
  manualSeed,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
} from '../../src/index.ts';
import { Held, wasmDevice } from '../tensor/device/wasm/wasm-device.ts';

await wasmDevice();

const data: Dataset = {
  x: Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)),
  shape: [2, 2],
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 3),
};

/** A layer that keeps what it sees. */
class Keeper extends Layer {
  readonly held: Held;

  constructor(held: Held) {
    super();
    this.held = held;
  }

  override forward(x: Tensor): Tensor {
    return this.held.hold('seen', x);
  }
}

/** Trains and evaluates with a loss and a metric that keep what they are given. */
async function keepAll(held: Held, model: Layer): Promise<void> {
  const loss = (output: Tensor, labels: ArrayLike<number>) =>
    held.hold('loss', crossEntropy(held.hold('output, for the loss', output).reshape([4, -1]), labels));
  const metrics = { kept: (output: Tensor) => held.hold('output, for a metric', output).shape[0] };
  const train = new DataLoader(data, { batchSize: 4 });
  if (model.parameters().length > 0) {
    await fit(model, {
      train,
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      epochs: 3,
      loss,
      metrics,
    });
  }
  await evaluate(model, new DataLoader(data, { batchSize: 4 }), { loss, metrics });
  expect(held.size).toBeGreaterThanOrEqual(15);
  held.check();
}

it.each<[what: string, make: (held: Held) => Layer]>([
  [
    'a model of the library’s layers',
    () => new Sequential(new Flatten(), new Dense(4, 5), new ReLU(), new Dense(5, 3)),
  ],
  ['a layer of its own in front', (held) => new Sequential(new Keeper(held), new Flatten(), new Dense(4, 3))],
  [
    'a layer of its own behind views of x',
    (held) => new Sequential(new Flatten(), new Dropout(0), new Keeper(held), new Dense(4, 3)),
  ],
  [
    'a layer of its own deep inside',
    (held) =>
      new Sequential(new Sequential(new Flatten(), new Sequential(new Keeper(held))), new Dense(4, 3)),
  ],
  ['a model whose output is x', () => new Dropout(0.5).eval()],
  ['a model whose output is a view of x', () => new Flatten()],
])('%s', async (_what, make) => {
  manualSeed(1);
  const held = new Held();
  await keepAll(held, make(held));
});
