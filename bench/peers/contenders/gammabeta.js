/** gammabeta as it is built, by `npm run build`: no transpiler runs here. */
import {
  BatchNorm1d,
  crossEntropy,
  deviceInfo,
  scope,
  SGD,
  tensor,
  useDevice,
} from '../../../dist/src/index.js';
import { loadState, networkOf } from './gammabeta-network.js';
import { experiment } from './gammabeta-experiment.js';
import { serve, versionIn } from './serve.js';
import { grouped, stepTask } from './step.js';

const device = process.env.GAMMABETA_DEVICE;
if (device !== undefined) await useDevice(device); // else the one that a program begins with

const onDevice = ({ shape, data }, options) => tensor(data, { shape, ...options });

/** @returns {Promise<Record<string, { shape: readonly number[], data: Float32Array }>>} */
async function read(tensors) {
  const entries = Object.entries(tensors).map(async ([name, t]) => [
    name,
    { shape: t.shape, data: await t.data() },
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

function step({ layers, lr }, inputs) {
  const { state, x: xs, labels } = grouped(inputs);
  const model = networkOf(layers);
  loadState(model, state);
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
    settle: () => parameters.at(-1).data(), // devices compute in program order, and this is the last
    lossOf: async (loss) => (await loss.data())[0],
    stateOf: () => {
      const values = model.stateDict();
      return read(Object.fromEntries(Object.keys(state).map((name) => [name, values[name]])));
    },
  });
}

function batchnorm({ features, eps, momentum }, inputs) {
  const x = onDevice(inputs.x, { requiresGrad: true });
  const g = onDevice(inputs.g);
  const norm = new BatchNorm1d(features, { eps, momentum });
  loadState(norm, { weight: inputs.gamma, bias: inputs.beta });
  const leaves = [x, norm.gamma, norm.beta];
  const iterate = () => {
    for (const leaf of leaves) leaf.grad = null;
    scope(() => {
      norm.forward(x).backward(g); // y is of no more use, as it would be by itself in PyTorch
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

function describe() {
  const info = deviceInfo();
  return {
    version: versionIn('../../../package.json'),
    backend: `${info.device} (${info.adapter})`,
    threads: 1,
    deviceInfo: info,
  };
}

await serve({ describe, workloads: { step, batchnorm, matmul, experiment } });
