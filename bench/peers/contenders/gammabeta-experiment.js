/** The experiment, as `npm run mnist` runs it: `examples/experiments/mnist-batchnorm.ts`. One request is one epoch. */
import { crossEntropy, DataLoader, fit, manualSeed, SGD } from '../../../dist/src/index.js';
import { loadState, networkOf } from './gammabeta-network.js';
import { grouped } from './step.js';

export function experiment({ layers, lr, batchSize, seed }, inputs) {
  manualSeed(seed); // for the order of the images: the weights are the driver's, of the same seed
  const model = networkOf(layers);
  const { state, x, labels } = grouped(inputs);
  loadState(model, state);
  const part = (name) => ({ x: x[name].data, shape: [784], labels: labels[name].data, divisor: 255 });
  const training = part('training');
  const options = {
    train: new DataLoader(training, {
      batchSize,
      shuffle: true,
      dropLast: training.labels.length % batchSize === 1,
    }),
    validation: part('validation'),
    loss: crossEntropy,
    optimizer: new SGD(model.parameters(), { lr }),
    epochs: 1,
  };
  return {
    // Loader and optimizer go on where they were, so n times one epoch is n epochs.
    epoch: async () => {
      const history = await fit(model, options);
      return Object.fromEntries(Object.entries(history).map(([column, [value]]) => [column, value]));
    },
  };
}
