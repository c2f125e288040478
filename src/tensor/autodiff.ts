/**
 * Reverse-mode differentiation: `loss.backward()` applies the chain rule, from the loss back to the parameters.
 *
 * `examples/first-gradient.ts` computes loss = mean((x·slope + offset − target)²). Every op that ran is a node of the
 * tape (`tape.ts`). It refers to its inputs and has one thunk per input: a function that computes the gradient of that
 * input. `slope` and `offset` are leaves: tensors that no op computed. `backward` has four parts:
 *
 * 1. Sort: list the nodes that the loss depends on, newest first. The last one in the list is the product x·slope.
 * 2. Seed: start with g = ∂loss/∂loss = 1.
 * 3. Walk: at each node, g is the gradient of the loss with respect to the node's result, and the thunks compute the
 *    gradients of the inputs. At x·slope, the thunk of `slope` returns ∂loss/∂slope = xᵀ·g. The thunk of `x` is not
 *    called, because `x` does not require a gradient.
 * 4. Accumulate: gradients that reach one value along several paths are added. The gradient of a leaf is added to its
 *    `grad`.
 *
 * `GradientMap` (`memory.ts`) holds the gradients during the walk. Read it as a `Map`, in which `take` means "get and
 * delete"; in addition, it frees each gradient after its last use.
 */
import { add } from '../../kernels/elementwise.ts';
import { formatShape, sameShape, sizeOf } from '../../kernels/shape.ts';
import { GraphError, ShapeError } from './errors.ts';
import { backwardPass, type GradientMap } from './memory.ts';
import { constant, run } from './op.ts';
import { describe } from './print.ts';
import { type Node, none } from './tape.ts';
import type { Value } from './value.ts';

export { gradientOf, setGradient } from './memory.ts';

/**
 * Adds ∂(Σ seed·y)/∂x to `x.grad`, for every leaf x that y was computed from and that requires a gradient. Frees the
 * graph.
 *
 * An op is always newer than the ops that computed its inputs, so the order of creation is a topological order: when
 * the walk reaches a node, all gradients of its result have arrived. `grad` is written last: if an error is thrown,
 * every `grad` is unchanged.
 *
 * @throws {GraphError} y requires no gradient, is not a single value and has no seed, its graph was freed or changed, or a
 *   gradient has another element type or device than its value.
 * @throws {ShapeError} The seed, or the gradient that a thunk returned, does not have the shape of its value.
 */
export function backward(y: Value, seed?: Value): void {
  const nodes = newestFirst(y);
  backwardPass(nodes, (gradients) => {
    accumulate(gradients, y, seedFor(y, seed));
    for (const node of nodes) {
      const g = gradients.take(node);
      if (g !== undefined) propagate(node, g, gradients);
    }
    for (const x of gradients.leaves()) if (x.accumulated !== null) accumulate(gradients, x, x.accumulated);
  });
  nodes.forEach(forget);
}

/** One step of the chain rule: from g, the gradient of a node's result, to the gradients of its inputs. */
function propagate(node: Node, g: Value, gradients: GradientMap): void {
  const thunks = node.backward?.(g) ?? [];
  if (thunks.length !== node.inputs.length) {
    const hint = 'backward must return one thunk for each tensor among the arguments, in order';
    throw new GraphError(node.op, `${thunks.length} gradients for ${node.inputs.length} inputs`, hint);
  }
  for (let k = 0; k < thunks.length; k++) {
    const x = node.inputs[k];
    if (!x.requiresGrad) continue;
    const dx = thunks[k]();
    expectGradient(node.op, k, dx, x);
    accumulate(gradients, x, dx);
  }
}

/** Adds g to the gradients that have arrived for x, which is a leaf or the result of a node. */
function accumulate(gradients: GradientMap, x: Value, g: Value): void {
  const key = x.node ?? x;
  const sum = gradients.get(key);
  gradients.set(key, sum === undefined ? g : run(add, [sum, g]));
}

/** The seed: the gradient that the walk starts with. For a single value it is 1 by default. */
function seedFor(y: Value, seed: Value | undefined): Value {
  const outOfScope = 'gradients of gradients are not supported';
  if (!y.requiresGrad) {
    const hint = `set requiresGrad: true on a tensor it is computed from, outside noGrad; ${outOfScope}`;
    const problem = `this ${y.dtype} tensor of shape ${formatShape(y.shape)} requires no gradient`;
    throw new GraphError('backward', problem, hint);
  }
  if (seed === undefined) {
    if (sizeOf(y.extents) === 1) return constant(y, [1], y.extents);
    const hint = 'reduce it first, as in y.sum().backward(), or pass its gradient: y.backward(g)';
    throw new GraphError('backward', `not a single value: shape ${formatShape(y.shape)}`, hint);
  }
  if (seed.requiresGrad) {
    throw new GraphError('backward', 'g itself requires a gradient', `${outOfScope}: use g.detach()`);
  }
  expectGradient('backward', 'g', seed, y);
  return seed;
}

/**
 * Checks that a gradient has the shape, the element type and the device of its value. `name` is for the message: a name, or
 * the index of an input. `kind` is the error of a wrong element type or device.
 */
export function expectGradient(
  op: string,
  name: string | number,
  g: Value,
  of: Value,
  kind: typeof ShapeError = GraphError,
): void {
  if (sameShape(g.extents, of.extents) && g.dtype === of.dtype && g.home === of.home) return;
  const hint = 'a gradient must have the shape, the element type and the device of its value';
  const Misfit = sameShape(g.shape, of.shape) ? kind : ShapeError;
  const what = typeof name === 'string' ? name : `the gradient of input ${name}`;
  throw new Misfit(op, `${what} is ${describe(g)}, but its value is ${describe(of)}`, hint);
}

/**
 * The nodes that y depends on, each once, newest first. The search uses an explicit stack, because recursion would
 * overflow the call stack on deep graphs.
 */
function newestFirst(y: Value): Node[] {
  const found: Node[] = [];
  const visit = ++visits;
  const stack = [y];
  for (let x = stack.pop(); x !== undefined; x = stack.pop()) {
    const { node } = x;
    if (node === null || node.visit === visit) continue;
    expectUsable(node);
    node.visit = visit;
    found.push(node);
    stack.push(...node.inputs);
  }
  const isSorted = found.every((node, k) => k === 0 || node.id < found[k - 1].id); // as in a chain of ops
  return isSorted ? found : found.sort((a, b) => b.id - a.id);
}

let visits = 0;

/** Checks that the graph was not freed, and that no input was changed in place after the op used it. */
function expectUsable(node: Node): void {
  if (node.backward === null) {
    const problem = `the graph through '${node.op}' was freed by an earlier backward()`;
    const hint = 'compute the value again, or add the losses and call backward() once';
    throw new GraphError('backward', problem, hint);
  }
  const changed = node.inputs.findIndex((input, k) => input.storage.version !== node.versions[k]);
  if (changed >= 0) {
    const problem = `input ${changed} of '${node.op}' was changed in place after it was used`;
    throw new GraphError('backward', problem, 'call backward() before optimizer.step() or loadStateDict()');
  }
}

/** Frees a node: drops its inputs and thunks, so that the garbage collector can free what they refer to. */
function forget(node: Node): void {
  node.backward = null;
  node.inputs = none;
  node.versions = none;
}
