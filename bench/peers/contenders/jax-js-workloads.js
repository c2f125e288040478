/**
 * The workloads in jax-js, on its default device. As its documentation advises, a step is one jitted function of the
 * weights. A call consumes its arguments, except those passed with `.ref`. jax-js computes when a result is awaited, so
 * each step is.
 */
import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad, vjp } from '@jax-js/jax';
import { grouped, isTrained, oneHot, stepTask } from './step.js';

const onDevice = ({ shape, data }) => np.array(data).reshape([...shape]);

const mapped = (object, f) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value)]));
const parted = (object, isWanted) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => isWanted(name)));

/** @returns {Promise<Record<string, { shape: number[], data: Float32Array }>>} Consumes no array. */
async function read(arrays) {
  const entries = Object.entries(arrays).map(async ([name, array]) => [
    name,
    { shape: array.shape, data: await array.ref.data() },
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

/** Returns y and the batch's mean and biased variance. jax-js has no such layer; autodiff computes its gradient. */
function normalized(x, gamma, beta, eps) {
  const mean = np.mean(x.ref, 0);
  const centered = x.sub(mean.ref);
  const variance = np.mean(np.square(centered.ref), 0);
  const sd = np.sqrt(variance.ref.add(eps));
  return { y: centered.div(sd).mul(gamma).add(beta), mean, variance };
}

/** Uses each array of `weights` and `running` once, which consumes it. */
function forward(layers, weights, running, x) {
  const moved = {};
  for (const { type, key, slope, eps, momentum } of layers) {
    if (type === 'dense') x = np.matmul(x, weights[`${key}.weight`]).add(weights[`${key}.bias`]);
    else if (type === 'relu') x = nn.relu(x);
    else if (type === 'leakyRelu') x = nn.leakyRelu(x, slope);
    else {
      const { y, mean, variance } = normalized(x, weights[`${key}.weight`], weights[`${key}.bias`], eps);
      const towards = (old, now) => old.mul(1 - momentum).add(now.mul(momentum));
      moved[`${key}.running_mean`] = towards(running[`${key}.running_mean`], mean);
      moved[`${key}.running_var`] = towards(running[`${key}.running_var`], variance);
      x = y;
    }
  }
  return { logits: x, moved };
}

function step({ layers, lr }, inputs) {
  const { state, x: xs, labels } = grouped(inputs);
  let weights = mapped(parted(state, isTrained), onDevice);
  let running = mapped(
    parted(state, (name) => !isTrained(name)),
    onDevice,
  );
  const batches = Object.keys(xs).map((k) => ({ x: onDevice(xs[k]), y: onDevice(oneHot(labels[k])) }));
  const [rows] = xs[0].shape;

  const lossOf = (weights, running, x, y) => {
    const { logits, moved } = forward(layers, weights, running, x);
    return [
      nn
        .logSoftmax(logits)
        .mul(y)
        .sum()
        .mul(-1 / rows),
      moved,
    ];
  };
  const update = jit((weights, running, x, y) => {
    const [[loss, moved], gradients] = valueAndGrad(lossOf, { hasAux: true })(
      tree.ref(weights),
      running,
      x,
      y,
    );
    return [loss, tree.map((w, g) => w.sub(g.mul(lr)), weights, gradients), moved];
  });
  let loss = null;
  return stepTask(batches, {
    train: async ({ x, y }) => {
      loss?.dispose();
      [loss, weights, running] = update(weights, running, x.ref, y.ref);
      await blockUntilReady([weights, running]);
      return loss;
    },
    settle: () => blockUntilReady(weights),
    lossOf: async (loss) => (await loss.ref.data())[0],
    stateOf: () => read({ ...weights, ...running }),
  });
}

function batchnorm({ eps, momentum }, inputs) {
  const { x, gamma, beta, g } = mapped(inputs, onDevice);
  const [m, features] = inputs.x.shape;
  const correction = m / (m - 1); // for the unbiased running variance of PyTorch, which is the default in gammabeta
  let running = [np.zeros([features]), np.ones([features])];
  const pass = jit((x, gamma, beta, g, [E, Var]) => {
    const f = (x, gamma, beta) => {
      const { y, mean, variance } = normalized(x, gamma, beta, eps);
      return [y, [mean, variance]];
    };
    const [y, pullback, [mean, variance]] = vjp(f, [x, gamma, beta], { hasAux: true });
    const gradients = pullback(g);
    const moved = [
      E.mul(1 - momentum).add(mean.mul(momentum)),
      Var.mul(1 - momentum).add(variance.mul(momentum * correction)),
    ];
    return [y, gradients, moved];
  });
  let last = [];
  const iterate = async () => {
    tree.dispose(last);
    const [y, gradients, moved] = pass(x.ref, gamma.ref, beta.ref, g.ref, running);
    last = [y, gradients];
    running = moved;
    await blockUntilReady([last, running]);
  };
  const verify = async () => {
    await iterate();
    const [dx, dgamma, dbeta] = last[1];
    return { tensors: await read({ dx, dgamma, dbeta }) };
  };
  return { iterate, settle: () => blockUntilReady(last), verify };
}

/** jax-js has no such layer either. */
const layernorm = ({ features, eps }, inputs) => groupnorm({ groups: 1, features, eps }, inputs);

/** Nor this one. */
function groupnorm({ groups, features, eps }, inputs) {
  const { x, gamma, beta, g } = mapped(inputs, onDevice);
  const [m] = x.shape;
  const f = (x, gamma, beta) => {
    const rows = groups === 1 ? x : x.reshape([m, groups, features / groups]);
    const centered = rows.ref.sub(np.mean(rows, -1, { keepdims: true }));
    const variance = np.mean(np.square(centered.ref), -1, { keepdims: true });
    const xhat = centered.div(np.sqrt(variance.add(eps)));
    return xhat.reshape([m, features]).mul(gamma).add(beta);
  };
  const pass = jit((x, gamma, beta, g) => {
    const [y, pullback] = vjp(f, [x, gamma, beta]);
    return [y, pullback(g)];
  });
  let last = [];
  const iterate = async () => {
    tree.dispose(last);
    last = pass(x.ref, gamma.ref, beta.ref, g.ref);
    await blockUntilReady(last);
  };
  const verify = async () => {
    await iterate();
    const [dx, dgamma, dbeta] = last[1];
    return { tensors: await read({ dx, dgamma, dbeta }) };
  };
  return { iterate, settle: () => blockUntilReady(last), verify };
}

function matmul(_workload, inputs) {
  const { a, b } = mapped(inputs, onDevice);
  let c = null;
  const iterate = async () => {
    c?.dispose();
    c = np.matmul(a.ref, b.ref);
    await blockUntilReady(c);
  };
  const verify = async () => {
    await iterate();
    return { tensors: await read({ c }) };
  };
  return { iterate, settle: () => blockUntilReady(c), verify };
}

export const workloads = { step, batchnorm, layernorm, groupnorm, matmul };
