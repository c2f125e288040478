import { type Definition, type Kept, op, type Op } from './op.ts';
import type { Tensor } from './tensor.ts';
import { callUser } from './user-code.ts';

/** The gradient of one input, computed when it is called. */
export type Thunk = () => Tensor;

/** What `defineOp` takes. */
export type OpDefinition<A extends readonly unknown[], Y extends Tensor | Kept> = Definition<A, Y, Tensor>;

/**
 * Makes a differentiable function from a forward and a backward pass.
 *
 * For y = f(x₁, x₂, …) and a loss L, `backward` receives g = ∂L/∂y and returns, for each input, ∂L/∂xₖ: the gradient g
 * times the Jacobian ∂y/∂xₖ. An op does not broadcast: expand the inputs first, or compose tensor methods. Check the
 * result with {@link gradcheck}.
 *
 * @throws {GraphError} From `backward()`: a thunk is missing, or returns a gradient of another shape than its input.
 * @throws {DTypeError} From the op: its inputs have different element types.
 * @throws {DeviceError} From the op: its inputs are on different devices.
 * @example
 * ```ts
 * import { defineOp, gradcheck, tensor, type Tensor, useDevice } from 'gammabeta';
 *
 * // softplus(x) = ln(1 + eˣ), whose derivative is the sigmoid
 * const softplus = defineOp({
 *   name: 'softplus',
 *   forward: (x: Tensor) => x.exp().add(1).log(),
 *   backward: (g, y, x) => [() => g.mul(x.sigmoid())],
 * });
 *
 * await useDevice('cpu'); // which has float64
 * const x = tensor([-1, 0, 2], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck(softplus, [x])); // true
 * ```
 */
export function defineOp<A extends readonly unknown[], Y extends Tensor | Kept = Tensor>(
  definition: OpDefinition<A, Y>,
): Op<A> {
  const { name, forward, backward } = definition;
  return op<A, Y, Tensor>({
    name,
    forward: (...args) => callUser(forward, ...args),
    backward: (g, y, ...args) => {
      const thunks = callUser((seen) => backward(seen, y, ...args), g);
      return thunks.map((thunk) => () => callUser(thunk));
    },
  });
}
