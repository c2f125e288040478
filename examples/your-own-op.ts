/**
 * An op of your own: batch normalization with `defineOp`, checked with `gradcheck`.
 *
 * Exercise: delete `dx` below, derive it yourself (`kernels/batchnorm.md` shows how), and run this file until the
 * first row passes. The other two rows drop a term of dx and show which checks fail.
 */
import { defineOp, gradcheck, GradientError, type Tensor, tensor, useDevice } from '../src/index.ts';

await useDevice('cpu'); // the device with float64, which gradcheck needs

const eps = 1e-5;

/** Combines the three terms of dx: g, its mean dbeta/m, and its part along xhat, xhat·dgamma/m. */
type Combine = (g: Tensor, mean: Tensor, alongXhat: Tensor) => Tensor;

const batchNorm = (combine: Combine) =>
  defineOp({
    name: 'batchNorm',
    // y is the result; the backward pass receives all three.
    forward: (x: Tensor, gamma: Tensor, beta: Tensor) => {
      const d = x.sub(x.mean(0));
      const rstd = d.mul(d).mean(0).add(eps).pow(-0.5);
      const xhat = d.mul(rstd);
      return { y: xhat.mul(gamma).add(beta), xhat, rstd };
    },
    // One function for each argument of forward, in the same order; g is ∂loss/∂y.
    backward: (g, { xhat, rstd }, x, gamma) => {
      const m = x.shape[0];
      const dbeta = g.sum(0);
      const dgamma = g.mul(xhat).sum(0);
      const dx = () => gamma.mul(rstd).mul(combine(g, dbeta.div(m), xhat.mul(dgamma.div(m))));
      return [dx, () => dgamma, () => dbeta];
    },
  });

const variants: Record<string, Combine> = {
  'all three terms': (g, mean, alongXhat) => g.sub(mean).sub(alongXhat),
  'without dbeta/m': (g, _, alongXhat) => g.sub(alongXhat),
  'without xhat·dgamma/m': (g, mean) => g.sub(mean),
};

const options = { dtype: 'float64', requiresGrad: true } as const;
const data = [1, 10, 2, 30, 3, 20, 6, 40];
const gamma = tensor([1, 2], options);
const beta = tensor([0, 1], options);
const g = tensor([1, 0, 0, 1, 0, 0, 2, 0], { shape: [4, 2], dtype: 'float64' });

console.log('dx                     gradcheck        Σ dx = 0         Σ dx·xhat ≈ 0');
for (const [name, combine] of Object.entries(variants)) {
  const op = batchNorm(combine);
  const x = tensor(data, { ...options, shape: [4, 2] });
  const y = op(x, gamma, beta);
  y.backward(g);
  const xhat = y.detach().sub(beta.detach()).div(gamma.detach());
  const cells = [check(op, x), isZero(x.grad?.sum(0)), isZero(x.grad?.mul(xhat).sum(0))];
  console.log(`${name.padEnd(23)}${cells.map((cell) => cell.padEnd(17)).join('')}`.trimEnd());
}

// With two examples, xhat is ±1 whatever x is: y hardly depends on x, so dx is almost 0.
const two = tensor(data.slice(0, 4), { ...options, shape: [2, 2] });
batchNorm(variants['all three terms'])(two, gamma, beta).backward(g.slice(0, 2));
console.log('a batch of two: dx =', two.grad?.toArray());

function check(op: (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor, x: Tensor): string {
  try {
    gradcheck(op, [x, gamma, beta]);
    return 'passes';
  } catch (error) {
    if (!(error instanceof GradientError)) throw error;
    return `FAILS: ${/input \d/.exec(error.message)?.[0]}`;
  }
}

/** Up to ε: the largest of the sums, one per column, is below 1e-4. */
function isZero(sums: Tensor | undefined): string {
  const largest = sums?.abs().max().item() ?? NaN;
  return `${largest < 1e-4 ? 'holds' : 'FAILS'}: ${largest.toExponential(1)}`;
}
