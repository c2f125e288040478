/**
 * The tape: a record of the ops that ran, as a graph of nodes.
 *
 * A **node** is one op that ran. Its inputs are tensors, and each tensor refers to the node that computed it. A
 * **leaf** is a tensor without a node: no op computed it, or the op was not recorded. Parameters and data are leaves.
 * `backward`, in `autodiff.ts`, walks from the node of the loss to the leaves.
 *
 * No list holds all nodes: tensors refer to nodes, and nodes to their input tensors. So the garbage collector frees the
 * part of the graph that no tensor refers to.
 */
import { expectFunction, GraphError } from './errors.ts';
import type { Value } from './value.ts';

/** Computes the gradient of one input when it is called. `backward` calls only the thunks whose gradients it needs. */
export type Thunk = () => Value;

/** One op that ran. */
export interface Node {
  /** The number of nodes before it. A node has a larger id than the nodes that computed its inputs. */
  readonly id: number;
  /** The name of the op, for error messages. */
  readonly op: string;
  /** The tensors among the arguments of the op. */
  inputs: readonly Value[];
  /** The version of each input's storage when the op ran. If it differs later, the input was changed in place. */
  versions: readonly number[];
  /** Takes g, the gradient of the result, and returns one thunk per input. Null after the graph was freed. */
  backward: ((g: Value) => readonly Thunk[]) | null;
  /** The number of the last backward pass that visited this node. */
  visit: number;
  /** Values that only the backward pass of this node needs. `memory.ts` frees them together with the graph. */
  owned: readonly Value[];
}

/** An empty list. */
export const none: readonly never[] = [];

let recording = true;
let nodes = 0;

/** Whether ops are recorded: not inside `noGrad`. */
export function isRecording(): boolean {
  return recording;
}

/** Records an op that ran, as a new node. Returns null inside `noGrad`, or if no input requires a gradient. */
export function record(
  op: string,
  inputs: readonly Value[],
  backward: (g: Value) => readonly Thunk[],
): Node | null {
  if (!recording || !inputs.some((input) => input.requiresGrad)) return null;
  const versions = inputs.map((input) => input.storage.version);
  return { id: nodes++, op, inputs, versions, backward, visit: 0, owned: none };
}

/**
 * Calls `fn` without recording ops: results require no gradient, and nothing is kept for a backward pass. The
 * equivalent of PyTorch's `torch.no_grad()`.
 *
 * @returns The result of `fn`.
 * @throws {ValueError} `fn` is not a function.
 * @throws {GraphError} `fn` is asynchronous: after its first `await`, recording would be on again.
 * @example
 * ```ts
 * import { noGrad, tensor } from 'gammabeta';
 *
 * const w = tensor([1, 2], { requiresGrad: true });
 * const y = noGrad(() => w.mul(3));
 * console.log(y.requiresGrad); // false
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  expectFunction('noGrad', 'fn', fn);
  const result = unrecorded(fn, []);
  if (!(result instanceof Promise)) return result;
  const hint = 'await before or after noGrad, and pass only the computation';
  throw new GraphError('noGrad', 'the function is asynchronous', hint);
}

/** Calls a function of the library without recording ops: `noGrad` without its checks. */
export function unrecorded<A extends readonly unknown[], T>(fn: (...args: A) => T, args: A): T {
  const before = recording;
  recording = false;
  try {
    return fn(...args);
  } finally {
    recording = before;
  }
}
