/** Hooks: functions that are called with what a layer computes, for example to plot activations and gradients. */
import { defineOp } from '../tensor/define-op.ts';
import { expectFunction } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { expectLayer } from './expect-layer.ts';
import type { Layer } from './layer.ts';

/** The forward pass of a layer, as a hook changes it. */
type Around = (forward: (x: Tensor) => Tensor, x: Tensor) => Tensor;

interface Hooked {
  around: readonly Around[];
  /** The `forward` without hooks. */
  readonly forward: unknown;
  /** Gives the layer its own `forward` back. */
  readonly restore: () => void;
}

/** The layers that have hooks. All others have no entry, and their `forward` is unchanged. */
const hooks = new WeakMap<Layer, Hooked>();

/**
 * Calls `fn(x, y)` after each forward pass of the layer, y = f(x). Several hooks are called in the order in which they
 * were added. A layer with a hook is computed on its own; on `wasm`, layers without hooks may be merged with their
 * neighbours, so results may differ in their last digits.
 *
 * @returns A function that removes the hook.
 * @throws {ValueError} The arguments are not a layer and a function.
 * @example
 * ```ts
 * import { Dense, onForward, ones, ReLU, Sequential } from 'gammabeta';
 *
 * const model = new Sequential(new Dense(2, 3), new ReLU());
 * const remove = onForward(model.layers[1], (x, y) => console.log(x.shape, y.shape));
 * model.forward(ones([4, 2])); // prints [ 4, 3 ] [ 4, 3 ]
 * remove();
 * ```
 */
export function onForward(layer: Layer, fn: (x: Tensor, y: Tensor) => void): () => void {
  expectLayer('onForward', layer, 'the first argument');
  expectFunction('onForward', 'the second argument', fn);
  return addHook(layer, (forward, x) => {
    const y = forward(x);
    fn(x, y);
    return y;
  });
}

/**
 * Calls `fn(dy, dx)` in each backward pass through the layer, with the gradients of its output and its input. dx is null
 * if the input requires no gradient, as at the first layer of a network.
 *
 * @returns A function that removes the hook.
 * @throws {ValueError} The arguments are not a layer and a function.
 * @example
 * ```ts
 * import { onBackward, ReLU, tensor } from 'gammabeta';
 *
 * const relu = new ReLU();
 * const remove = onBackward(relu, (dy, dx) => console.log(dy.toArray(), dx?.toArray()));
 * const x = tensor([-1, 2], { requiresGrad: true });
 * relu.forward(x).sum().backward(); // prints [ 1, 1 ] [ 0, 1 ]
 * remove();
 * ```
 */
export function onBackward(layer: Layer, fn: (dy: Tensor, dx: Tensor | null) => void): () => void {
  expectLayer('onBackward', layer, 'the first argument');
  expectFunction('onBackward', 'the second argument', fn);
  return addHook(layer, (forward, x) => {
    let dy: Tensor | null = null;
    const input = gradientOf(x, (dx) => {
      if (dy !== null) fn(dy, dx);
    });
    return gradientOf(forward(input), (g) => {
      dy = g;
      if (!x.requiresGrad) fn(g, null);
    });
  });
}

/** Returns x, with a node on the tape that calls `fn` with the gradient of x. */
function gradientOf(x: Tensor, fn: (g: Tensor) => void): Tensor {
  const identity = defineOp({
    name: 'onBackward',
    forward: (y: Tensor) => y,
    backward: (g) => {
      fn(g);
      return [() => g];
    },
  });
  return identity(x);
}

/**
 * @internal Whether a layer computes what a class of the library does: it is an instance of the class, or of a subclass that
 * inherits `forward`. Hooks make no difference.
 */
export function computesAs<L extends Layer>(
  layer: Layer,
  kind: (abstract new (...args: never[]) => L) & { readonly prototype: L },
): layer is L {
  if (!(layer instanceof kind)) return false;
  const forward: unknown = hooks.get(layer)?.forward ?? Reflect.get(layer, 'forward');
  return forward === Reflect.get(kind.prototype, 'forward');
}

function addHook(layer: Layer, hook: Around): () => void {
  const hooked = hooks.get(layer) ?? replaceForward(layer);
  hooked.around = [...hooked.around, hook];
  return () => {
    hooked.around = hooked.around.filter((other) => other !== hook);
    if (hooked.around.length > 0 || hooks.get(layer) !== hooked) return;
    hooks.delete(layer);
    hooked.restore();
  };
}

/** Replaces the `forward` of the layer by one that calls the hooks, the first one innermost. */
function replaceForward(layer: Layer): Hooked {
  const own = Object.getOwnPropertyDescriptor(layer, 'forward'); // a field of the user's class
  const forward = layer.forward.bind(layer);
  const hooked: Hooked = {
    around: [],
    forward: own === undefined ? Reflect.get(Object.getPrototypeOf(layer) as object, 'forward') : own.value,
    restore: () => {
      if (own === undefined) Reflect.deleteProperty(layer, 'forward');
      else Object.defineProperty(layer, 'forward', own);
    },
  };
  layer.forward = (x) => hooked.around.reduce((inner, hook) => (y: Tensor) => hook(inner, y), forward)(x);
  hooks.set(layer, hooked);
  return hooked;
}
