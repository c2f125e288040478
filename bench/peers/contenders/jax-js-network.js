/** The networks in jax-js: functions of their weights. Each array is consumed by what takes it, except `.ref`. */
import { nn, numpy as np } from '@jax-js/jax';

/** y and the batch's mean and biased variance. jax-js has no such layer; its gradient is taken through all of it. */
export function normalized(x, gamma, beta, eps) {
  const mean = np.mean(x.ref, 0);
  const centered = x.sub(mean.ref);
  const variance = np.mean(np.square(centered.ref), 0);
  const sd = np.sqrt(variance.ref.add(eps));
  return { y: centered.div(sd).mul(gamma).add(beta), mean, variance };
}

/** Takes what it needs from `weights` and `running`, each once. */
export function forward(layers, weights, running, x) {
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
