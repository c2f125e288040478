/** The tape: a record of the ops that ran, which `backward` walks from the newest to the oldest. */
import { GraphError } from './errors.ts';
import type { Value } from './value.ts';

/** The gradient of one input, computed when it is called. */
export type Thunk = () => Value;

/** One op that ran. */
export interface Node {
  /** Grows with time: an op has a larger id than the ops that computed its inputs. */
  readonly id: number;
  readonly op: string;
  inputs: readonly Value[];
  /** The versions of the inputs' storage when the op ran. */
  versions: readonly number[];
  /** One thunk for each input, given the gradient g of the result; null once the graph was freed. */
  backward: ((g: Value) => readonly Thunk[]) | null;
  /** The number of the last walk that came here. */
  visit: number;
  /** Values that only this node needs: `memory.ts` frees them with the graph. */
  owned: Value[];
}

let recording = true;
let nodes = 0;

/** Records an op. Returns null inside `noGrad`, and where no input requires a gradient. */
export function record(
  op: string,
  inputs: readonly Value[],
  backward: (g: Value) => readonly Thunk[],
): Node | null {
  if (!recording || !inputs.some((input) => input.requiresGrad)) return null;
  const versions = inputs.map((input) => input.storage.version);
  return { id: nodes++, op, inputs, versions, backward, visit: 0, owned: [] };
}

/**
 * Calls `fn` without recording it: its results require no gradient, and nothing is kept for a backward pass.
 *
 * @returns What `fn` returns.
 * @throws {GraphError} `fn` is asynchronous; the rest of it would run while recording is on again.
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
  const before = recording;
  recording = false;
  try {
    const result = fn();
    if (result instanceof Promise) {
      throw new GraphError(
        'noGrad',
        'the function is asynchronous',
        'await outside, and call noGrad around what computes',
      );
    }
    return result;
  } finally {
    recording = before;
  }
}
