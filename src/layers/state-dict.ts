/** State dicts: the parameters and buffers of a model by name, and how they are checked and loaded. */
import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { converted, copy } from '../tensor/assign.ts';
import { expectBoolean, expectOptions, GammaBetaError, shown, ValueError } from '../tensor/errors.ts';
import { Tensor } from '../tensor/tensor.ts';
import { callUser } from '../tensor/user-code.ts';

/** Parameters and buffers by name. The names are PyTorch's, such as `1.running_mean`. */
export type StateDict = Record<string, Tensor>;

/** A state dict does not fit the model: entries are missing, unexpected, of another shape, or have impossible values. */
export class StateDictError extends GammaBetaError {
  override name = 'StateDictError';
}

/** An entry of the state dict, with functions that read and overwrite it. */
export interface Slot {
  readonly shape: Shape;
  /** The tensor, for an entry that is one. */
  readonly held?: Tensor;
  /** True for a parameter, which an optimizer updates; false for a buffer. */
  readonly trained?: boolean;
  /** The least value of a tensor, such as 0 for a variance. Default: any value. */
  readonly least?: number | undefined;
  readonly read: () => Tensor;
  /** For an entry that is no tensor: throws {@link ValueError} if `write` cannot take this source. */
  readonly check?: (source: Tensor) => void;
  readonly write: (source: Tensor) => void;
}

/**
 * Buffers as they were before the training batch that is being computed, by the tensor or the slot that holds them. The
 * forward pass changes buffers, the optimizer's step then the parameters; a state dict is of one moment, between batches.
 */
export const beforeBatch: WeakMap<Tensor | Slot, Tensor> = new WeakMap<Tensor | Slot, Tensor>();

/** A copy of the entry, as it was between batches. */
export function settled(slot: Slot): Tensor {
  return copy(beforeBatch.get(slot.held ?? slot) ?? slot.held ?? slot.read());
}

/** Called before entries are loaded. Training sets `check`, which refuses to load them within a batch. */
export const loadGuard: { check?: (op: string, slots: ReadonlyMap<string, Slot>) => void } = {};

export interface LoadStateOptions {
  /** Whether missing and unexpected entries are errors; otherwise they are ignored. Default true. */
  readonly strict?: boolean;
}

/**
 * Checks and converts a state dict for the slots of a model. Returns the function that then loads it, which cannot fail.
 *
 * @param owner The description of the model, for error messages.
 * @throws {StateDictError} The state does not fit. The message lists all entries that do not.
 * @throws {DeviceError} A tensor of the state cannot be read.
 */
export function prepareState(
  op: string,
  owner: string,
  slots: ReadonlyMap<string, Slot>,
  state: Readonly<StateDict>,
  options: LoadStateOptions = {},
): () => void {
  loadGuard.check?.(op, slots);
  expectOptions(op, options, ['strict']);
  const { strict = true } = options;
  const shapeOf = (entry: unknown) => (entry instanceof Tensor ? entry.shape : undefined);
  expectFit(op, owner, slots, state, expectBoolean(op, 'strict', strict), shapeOf);
  const writes = [...slots].flatMap(([name, { held, least, check, write }]) => {
    if (!Object.hasOwn(state, name)) return [];
    const { [name]: source } = state;
    try {
      if (held !== undefined) {
        const ready = converted(held, source, least);
        return [() => write(ready)];
      }
      if (check !== undefined) callUser(check, source);
      return [() => callUser(write, source)];
    } catch (cause) {
      if (!(cause instanceof ValueError)) throw cause;
      throw new StateDictError(op, `${name} cannot be loaded: ${cause.problem}`, cause.hint, { cause });
    }
  });
  return () => writes.forEach((write) => write());
}

/**
 * Throws {@link StateDictError} unless the entries of the state are tensors with the names and shapes of the slots.
 *
 * @param shapeOf The shape of an entry, undefined for one that is no tensor.
 */
export function expectFit<Entry>(
  op: string,
  owner: string,
  slots: ReadonlyMap<string, Slot>,
  state: Readonly<Record<string, Entry>>,
  strict: boolean,
  shapeOf: (entry: Entry) => Shape | undefined,
): void {
  if (!isDict(state)) {
    const hint = 'pass an object of tensors by name, as model.stateDict() returns it';
    throw new StateDictError(op, `a state dict is expected: ${shown(state)}`, hint);
  }
  const missing = [...slots.keys()].filter((name) => strict && !Object.hasOwn(state, name));
  const unexpected = Object.keys(state).filter((name) => strict && !slots.has(name));
  const [others, misshaped]: [string[], string[]] = [[], []];
  for (const [name, { shape }] of slots) {
    const found = Object.hasOwn(state, name) ? shapeOf(state[name]) : shape;
    if (found === undefined) others.push(`${name} (${shown(state[name])})`);
    else if (!sameShape(found, shape)) {
      misshaped.push(`${name} is ${formatShape(found)}, not ${formatShape(shape)}`);
    }
  }
  const problems = { missing, unexpected, 'not a tensor': others, 'of another shape': misshaped };
  const found = Object.entries(problems).filter(([, names]) => names.length > 0);
  if (found.length === 0) return;
  const listed = found.map(([kind, names]) => `${kind}: ${names.join(', ')}`).join('; ');
  const building = `build the model that was saved${misshaped.length > 0 ? '' : ', or pass { strict: false }'}`;
  const hint = others.length > 0 ? 'make tensors first, as in tensor(values, { shape })' : building;
  throw new StateDictError(op, `the state does not fit ${owner}: ${listed}`, hint);
}

/** Whether the value can hold tensors by name. */
function isDict(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return !(Array.isArray(value) || value instanceof Map || value instanceof Tensor);
}
