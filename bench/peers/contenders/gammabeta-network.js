/** A network of gammabeta's, from the driver's description of it. */
import { BatchNorm1d, Dense, LeakyReLU, ReLU, Sequential, tensor } from '../../../dist/src/index.js';

const makers = {
  dense: ({ inputs, outputs, bias }) => new Dense(inputs, outputs, { bias }),
  leakyRelu: ({ slope }) => new LeakyReLU(slope),
  relu: () => new ReLU(),
  batchNorm: ({ features, eps, momentum, runningVariance }) =>
    new BatchNorm1d(features, { eps, momentum, runningVariance }),
};

export function networkOf(layers) {
  return new Sequential(...layers.map((layer) => makers[layer.type](layer)));
}

/** Of what the driver does not send, the count of batches, nothing depends. */
export function loadState(model, state) {
  const tensors = Object.entries(state).map(([name, { shape, data }]) => [name, tensor(data, { shape })]);
  model.loadStateDict(Object.fromEntries(tensors), { strict: false });
}
