/** The saved state of an optimizer, and how it is checked and converted. */
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { converted } from '../tensor/assign.ts';
import { GammaBetaError, shown, ValueError } from '../tensor/errors.ts';
import { keep } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';

/** The state of one parameter, by name: moving averages, and the number of steps. */
export type Slots = Record<string, Tensor | number>;

/** What each slot holds: an integer ≥ 0, or a tensor of any values, or one of squares, which are ≥ 0. */
export type SlotKinds = Readonly<Record<string, 'count' | 'any' | 'square'>>;

/** The complete state of an optimizer: enough to continue training with the same results. */
export interface OptimizerState {
  /** The kind of optimizer, such as `SGD`. */
  readonly optimizer: string;
  /** The groups: the indices of their parameters, and their options. */
  readonly groups: readonly { readonly params: readonly number[]; readonly options: object }[];
  /** The state of each parameter, in order over all groups. Empty for parameters that were never updated. */
  readonly slots: readonly Slots[];
}

/**
 * The state does not fit the optimizer: another kind, other groups, shapes or names; or it has a value that it cannot
 * have.
 */
export class OptimizerStateError extends GammaBetaError {
  override name = 'OptimizerStateError';
}

/** Throws {@link OptimizerStateError} unless the state is of this kind, for groups of parameters like these. */
export function expectFit(
  kind: string,
  groups: readonly { readonly params: readonly Tensor[] }[],
  state: OptimizerState,
): void {
  if (!isState(state)) {
    throw misfit(kind, 'it is not an object { optimizer, groups, slots }', 'pass what stateDict() returned');
  }
  const parameters = groups.flatMap(({ params }) => params);
  const sizesOf = (of: readonly { readonly params: readonly unknown[] }[]) =>
    of.map(({ params }) => params.length).join(' + ');
  const [mine, theirs] = [sizesOf(groups), sizesOf(state.groups)];
  const entries = state.slots.length;
  const misshaped = parameters.findIndex((w, i) =>
    Object.values(state.slots[i] ?? {}).some(
      (slot) => slot instanceof Tensor && !sameShape(slot.shape, w.shape),
    ),
  );
  const problems = [
    state.optimizer !== kind && `it was saved by ${state.optimizer}`,
    mine !== theirs && `it has ${theirs} parameters, this optimizer has ${mine}`,
    entries !== parameters.length && `it has ${entries} entries for ${parameters.length} parameters`,
    misshaped >= 0 &&
      `the entry of parameter ${misshaped} does not have shape ${formatShape(parameters[misshaped].shape)}`,
  ];
  const problem = problems.find((text) => text !== false);
  if (problem !== undefined)
    throw misfit(kind, problem, 'build the optimizer that was saved, over the same parameters');
}

/**
 * A copy of the state of parameter w, which has index i, on the device and in the element type of w.
 *
 * @param kinds What the optimizer keeps; null if it may keep any state.
 * @throws {OptimizerStateError} A slot is missing, unknown, or has a value that it cannot have.
 */
export function loadedSlots(
  kind: string,
  i: number,
  w: Tensor,
  saved: Slots,
  kinds: SlotKinds | null,
): Slots {
  const names = Object.keys(saved);
  const known = Object.keys(kinds ?? saved);
  // Nothing is kept of a parameter that was never updated.
  const missing = known.find((name) => names.length > 0 && !names.includes(name));
  const unknown = names.find((name) => !known.includes(name));
  const hint = 'the state is damaged, or was saved by another version: use another one';
  const problem = missing === undefined ? `an unknown entry ${unknown}` : `no ${missing}`;
  if (missing !== undefined || unknown !== undefined)
    throw misfit(kind, `parameter ${i} has ${problem}`, hint);
  const slots = names.map((name): [string, Tensor | number] => {
    const { [name]: slot } = saved;
    const isCount = kinds === null ? typeof slot === 'number' : kinds[name] === 'count';
    const fits = isCount
      ? kinds === null || (Number.isSafeInteger(slot) && +slot >= 0)
      : slot instanceof Tensor;
    const isJson = isObject(slot) && 'data' in slot;
    const making = 'make tensors of the slots first, as in tensor(slot.data, { shape: slot.shape })';
    if (!fits) throw misfit(kind, `${name} of parameter ${i} is ${shown(slot)}`, isJson ? making : hint);
    if (typeof slot === 'number') return [name, slot];
    try {
      return [name, keep(converted(w, slot, kinds?.[name] === 'square' ? 0 : undefined))];
    } catch (cause) {
      if (!(cause instanceof ValueError)) throw cause;
      throw misfit(kind, `${name} of parameter ${i}: ${cause.problem}`, cause.hint, { cause });
    }
  });
  return Object.fromEntries(slots);
}

function misfit(kind: string, problem: string, hint: string, options?: ErrorOptions): OptimizerStateError {
  return new OptimizerStateError(kind, `the state does not fit: ${problem}`, hint, options);
}

/** Whether a value from plain JavaScript has the form of a state. */
function isState(state: unknown): state is OptimizerState {
  if (!isObject(state)) return false;
  const { optimizer, groups, slots } = state;
  if (typeof optimizer !== 'string' || !Array.isArray(groups) || !groups.every(isGroup)) return false;
  const members = groups.flatMap(({ params }) => params);
  return members.every((index, i) => index === i) && Array.isArray(slots) && slots.every(isObject);
}

function isGroup(group: unknown): group is { readonly params: readonly unknown[] } {
  if (!isObject(group) || Object.keys(group).sort().join() !== 'options,params') return false;
  return Array.isArray(group.params) && isObject(group.options);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]' && !(value instanceof Tensor);
}
