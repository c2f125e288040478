/**
 * Reverse-mode differentiation over the tape.
 *
 * Take `examples/first-gradient.ts`: loss = mean((x·slope + offset − target)²). Each op that ran is a node of the tape: it
 * holds its inputs, and a thunk for the gradient of each input. `slope` and `offset` are leaves: no op computed them.
 * `loss.backward()` starts at the newest node with the seed g = ∂loss/∂loss = 1 and walks to the oldest. At each node, g
 * is the gradient of that node's result, and the thunks turn it into the gradients of the inputs. Gradients that reach
 * one value by several paths are added. The gradient of a leaf is added to its `grad`.
 */
import { add } from '../../kernels/elementwise.ts';
import { formatShape, sameShape, sizeOf } from '../../kernels/shape.ts';
import { GraphError, ShapeError } from './errors.ts';
import { backwardPass, type GradientMap } from './memory.ts';
import { constant, run } from './op.ts';
import { noGrad, type Node } from './tape.ts';
import type { Value } from './value.ts';

export { gradientOf, setGradient } from './memory.ts';

/**
 * Adds ∂(g·y)/∂x to `x.grad` of every leaf x that y was computed from, and frees the tape.
 *
 * An op is always newer than the ops that computed its inputs. So when its turn comes, all gradients of its result have
 * arrived: the order of creation is a topological order. `grad` is written at the end: an error on the way changes none.
 */
export function backward(y: Value, seed?: Value): void {
  const nodes = newestFirst(y);
  backwardPass(nodes, (gradients) =>
    noGrad(() => {
      accumulate(gradients, y, seedFor(y, seed));
      for (const node of nodes) {
        const g = gradients.take(node);
        if (g !== undefined) propagate(node, g, gradients);
      }
      return gradients
        .leaves()
        .map(([x, g]) => [x, x.accumulated === null ? g : run(add, [x.accumulated, g])]);
    }),
  );
  for (const node of nodes) forget(node);
}

/** One step of the chain rule: from the gradient g of an op's result to the gradients of its inputs. */
function propagate(node: Node, g: Value, gradients: GradientMap): void {
  const thunks = node.backward?.(g) ?? [];
  if (thunks.length !== node.inputs.length) {
    const hint = 'backward returns one thunk for each tensor among the arguments, in order';
    throw new GraphError(node.op, `${thunks.length} gradients for ${node.inputs.length} inputs`, hint);
  }
  node.inputs.forEach((x, k) => {
    if (!x.requiresGrad) return;
    const dx = thunks[k]();
    expectGradient(node.op, `gradient of input ${k}`, dx, x);
    accumulate(gradients, x, dx);
  });
}

/** Adds a gradient to those that have arrived for a value: the result of an op, or a leaf. */
function accumulate(gradients: GradientMap, x: Value, g: Value): void {
  const key = x.node ?? x;
  const sum = gradients.get(key);
  gradients.set(key, sum === undefined ? g : run(add, [sum, g]));
}

/** The gradient to begin with: ones for a single value. */
function seedFor(y: Value, seed: Value | undefined): Value {
  const outOfScope = 'gradients of gradients are out of scope';
  if (!y.requiresGrad) {
    const hint = `give a tensor it is computed from requiresGrad: true, outside noGrad; ${outOfScope}`;
    const problem = `this ${y.dtype} tensor of shape ${formatShape(y.shape)} needs no gradient`;
    throw new GraphError('backward', problem, hint);
  }
  if (seed === undefined) {
    if (sizeOf(y.shape) === 1) return constant(y, [1], y.shape);
    const hint = 'reduce it first, as in y.sum().backward(), or give the gradient: y.backward(g)';
    throw new GraphError('backward', `not a single value: shape ${formatShape(y.shape)}`, hint);
  }
  if (seed.requiresGrad) {
    throw new GraphError('backward', 'g itself requires a gradient', `${outOfScope}: use g.detach()`);
  }
  expectGradient('backward', 'g', seed, y);
  return seed;
}

/** A gradient has the shape, the element type and the device of its value. */
function expectGradient(op: string, name: string, g: Value, of: Value): void {
  if (!sameShape(g.shape, of.shape)) {
    const shapes = `has shape ${formatShape(g.shape)}, the value it belongs to ${formatShape(of.shape)}`;
    throw new ShapeError(op, `the ${name} ${shapes}`, 'a gradient has the shape of its value');
  }
  if (g.dtype !== of.dtype || g.home !== of.home) {
    const places = `is ${g.dtype} on ${g.device}, the value it belongs to ${of.dtype} on ${of.device}`;
    const hint = 'a gradient has the element type and the device of its value';
    throw new GraphError(op, `the ${name} ${places}`, hint);
  }
}

/** All ops that y depends on, each once. An explicit stack: deep graphs must not overflow the call stack. */
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
    for (const input of node.inputs) stack.push(input);
  }
  return found.sort((a, b) => b.id - a.id);
}

let visits = 0;

function expectUsable(node: Node): void {
  if (node.backward === null) {
    const hint = 'compute the value again, or add the losses and call backward() once';
    throw new GraphError(
      'backward',
      `the graph through '${node.op}' was freed by an earlier backward()`,
      hint,
    );
  }
  const changed = node.inputs.findIndex((input, k) => input.storage.version !== node.versions[k]);
  if (changed >= 0) {
    const problem = `input ${changed} of '${node.op}' was changed in place after it was used`;
    throw new GraphError('backward', problem, 'call backward() before optimizer.step() or loadStateDict()');
  }
}

/** Frees an op's part of the graph. */
function forget(node: Node): void {
  node.backward = null;
  node.inputs = [];
  node.versions = [];
}
