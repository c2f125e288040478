/** The workloads in TensorFlow.js, on its current backend. */
import { grouped, isTrained, oneHot, stepTask } from './step.js';

/** @param {any} tf The core of TensorFlow.js, with gradients. */
export function workloadsOf(tf) {
  const onDevice = ({ shape, data }) => tf.tensor(data, shape);

  /** @returns {Promise<Record<string, { shape: number[], data: Float32Array }>>} */
  async function read(tensors) {
    const entries = Object.entries(tensors).map(async ([name, t]) => [
      name,
      { shape: t.shape, data: await t.data() },
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * Batch normalization in training as tfjs-layers computes it: `moments`, then `batchNorm`, with the gradient through
   * both. `correction` m/(m−1) gives PyTorch's unbiased running variance.
   */
  function batchNorm(x, gamma, beta, running, { eps, momentum, correction = 1 }) {
    const { mean, variance } = tf.moments(x, 0);
    const track = (average, now) =>
      tf.tidy(() => average.assign(tf.add(average, tf.mul(tf.sub(now, average), momentum))));
    track(running.mean, mean);
    track(running.variance, correction === 1 ? variance : tf.mul(variance, correction));
    return tf.batchNorm2d(x, mean, variance, beta, gamma, eps);
  }

  function forward(layers, variables, x) {
    for (const { type, key, slope, eps, momentum } of layers) {
      const [weight, bias] = [variables[`${key}.weight`], variables[`${key}.bias`]];
      if (type === 'dense') x = tf.fused.matMul({ a: x, b: weight, bias });
      else if (type === 'relu') x = tf.relu(x);
      else if (type === 'leakyRelu') x = tf.leakyRelu(x, slope);
      else {
        const running = { mean: variables[`${key}.running_mean`], variance: variables[`${key}.running_var`] };
        x = batchNorm(x, weight, bias, running, { eps, momentum });
      }
    }
    return x;
  }

  function step({ layers, lr }, inputs) {
    const { state, x: xs, labels } = grouped(inputs);
    const variables = Object.fromEntries(
      Object.entries(state).map(([name, value]) => [name, tf.variable(onDevice(value), isTrained(name))]),
    );
    const trained = Object.keys(variables).filter(isTrained);
    const parameters = trained.map((name) => variables[name]);
    const batches = Object.keys(xs).map((k) => ({ x: onDevice(xs[k]), y: onDevice(oneHot(labels[k])) }));
    const optimizer = tf.train.sgd(lr);
    let cost = null;
    return stepTask(batches, {
      train: ({ x, y }) => {
        cost?.dispose();
        cost = optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(y, forward(layers, variables, x)),
          true,
          parameters,
        );
        return cost;
      },
      settle: () => parameters.at(-1).data(),
      lossOf: async (loss) => (await loss.data())[0],
      stateOf: () => read(variables),
    });
  }

  function batchnorm({ features, eps, momentum }, inputs) {
    const running = {
      mean: tf.variable(tf.zeros([features]), false),
      variance: tf.variable(tf.ones([features]), false),
    };
    const [m] = inputs.x.shape;
    const constants = { eps, momentum, correction: m / (m - 1) };
    return normalization((x, gamma, beta) => batchNorm(x, gamma, beta, running, constants), inputs);
  }

  /** Layer normalization as tfjs-layers computes it: from `moments` along the last axis. */
  function layernorm({ eps }, inputs) {
    const layerNorm = (x, gamma, beta) => {
      const { mean, variance } = tf.moments(x, 1, true);
      const xhat = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps)));
      return tf.add(tf.mul(xhat, gamma), beta);
    };
    return normalization(layerNorm, inputs);
  }

  /** The same for each group of columns. */
  function groupnorm({ groups, eps }, inputs) {
    const groupNorm = (x, gamma, beta) => {
      const rows = tf.reshape(x, [x.shape[0], groups, -1]);
      const { mean, variance } = tf.moments(rows, 2, true);
      const xhat = tf.mul(tf.sub(rows, mean), tf.rsqrt(tf.add(variance, eps)));
      return tf.add(tf.mul(tf.reshape(xhat, x.shape), gamma), beta);
    };
    return normalization(groupNorm, inputs);
  }

  function normalization(f, inputs) {
    const [x, gamma, beta, g] = [inputs.x, inputs.gamma, inputs.beta, inputs.g].map(onDevice);
    const gradients = tf.grads(f);
    let last = [];
    const iterate = () => {
      tf.dispose(last);
      last = gradients([x, gamma, beta], g);
    };
    const verify = async () => {
      iterate();
      const [dx, dgamma, dbeta] = last;
      return { tensors: await read({ dx, dgamma, dbeta }) };
    };
    return { iterate, settle: () => last[2].data(), verify };
  }

  function matmul(_workload, inputs) {
    const [a, b] = [inputs.a, inputs.b].map(onDevice);
    let c = null;
    const iterate = () => {
      c?.dispose();
      c = tf.matMul(a, b);
    };
    const verify = async () => {
      iterate();
      return { tensors: await read({ c }) };
    };
    const settle = async () => {
      const element = tf.slice(c, [0, 0], [1, 1]);
      await element.data();
      element.dispose();
    };
    return { iterate, settle, verify };
  }

  return { step, batchnorm, layernorm, groupnorm, matmul };
}
