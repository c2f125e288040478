/** Smooth forms of ReLU. */
import { expectTensor } from '../errors.ts';
import { op } from '../op.ts';
import type { Kept, Op } from '../op-definition.ts';
import type { Tensor } from '../tensor.ts';

/**
 * y = ln(1 + eˣ), element by element: a smooth form of ReLU, whose derivative is the sigmoid. Large x do not overflow.
 * @example
 * ```ts
 * import { softplus, tensor } from 'gammabeta';
 *
 * console.log(softplus(tensor([-1000, 1000])).toArray()); // [ 0, 1000 ]
 * ```
 */
export function softplus(x: Tensor): Tensor {
  return softplusOp(expectTensor('softplus', 'x', x));
}

/**
 * y = max(0, x) + ln(1 + t), t = e^−|x|. With u = 1 + t, rounded, ln(1 + t) = t·ln(u)/(u − 1) keeps the digits of a small
 * t (Kahan; in Goldberg 1991, theorem 4). The quotient is 1 where u = 1: there, TINY makes 1 of 0/0.
 */
const softplusOp: Op<[x: Tensor]> = op<[x: Tensor], Tensor, Tensor>({
  name: 'softplus',
  forward: (x) => {
    const t = x.abs().neg().exp();
    const u = t.add(1);
    const quotient = u.log().add(TINY).div(u.sub(1).add(TINY));
    return x.relu().add(t.mul(quotient));
  },
  backward: (g, _y, x) => [() => g.mul(x.sigmoid())],
});

const TINY = 1e-30;

/**
 * y = x·Φ(x), element by element, in the form of GPT-2: y = x/2·(1 + t), t = tanh(√(2/π)·(x + 0.044715·x³)) (Hendrycks &
 * Gimpel 2016). PyTorch's `gelu` has this form with `approximate='tanh'`; the exact one differs by less than 0.001.
 * @example
 * ```ts
 * import { gelu, tensor } from 'gammabeta';
 *
 * console.log(gelu(tensor([1])).item().toFixed(4)); // 0.8412
 * ```
 */
export function gelu(x: Tensor): Tensor {
  return geluOp(expectTensor('gelu', 'x', x));
}

const [SCALE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715];

/** dx = g·(1 + t + x·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²))/2. */
const geluOp: Op<[x: Tensor]> = op<[x: Tensor], Kept & { readonly y: Tensor; readonly t: Tensor }, Tensor>({
  name: 'gelu',
  forward: (x) => {
    const c = limited(x);
    const t = c.mul(c).mul(CUBIC).add(1).mul(c).mul(SCALE).tanh();
    return { y: x.maximum(-LIMIT).mul(t.add(1)).div(2), t };
  },
  backward: (g, { t }, x) => [
    () => {
      const c = limited(x);
      const inner = c
        .mul(c)
        .mul(3 * CUBIC)
        .add(1)
        .mul(SCALE);
      const slope = c.mul(t.mul(t).neg().add(1)).mul(inner).add(t).add(1);
      return g.mul(slope).div(2);
    },
  ],
});

/** From here on, t is ±1 and y is x or 0, and so are their derivatives; x³ would overflow for large x. */
const LIMIT = 10;

function limited(x: Tensor): Tensor {
  return x.maximum(-LIMIT).neg().maximum(-LIMIT).neg();
}
