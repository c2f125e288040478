/** The workloads in gammabeta, on its current device. */
import { grouped, stepTask } from './step.js';

/** @param {any} gammabeta The library's main module. */
export function workloadsOf({
  BatchNorm1d,
  crossEntropy,
  DataLoader,
  Dense,
  fit,
  GroupNorm,
  LayerNorm,
  LeakyReLU,
  manualSeed,
  ReLU,
  scope,
  Sequential,
  SGD,
  tensor,
}) {
  const onDevice = ({ shape, data }, options) => tensor(data, { shape, ...options });

  /** @returns {Promise<Record<string, { shape: readonly number[], data: Float32Array }>>} */
  async function read(tensors) {
    const entries = Object.entries(tensors).map(async ([name, t]) => [
      name,
      { shape: t.shape, data: await t.data() },
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  const makers = {
    dense: ({ inputs, outputs, bias }) => new Dense(inputs, outputs, { bias }),
    leakyRelu: ({ slope }) => new LeakyReLU(slope),
    relu: () => new ReLU(),
    batchNorm: ({ features, eps, momentum, runningVariance }) =>
      new BatchNorm1d(features, { eps, momentum, runningVariance }),
  };

  /** The network that the driver describes, with the driver's state. */
  function networkOf(layers, state) {
    const model = new Sequential(...layers.map((layer) => makers[layer.type](layer)));
    loadState(model, state);
    return model;
  }

  /** Not strict: the driver does not send the number of batches seen, on which no result here depends. */
  function loadState(model, state) {
    const tensors = Object.entries(state).map(([name, value]) => [name, onDevice(value)]);
    model.loadStateDict(Object.fromEntries(tensors), { strict: false });
  }

  function step({ layers, lr }, inputs) {
    const { state, x: xs, labels } = grouped(inputs);
    const model = networkOf(layers, state);
    const parameters = model.parameters();
    const optimizer = new SGD(parameters, { lr });
    const batches = Object.keys(xs).map((k) => ({ x: onDevice(xs[k]), labels: labels[k].data }));
    return stepTask(batches, {
      train: ({ x, labels }) => {
        const loss = crossEntropy(model.forward(x), labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      },
      settle: () => parameters.at(-1).data(), // devices compute in program order, and this is written last
      lossOf: async (loss) => (await loss.data())[0],
      stateOf: () => {
        const values = model.stateDict();
        return read(Object.fromEntries(Object.keys(state).map((name) => [name, values[name]])));
      },
    });
  }

  const batchnorm = ({ features, eps, momentum }, inputs) =>
    normalization(new BatchNorm1d(features, { eps, momentum }), inputs);
  const layernorm = ({ features, eps }, inputs) => normalization(new LayerNorm(features, { eps }), inputs);

  const groupnorm = ({ groups, features, eps }, inputs) =>
    normalization(new GroupNorm(groups, features, { eps }), inputs);

  function normalization(norm, inputs) {
    const x = onDevice(inputs.x, { requiresGrad: true });
    const g = onDevice(inputs.g);
    loadState(norm, { weight: inputs.gamma, bias: inputs.beta });
    const leaves = [x, norm.gamma, norm.beta];
    const iterate = () => {
      for (const leaf of leaves) leaf.grad = null;
      scope(() => {
        norm.forward(x).backward(g); // the scope frees y, as PyTorch frees it once nothing refers to it
      });
    };
    return {
      iterate,
      settle: () => norm.beta.grad.data(),
      verify: async () => {
        iterate();
        const [dx, dgamma, dbeta] = leaves.map((leaf) => leaf.grad);
        return { tensors: await read({ dx, dgamma, dbeta }) };
      },
    };
  }

  function matmul(_workload, inputs) {
    const [a, b] = [onDevice(inputs.a), onDevice(inputs.b)];
    let c;
    const iterate = () => (c = a.matmul(b));
    return {
      iterate,
      settle: () => c.slice(0, 1).data(),
      verify: async () => ({ tensors: await read({ c: iterate() }) }),
    };
  }

  /** The experiment, trained as `npm run mnist` trains it. One request is one epoch. */
  function experiment({ layers, lr, batchSize, seed }, inputs) {
    manualSeed(seed); // orders the images; the weights are the driver's, drawn with the same seed
    const { state, x, labels } = grouped(inputs);
    const model = networkOf(layers, state);
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
      // The loader and the optimizer keep their state, so n calls of one epoch are a run of n epochs.
      epoch: async () => {
        const history = await fit(model, options);
        return Object.fromEntries(Object.entries(history).map(([column, [value]]) => [column, value]));
      },
    };
  }

  return { step, batchnorm, layernorm, groupnorm, matmul, experiment };
}
