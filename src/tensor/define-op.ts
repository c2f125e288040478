import { expectFunction, expectOptions, expectTensor, refused, shown, ValueError } from './errors.ts';
import { op } from './op.ts';
import type { Kept, Op, OpDefinition } from './op-definition.ts';
import type { Tensor } from './tensor.ts';
import { callUser } from './user-code.ts';
import { Value } from './value.ts';

/** Computes the gradient of one input when it is called. */
export type Thunk = () => Tensor;

/**
 * Makes a differentiable function from a forward pass and a backward pass, like PyTorch's `autograd.Function`.
 *
 * For y = f(x₁, x₂, …) and a loss L, `backward` receives g = ∂L/∂y and returns one thunk per input. Thunk k returns
 * ∂L/∂xₖ = g·∂y/∂xₖ, a vector-Jacobian product of the shape of xₖ. It is not called if xₖ requires no gradient. An op
 * does not broadcast: expand the inputs first, or compose tensor methods instead. Check the gradients with {@link
 * gradcheck}.
 *
 * @throws {ValueError} The definition has no name, forward or backward. From the op: no argument is a tensor, or `forward`
 *   returns none. From `backward()`: `backward` returns no array of functions that return tensors.
 * @throws {GraphError} From `backward()`: the number of thunks is not the number of inputs, or a gradient has another
 *   element type or device than its input.
 * @throws {ShapeError} From `backward()`: a gradient has another shape than its input.
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
 * await useDevice('cpu'); // the device that supports float64
 * const x = tensor([-1, 0, 2], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck(softplus, [x])); // true
 * ```
 */
export function defineOp<A extends readonly unknown[], Y extends Tensor | Kept = Tensor>(
  definition: OpDefinition<A, Y>,
): Op<A> {
  expectOptions('defineOp', definition, ['name', 'forward', 'backward']);
  const { name, forward, backward } = definition;
  if (typeof name !== 'string') throw refused('defineOp', 'name', name, 'a string is expected');
  expectFunction('defineOp', 'forward', forward);
  expectFunction('defineOp', 'backward', backward);
  return op<A, Y, Tensor>({
    name,
    forward: (...args) => {
      if (!args.some((arg) => arg instanceof Value)) {
        const hint = 'pass each tensor as an argument of its own: the op gives each of them a gradient';
        throw new ValueError(name, `no tensor among the arguments: ${args.map(shown).join(', ')}`, hint);
      }
      const result = callUser(forward, ...args);
      expectTensor(name, 'the result of forward', ((Object(result) as Partial<Kept>).y ?? result) as Value);
      return result;
    },
    backward: (g, y, ...args) => {
      const thunks = callUser((seen) => backward(seen, y, ...args), g);
      if (!Array.isArray(thunks))
        throw refused(name, 'the result of backward', thunks, 'return an array of functions');
      return thunks.map((thunk: Thunk, k) => {
        expectFunction(name, `thunk ${k} of backward`, thunk);
        return () => expectTensor(name, `the gradient of input ${k}`, callUser(thunk));
      });
    },
  });
}
