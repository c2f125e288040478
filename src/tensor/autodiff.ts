/** Reverse-mode differentiation over the tape. */
import { add } from '../../kernels/elementwise.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { full } from './create.ts';
import { GraphError, ShapeError } from './errors.ts';
import { Gradients } from './gradients.ts';
import { run } from './op.ts';
import { collecting, expose, free } from './memory.ts';
import { noGrad, type Node } from './tape.ts';
import type { Tensor } from './tensor.ts';

/**
 * Adds ∂(g·y)/∂x to `x.grad` of every leaf x that y was computed from, and frees the tape.
 *
 * Ops are visited newest first. An op is always newer than the ops that made its inputs, so when its turn
 * comes, all gradients of its result have arrived: the order of creation is a topological order.
 * `grad` fields are written at the end: an error on the way leaves them as they were.
 */
export function backward(y: Tensor, seed?: Tensor): void {
  const nodes = reachableNodes(y);
  const gradients = new Gradients();
  const { result: leaves } = collecting((allocations) =>
    noGrad(() => {
      gradients.arrive(y, seedFor(y, seed));
      for (const node of nodes) {
        const g = gradients.take(node);
        if (g !== undefined) propagate(node, g, gradients);
        gradients.sweep(allocations);
      }
      return gradients.leaves((before, g) => run(add, [before, g]));
    }),
  );
  for (const { leaf, g, sum } of leaves) {
    if (sum !== g) gradients.spend(g);
    else if (!gradients.claim(g.storage)) expose(g); // another leaf has it too, or it was given to backward()
    leaf.replaceGradient(sum);
  }
  gradients.sweep([]);
  for (const node of nodes) forget(node, gradients);
}

/** The gradient to begin with: ones for a single value. */
function seedFor(y: Tensor, seed: Tensor | undefined): Tensor {
  if (!y.requiresGrad) {
    throw new GraphError(
      'backward',
      `this ${y.dtype} tensor of shape ${formatShape(y.shape)} needs no gradient`,
      'give a tensor it is computed from requiresGrad: true, outside noGrad; gradients of gradients are out of scope',
    );
  }
  if (seed === undefined) {
    if (y.size === 1) return full(y.shape, 1, { dtype: y.dtype, device: y.home });
    throw new GraphError(
      'backward',
      `not a single value: shape ${formatShape(y.shape)}`,
      'reduce it first, as in y.sum().backward(), or give the gradient: y.backward(g)',
    );
  }
  if (seed.requiresGrad) {
    throw new GraphError(
      'backward',
      'g itself requires a gradient',
      'gradients of gradients are out of scope: use g.detach()',
    );
  }
  expectGradient('backward', 'g', seed, y);
  return seed;
}

function propagate(node: Node, g: Tensor, gradients: Gradients): void {
  const thunks = node.backward?.(g) ?? [];
  if (thunks.length !== node.inputs.length) {
    throw new GraphError(
      node.op,
      `${thunks.length} gradients for ${node.inputs.length} inputs`,
      'backward returns one thunk for each tensor among the arguments, in order',
    );
  }
  node.inputs.forEach((input, k) => {
    if (!input.requiresGrad) return;
    const dx = thunks[k]();
    expectGradient(node.op, `gradient of input ${k}`, dx, input);
    gradients.arrive(input, dx);
  });
}

function expectGradient(op: string, name: string, g: Tensor, of: Tensor): void {
  if (!sameShape(g.shape, of.shape)) {
    throw new ShapeError(
      op,
      `the ${name} has shape ${formatShape(g.shape)}, the value it belongs to ${formatShape(of.shape)}`,
      'a gradient has the shape of its value',
    );
  }
  if (g.dtype !== of.dtype || g.home !== of.home) {
    throw new GraphError(
      op,
      `the ${name} is ${g.dtype} on ${g.device}, the value it belongs to ${of.dtype} on ${of.device}`,
      'a gradient has the element type and the device of its value',
    );
  }
}

/**
 * All ops that y depends on, each once, newest first; with a stack of our own, since a chain of 100,000 ops is no reason to
 * fail.
 */
function reachableNodes(y: Tensor): Node[] {
  const found: Node[] = [];
  const visit = ++visits;
  const stack = [y];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    const { node } = tensor;
    if (node === null || node.visit === visit) continue;
    expectUsable(node);
    node.visit = visit;
    found.push(node);
    for (const input of node.inputs) stack.push(input);
  }
  return found.sort(byAge);
}

let visits = 0;
const byAge = (a: Node, b: Node): number => b.id - a.id;

function expectUsable(node: Node): void {
  if (node.backward === null) {
    throw new GraphError(
      'backward',
      `the graph through '${node.op}' was freed by an earlier backward()`,
      'compute the value again, or add the losses and call backward() once',
    );
  }
  const changed = node.inputs.findIndex((input, k) => input.storage.version !== node.versions[k]);
  if (changed >= 0) {
    throw new GraphError(
      'backward',
      `input ${changed} of '${node.op}' was changed in place after it was used`,
      'call backward() before optimizer.step() or loadStateDict()',
    );
  }
}

/** Frees an op's part of the tape, but for what became the gradient of a leaf. */
function forget(node: Node, gradients: Gradients): void {
  for (const x of node.memory) if (!gradients.isOfUse(x.storage)) free(x);
  node.backward = null;
  node.inputs = [];
  node.versions = [];
  node.memory = [];
}
