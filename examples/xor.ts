/** XOR: trains a small network with batch normalization, then predicts for one example and for several. */
import {
  BatchNorm1d,
  DataLoader,
  Dense,
  fit,
  manualSeed,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  tensor,
} from '../src/index.ts';

manualSeed(1); // seeds the weights and the order of the examples: the same seed gives the same run, bit for bit
const x = new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]);
const xor = { x, shape: [2], labels: new Uint8Array([0, 1, 1, 0]) };
const model = new Sequential(
  new Dense(2, 16, { bias: false }), // BatchNorm1d subtracts the mean, so a bias here would have no effect
  new BatchNorm1d(16),
  new ReLU(),
  new Dense(16, 2),
);
const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
const history = await fit(model, { train: new DataLoader(xor, { batchSize: 4 }), optimizer, epochs: 100 });
console.log(`training accuracy: ${history.accuracy.at(-1)}`);

// In training mode, BatchNorm1d normalizes with the statistics of the batch, which a batch of one does not have.
// In evaluation mode it uses the running statistics, so each prediction depends on its own example only.
model.eval();
const predict = (rows: number[][]) => noGrad(() => model.forward(tensor(rows)));

const one = predict([[1, 0]]);
console.log('1 xor 0 =', one.argmax(1).item(), 'with probabilities', one.softmax(1).toArray());

const several = predict([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
console.log('all four:', several.argmax(1).toArray());
