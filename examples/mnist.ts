/**
 * Handwritten digits: trains the network with batch normalization of `src/networks.ts`, evaluates it on the test
 * images, and predicts one of them.
 *
 * Reads MNIST from the folder MNIST_DIR, or from the cache that `npm run mnist` fills. If there is none, it trains
 * on the built-in synthetic digits.
 */
import {
  DataError,
  DataLoader,
  type Dataset,
  digits,
  evaluate,
  fit,
  manualSeed,
  noGrad,
  SGD,
  take,
  tensor,
} from '../src/index.ts';
import { nets } from '../src/networks.ts';
import { loadMnist } from '../src/node.ts';

const { train, test } = await loadData();

manualSeed(1);
const model = nets.bn(); // 784 → 300 → 100 → 10
await fit(model, {
  train: new DataLoader(train, { batchSize: 64, shuffle: true }),
  optimizer: new SGD(model.parameters(), { lr: 0.05 }),
  epochs: 2,
  onEpoch: ({ epoch, results }) =>
    console.log(`epoch ${epoch}: loss ${results.loss.toFixed(3)}, accuracy ${results.accuracy.toFixed(3)}`),
});

const { accuracy } = await evaluate(model, test);
console.log(`test accuracy: ${accuracy.toFixed(3)}`);

const [first] = new DataLoader(take(test, 1), { batchSize: 1 }); // scales the pixels to 0 … 1, as in training
draw(first.x);
model.eval(); // normalize with the running statistics: a batch of one has no variance
const probabilities = noGrad(() => model.forward(tensor(first.x, { shape: first.shape }))).softmax(1);
const digit = probabilities.argmax(1).item();
const probability = (100 * probabilities.max().item()).toFixed(1);
console.log(`predicted: ${digit} (probability ${probability} %), label: ${first.labels[0]}`);

async function loadData(): Promise<{ train: Dataset; test: Dataset }> {
  try {
    const mnist = await loadMnist();
    console.log('Data: MNIST.');
    return mnist;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    console.log('Data: the built-in digits, not MNIST. Hint: npm run mnist downloads MNIST.');
    return { train: digits({ count: 15_000, seed: 1 }), test: digits({ count: 3000, seed: 2 }) };
  }
}

/** Prints an image of 28×28 pixels; each line shows two rows. */
function draw(pixels: ArrayLike<number>): void {
  for (let row = 0; row < 28; row += 2) {
    const line = Array.from({ length: 28 }, (_, column) => {
      const ink = (pixels[28 * row + column] + pixels[28 * (row + 1) + column]) / 2;
      return ' .:+#'[Math.round(4 * ink)];
    });
    console.log(line.join(''));
  }
}
